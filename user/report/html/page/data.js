// SPDX-License-Identifier: BSD-2-Clause
// The JSON of --format json, indexed: trees of imports, and what each measure says of them.
// Unknown stays null.

// What html.c has packed: gzip in base64.
async function unpack(node) {
	const bytes = Uint8Array.from(atob(node.textContent), c => c.charCodeAt(0));
	const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
	return JSON.parse(await new Response(stream).text());
}

if (!window.DecompressionStream) {
	fill($("headline"), "This report needs a browser of 2023 or later, which can unpack it.");
	return;
}
const doc = await unpack($("data"));

// self: without what it imports; total: with it.
const MEASURES = {
	time: {title: "time", fmt: fmtNs, self: i => i.self_ns, total: i => i.wall_ns},
	cpu: {title: "CPU", fmt: fmtNs, self: i => i.self_cpu_ns, total: i => i.cpu_ns},
	memory: {
		title: "memory", fmt: fmtBytes, total: i => i.rss_delta,
		self: i => isKnown(i.self_rss) ? i.self_rss.anon + i.self_rss.file : null,
	},
	bytes: {
		title: "bytes read", short: "read", fmt: fmtBytes, total: i => i.io ? i.io.bytes_read : null,
		self: i => i.self_io ? i.self_io.bytes_read : null,
	},
};

// The causes there are, with their words, as html.c has them from the table of causes.
const CAUSES = new Map(document.querySelector("meta[name=causes]").content.split(",")
	.map(entry => entry.split(":")));
const WAITS = [...CAUSES.keys()].filter(name => name !== "cpu");

// The words of the text reports, where ours are not.
const VIAS = {native: "from C"};

// The program itself is no import: what it imports moves up.
const isProgram = load => load.via === "main";

// Whose code a file is, as the text reports see it: "own", "package" or "stdlib".
function ownerOf(load) {
	const {file, kind} = load;
	if (file && /\/(site|dist)-packages\//.test(file))
		return "package";
	if (["frozen", "builtin"].includes(kind) || (file && /\/lib(64)?\/python[0-9.t]+\//.test(file)))
		return "stdlib";
	return file ? "own" : "package";
}

function commandOf(process) {
	const argv = process.cmdline;
	if (!argv || !argv.length)
		return process.from_log ? "a log of -X importtime" : process.comm || "?";
	return argv.map((arg, i) => {
		const text = i ? arg : arg.slice(arg.lastIndexOf("/") + 1) || arg;
		return !text || /[ \t\n'"]/.test(text) ? "'" + text + "'" : text;
	}).join(" ");
}

// A tree without recursion: chains are as deep as the target likes.
function indexProcess(process) {
	const byId = new Map(), children = new Map(), roots = [];
	for (const load of process.imports)
		byId.set(load.id, load);
	for (const load of process.imports) {
		let parent = isKnown(load.parent) ? byId.get(load.parent) : null;
		while (parent && isProgram(parent))
			parent = isKnown(parent.parent) ? byId.get(parent.parent) : null;
		if (isProgram(load))
			continue;
		if (!parent)
			roots.push(load);
		else if (children.has(parent.id))
			children.get(parent.id).push(load);
		else
			children.set(parent.id, [load]);
	}
	const edgesTo = new Map();
	for (const edge of process.edges) {
		if (edgesTo.has(edge.module))
			edgesTo.get(edge.module).push(edge);
		else
			edgesTo.set(edge.module, [edge]);
	}
	return {
		process, byId, children, roots, edgesTo,
		loads: process.imports.filter(load => !isProgram(load)),
		command: commandOf(process),
		label: process.from_log || !process.label ? commandOf(process) : process.label,
		childrenOf: load => children.get(load.id) || [],
	};
}

const indexesOf = report => report.processes
	.filter(p => p.is_python !== false || p.imports.length).map(indexProcess);
const indexes = indexesOf(doc);

function phaseOf(process, name) {
	return (process.phases || []).find(phase => phase.name === name) || null;
}

function durationOf(phase) {
	return phase && isKnown(phase.start_ns) && isKnown(phase.end_ns) ?
		phase.end_ns - phase.start_ns : null;
}

// When it first waited for connections. Null: it never did.
function readyNs(process) {
	const phase = phaseOf(process, "ready");
	return phase ? phase.start_ns : null;
}

// A log of -X importtime knows no process and no thread.
function mainTid(process) {
	return isKnown(process.pid) ? process.pid : process.imports.length ? process.imports[0].tid : null;
}

const nameOf = process => isKnown(process.pid) ? " (pid " + process.pid + ")" : "";

function baseNs(process) {
	if (process.attached_late)
		return process.imports.length ? process.imports[0].start_ns : process.start_ns;
	return isKnown(process.exec_ns) ? process.exec_ns : process.start_ns;
}

// The figures of the headline. Without a start-up: what its imports took.
function factsOf(index) {
	const {process} = index, startup = process.startup;
	let dearest = null;
	for (const load of index.roots) {
		if (load.inherited || !isKnown(load.wall_ns) || (startup && (load.tid !== mainTid(process) ||
		    load.start_ns < startup.run_ns || load.start_ns >= startup.end_ns)))
			continue;
		if (!dearest || load.wall_ns > dearest.wall_ns)
			dearest = load;
	}
	const importsNs = startup ? startup.imports_ns : process.own_import_ns;
	return {
		startupNs: startup ? startup.wall_ns : null,
		interpreterNs: startup ? startup.interpreter_ns : null, importsNs,
		ownNs: startup ? startup.own_ns : null,
		heavy: importsNs >= 5e6 ? findHeavy(index, dearest, importsNs / 2) : null,
	};
}

// The deepest import with more than half of the time, then up again within its package.
function findHeavy(index, dearest, halfNs) {
	const topOf = load => (load.module || "").split(".")[0];
	let load = dearest;
	if (!load || load.wall_ns <= halfNs)
		return null;
	for (;;) {
		let next = null;
		for (const child of index.childrenOf(load))
			if (child.wall_ns > halfNs && (!next || child.wall_ns > next.wall_ns))
				next = child;
		if (!next)
			break;
		load = next;
	}
	for (;;) {
		const parent = isKnown(load.parent) ? index.byId.get(load.parent) : null;
		if (load === dearest || !parent || isProgram(parent) || !topOf(load) ||
		    topOf(parent) !== topOf(load))
			return load;
		load = parent;
	}
}

const hasMeasure = (index, name) => index.loads.some(load => isKnown(MEASURES[name].self(load)));

// Sum of what all imports themselves cost; null when not measured.
function sumOf(index, name) {
	let sum = null;
	for (const load of index.loads) {
		const cost = load.inherited ? null : MEASURES[name].self(load);
		if (isKnown(cost))
			sum = (sum || 0) + cost;
	}
	return sum;
}

function searchText(load) {
	const importer = load.importer || {};
	return [load.module, load.file, load.error, importer.module,
		importer.file && importer.file + ":" + importer.line].join("\n").toLowerCase();
}
