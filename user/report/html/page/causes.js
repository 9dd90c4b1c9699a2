// SPDX-License-Identifier: BSD-2-Clause
// Causes and findings: where the time of the slowest modules went, and what the trace says about
// it. What was not measured is not drawn.

const CAUSES_TOP = 20, FINDINGS_MAX = 100, FOLD = 8, RISKS_MAX = 4;

// [["cpu", ns], ["disk", ns], …] of a load's own time, or null.
function causesOf(load) {
	const waits = load.self_wait_ns;
	if (!isKnown(load.self_cpu_ns) || !waits)
		return null;
	return [["cpu", load.self_cpu_ns], ...WAITS.map(name => [name, waits[name] || 0])];
}

function stackOf(parts, maxNs) {
	const bar = el("div", {class: "stack", role: "img", "aria-label": parts.filter(([, ns]) => ns)
		.map(([name, ns]) => name + " " + fmtNs(ns)).join(", ")});
	for (const [name, ns] of parts) {
		if (!ns)
			continue;
		const part = el("i", {class: name, title: name + " " + fmtNs(ns), "data-value": ns});
		part.style.width = 100 * ns / maxNs + "%";
		bar.append(part);
	}
	return bar;
}

function causeRow(name, ns, bar) {
	return el("div", {class: "cause"}, name, el("span", {class: "number"}, fmtNs(ns)), bar);
}

function partsOf(causes) {
	return causes && isKnown(causes.cpu_ns) && causes.wait_ns ?
		[["cpu", causes.cpu_ns], ...WAITS.map(name => [name, causes.wait_ns[name] || 0])] : null;
}

// Each on its own scale: all imports together, the rest of the first thread, all other threads
// (their sum, so that idle ones weigh much).
function totalRows(index) {
	const {causes} = index.process, sums = new Map();
	for (const load of index.loads)
		for (const [name, ns] of load.inherited ? [] : causesOf(load) || [])
			sums.set(name, (sums.get(name) || 0) + ns);
	return [["all imports", [...sums]],
		["first thread, outside imports", partsOf(causes && causes.outside)],
		["other threads, together", partsOf(causes && causes.other_threads)]]
		.map(([name, parts]) => {
			const sum = (parts || []).reduce((all, [, ns]) => all + ns, 0);
			return sum ? causeRow(name, sum, stackOf(parts, sum)) : null;
		});
}

function fillCauses(index, select) {
	const ranked = index.loads.filter(load => isKnown(load.self_ns) && !load.inherited)
		.sort((a, b) => b.self_ns - a.self_ns).slice(0, CAUSES_TOP);
	const hasCauses = ranked.some(causesOf);
	if (!ranked.length)
		return fill($("causes"), el("p", {class: "dim"}, "Nothing was imported."));
	const maxNs = ranked[0].self_ns || 1, legend = el("p");
	if (hasCauses) {
		for (const name of ["cpu", ...WAITS])
			legend.append(el("span", {class: "key"}, el("i", {class: name}),
				CAUSES.get(name)));
	} else {
		legend.append(el("span", {class: "dim"}, "Only time was measured in this trace: " +
			"CPU, disk, locks and other waits are not known. Bars show time in the module itself."));
	}
	const rows = ranked.map(load => {
		const bar = stackOf(causesOf(load) || [["other", load.self_ns]], maxNs);
		const row = causeRow(moduleButton(load, select), load.self_ns, bar);
		row.dataset.id = load.id;
		return row;
	});
	fill($("causes"), legend, hasCauses ? [totalRows(index),
		el("h3", {}, "Slowest modules, without what they import")].flat() : null, rows);
}

function riskText(risk) {
	const more = risk.count > 1 ? " and " + fmtCount(risk.count - 1) + " more" : "";
	const what = (risk.what || "something unknown") + more;
	return (risk.module || "a module") + " " + ({threads: "starts " + plural(risk.count, "thread"),
		children: "starts " + plural(risk.count, "child process", "child processes"),
		network: "talks to " + what, listen: "listens on " + what, files: "writes " + what,
		signals: "handles " + (risk.signals || []).join(", ")}[risk.kind] || risk.kind);
}

function findingItem(finding, index, select) {
	const {import: id, risks: seen} = finding.evidence || {}, risks = seen || [];
	const load = isKnown(id) ? index.byId.get(id) : null;
	const place = fmtPlace(finding, index.process.cwd), saves = [];
	if (finding.saving_ns)
		saves.push(fmtNs(finding.saving_ns));
	if (finding.saving_bytes)
		saves.push(fmtBytes(finding.saving_bytes));
	return el("li", {"data-finding": finding.id},
		finding.severity ? el("strong", {}, finding.severity + ": ") : null,
		finding.message || finding.id,
		place ? [" (", el("span", {class: "name"}, place), ")"] : null,
		saves.length ? ", saves " + saves.join(" and ") : null,
		isKnown(finding.confidence) ? ", confidence " + finding.confidence : null,
		load ? [" ", moduleButton(load, select)] : null,
		finding.remedy ? el("div", {class: "dim"}, finding.remedy) : null,
		risks.length ? el("div", {class: "risks"}, "caution, loading it also had these effects: " +
			risks.slice(0, RISKS_MAX).map(riskText).join("; ") + (risks.length > RISKS_MAX ?
			"; and " + fmtCount(risks.length - RISKS_MAX) + " more" : "")) : null);
}

// The files that brought most bytes, and where modules were looked for in vain.
function fillFiles(index) {
	const {process} = index, sizeOf = file => (file.bytes_read || 0) + (file.mapped || 0);
	const files = (process.files || []).filter(sizeOf).sort((a, b) => sizeOf(b) - sizeOf(a));
	const dirs = (process.search_path || []).filter(dir => dir.misses)
		.sort((a, b) => b.misses - a.misses);
	const isName = title => ["file", "directory", "imported by"].includes(title);
	const table = (titles, rows) => el("table", {}, el("thead", {}, el("tr", {}, titles.map(title =>
		el("th", {scope: "col", class: isName(title) ? null : "number"}, title)))), el("tbody", {},
	rows.slice(0, CAUSES_TOP).map(cells => el("tr", {}, cells.map((cell, i) =>
		el("td", {class: isName(titles[i]) ? "name" : "number"}, cell))))));
	const parts = [];
	if (files.length)
		parts.push(el("h3", {}, "Biggest files"), table(
			["file", "read", "mapped", "from disk", "opened", "imported by"],
			files.map(file => {
				const load = isKnown(file.import) ? index.byId.get(file.import) : null;
				return [file.path || "others", fmtBytes(file.bytes_read), fmtBytes(file.mapped),
					fmtBytes(file.bytes_from_disk), fmtCount(file.opens),
					load ? load.module || "?" : ""];
			})));
	if (dirs.length)
		parts.push(el("h3", {}, "Directories searched for modules"), table(
			["directory", "searches", "misses", "time"], dirs.map(dir => [dir.path || "?",
				fmtCount(dir.searches), fmtCount(dir.misses), fmtNs(dir.ns)])));
	fill($("files"), parts.length ? parts : el("p", {class: "dim"},
		"Files were not counted in this trace."));
}

function listed(title, items, make) {
	if (!items.length)
		return [];
	const list = el("ul", {}, items.slice(0, FINDINGS_MAX).map(make));
	if (items.length > FINDINGS_MAX)
		list.append(el("li", {class: "dim"}, "and " + fmtCount(items.length - FINDINGS_MAX) +
			" more"));
	title += " (" + fmtCount(items.length) + ")";
	return items.length > FOLD ? [el("details", {}, el("summary", {}, title), list)] :
		[el("h3", {}, title), list];
}

// The import that did it, or that none did.
function responsible(entry, index, select) {
	const load = isKnown(entry.import) ? index.byId.get(entry.import) : null;
	const place = fmtPlace(entry, index.process.cwd);
	return load ? [" by ", moduleButton(load, select), place ? " (" + place + ")" : null] :
		[" outside imports"];
}

function effectText(effect) {
	return [effect.threads ? plural(effect.threads, "thread") : null,
		effect.children ? plural(effect.children, "child process", "child processes") : null,
		effect.sleeps ? plural(effect.sleeps, "sleep") + " of " + fmtNs(effect.sleep_ns) : null,
		effect.file_locks ? plural(effect.file_locks, "file lock") + " of " +
			fmtNs(effect.file_lock_ns) : null,
		(effect.signals || []).length ? "handlers of " + effect.signals.join(", ") : null]
		.filter(Boolean).join(", ");
}

function fillFindings(index, select) {
	const {process} = index, cwd = process.cwd;
	const name = text => el("span", {class: "name"}, text);
	const loadItem = load => el("li", {}, moduleButton(load, select),
		load.error ? " " + load.error : "",
		fmtPlace(load.importer, cwd) ? [", asked for at ", name(fmtPlace(load.importer, cwd))] : null);
	const parts = [
		...listed("Advice", process.findings || [], f => findingItem(f, index, select)),
		...listed("Network", process.net || [], net => el("li", {},
			[net.kind, net.name, net.address].filter(Boolean).join(" "), " ",
			isKnown(net.wall_ns) ? fmtNs(net.wall_ns) : null,
			net.blocked_ns ? ", blocked " + fmtNs(net.blocked_ns) : null,
			net.sent || net.received ? ", sent " + fmtBytes(net.sent || 0) + ", received " +
				fmtBytes(net.received || 0) : null, ...responsible(net, index, select))),
		...listed("Side effects", process.effects || [], effect => el("li", {},
			effectText(effect) || "nothing", ...responsible(effect, index, select))),
		...listed("Circular imports", process.edges.filter(e => e.circular), e => el("li", {},
			name(fmtPlace(e.importer, cwd) || "?"), " imports ", name(e.module),
			", which was still loading")),
		...listed("Waited for another thread's import", process.waits || [], wait => el("li", {},
			name(wait.module || "?"), " " + fmtNs(wait.wall_ns) + ", thread " + wait.tid)),
		...listed("Loaded before tracing began", (process.inventory || {}).modules || [], module =>
			el("li", {}, name(module.module || "?"), module.file ? " " + module.file : "")),
		...listed("Did not end", index.loads.filter(l => l.result === "unfinished"), loadItem),
		...listed("Failed", index.loads.filter(l => l.result === "failed" && !l.inherited),
			loadItem),
	];
	fill($("findings"), parts.length ? parts :
		el("p", {class: "dim"}, process.from_log ? "A log tells of no failures, cycles or waits." :
			"Nothing stands out: no import failed, waited or closed a cycle."));
}
