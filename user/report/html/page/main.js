// SPDX-License-Identifier: BSD-2-Clause
// The page: what is chosen, and who is told.

const page = {index: null, measure: "time", load: null};

const icicle = new Icicle($("icicle"), {
	select: load => choose(load, "icicle"),
	zoom: load => fillPath(load),
});
const timeline = new Timeline($("timeline"), {
	choose: index => showProcess(index),
	select: load => choose(load, "timeline"),
});
const compare = compared ? new Compare() : null;
const table = new ModuleTable($("rows-box"), {select: load => choose(load, "table")});

// One import is chosen everywhere at once; @by has done so already.
function choose(load, by) {
	page.load = load;
	if (by !== "icicle")
		icicle.goTo(load);
	if (by !== "table")
		table.reveal(load);
	$("said").textContent = icicle.describe(load).replaceAll("\n", ", ");
	fillDetail(page.index, load, at => choose(at, "link"));
}

const BEST = 3;

// The statements whose deferral saves most by itself, as the default view of text tells them.
function fillBest(index, select) {
	const best = (index.process.findings || []).filter(finding => finding.saving_ns &&
		finding.rule === "deferrable-import" && !(finding.evidence || {}).group).slice(0, BEST);
	fill($("best"), best.map(finding => {
		const load = index.byId.get((finding.evidence || {}).import);
		return el("li", {"data-finding": finding.id}, el("strong", {}, fmtNs(finding.saving_ns)),
			el("div", {class: "name"}, fmtPlace(finding, index.process.cwd)), "imports ",
			load ? moduleButton(load, select) : el("span", {class: "name"},
				(finding.evidence || {}).module || "a module"),
			el("div", {class: "dim"}, finding.remedy || "", finding.confidence ?
				" (confidence " + finding.confidence + ")" : ""));
	}));
	if (!best.length)
		fill($("best"), el("li", {class: "dim"}, "No single statement would save time."));
}

function fillPath(zoomed) {
	fill($("path"), icicle.pathTo(zoomed).map((load, i) => [i ? " › " : null,
		el("button", {class: "link name", type: "button",
			"aria-current": load === zoomed ? "true" : null, onclick: () => icicle.zoom(load)},
		load ? load.module || "?" : "all imports")]).flat());
}

function fillHead(index) {
	const {process} = index, facts = factsOf(index), python = process.python || {};
	$("title").textContent = clean(index.command);
	document.title = clean(index.label) + " – imports";
	const parts = [];
	if (isKnown(facts.interpreterNs))
		parts.push("interpreter " + fmtNs(facts.interpreterNs));
	if (isKnown(facts.importsNs))
		parts.push("imports " + fmtNs(facts.importsNs));
	if (isKnown(facts.ownNs))
		parts.push("own work " + fmtNs(facts.ownNs));
	let text = isKnown(facts.startupNs) ? "Started in " + fmtNs(facts.startupNs) : "";
	if (parts.length)
		text += text ? " (" + parts.join(", ") + ")" : parts.join(", ");
	text += text ? ". " : "";
	if (facts.heavy) {
		const place = fmtPlace(facts.heavy.importer, process.cwd);
		text += Math.floor(100 * facts.heavy.wall_ns / facts.importsNs) +
			"% of the import time is under " + (facts.heavy.module || "?") +
			(place ? ", imported at " + place : "") + ".";
	}
	text = text.charAt(0).toUpperCase() + text.slice(1);
	$("headline").textContent = clean(text ||
		plural(process.counts.loaded, "module") + " loaded.");
	$("subline").textContent = clean([isKnown(process.pid) ? "pid " + process.pid : null,
		python.version ? (python.implementation === "cpython" ? "CPython " :
			(python.implementation || "Python") + " ") + python.version +
			(python.free_threaded ? " free-threaded" : "") : "Python of unknown version",
		process.unit, process.container ? "container " + (process.container.name || process.container.id) : null,
		doc.host.hostname, doc.host.kernel].filter(Boolean).join(" · "));
	fillNotices(process, python);
	fillFigures(index, facts);
}

function fillNotices(process, python) {
	const lost = Object.entries(doc.loss).filter(([, cnt]) => cnt);
	const notices = [];
	if (!doc.complete)
		notices.push("This trace is not complete" + (lost.length ? ": " + lost.map(([key, cnt]) =>
			key.replaceAll("_", " ") + " " + fmtCount(cnt)).join(", ") + "." : "."));
	if (process.attached_late)
		notices.push("It was already running when tracing began: earlier imports are not listed.");
	if (process.exit && isKnown(process.exit.signal))
		notices.push("Killed by signal " + process.exit.signal + ".");
	else if (process.exit && process.exit.code)
		notices.push("Ended with status " + process.exit.code + ".");
	const startup = process.startup;
	if (startup && startup.overhead_ns > startup.wall_ns / 1000)
		notices.push("Times here are as measured; tracing took about " + fmtNs(startup.overhead_ns) +
			" of the start-up.");
	notices.push(...(python.notes || []));
	fill($("notices"), notices.map(text => el("li", {}, text)));
}

function fillFigures(index, facts) {
	const {process} = index, ready = readyNs(process);
	const figures = [
		["start-up", "startup_ns", facts.startupNs, fmtNs],
		["interpreter", "interpreter_ns", facts.interpreterNs, fmtNs],
		["imports", "imports_ns", facts.importsNs, fmtNs],
		["own work", "own_ns", facts.ownNs, fmtNs],
		["ready", "ready_ns", ready === null ? null : ready - baseNs(process), fmtNs],
		["modules loaded", "loaded", process.counts.loaded, fmtCount],
		["failed", "failed", process.counts.failed, fmtCount],
		["unfinished", "unfinished", process.counts.unfinished || null, fmtCount],
		["found in sys.modules", "cached", process.counts.cached, fmtCount],
		["CPU of imports", "cpu_ns", sumOf(index, "cpu"), fmtNs],
		["memory of imports", "memory", sumOf(index, "memory"), fmtBytes],
		["read by imports", "bytes", sumOf(index, "bytes"), fmtBytes],
	];
	fill($("figures"), figures.filter(([, , value]) => isKnown(value)).map(([title, id, value, fmt]) =>
		el("div", {}, el("dt", {}, title), el("dd", {"data-figure": id, "data-value": value},
			fmt(value)))));
}

// The measures that were taken can be chosen, the others are there and off.
function fillMeasures(index) {
	if (!hasMeasure(index, page.measure))
		page.measure = "time";
	fill($("measures"), el("legend", {}, "Width shows"),
		Object.entries(MEASURES).map(([name, measure]) => {
			const isThere = name === "time" || hasMeasure(index, name);
			return el("label", {class: isThere ? null : "off", title: isThere ? null :
				"not measured in this trace"},
			el("input", {type: "radio", name: "measure", value: name, disabled: !isThere,
				checked: name === page.measure, onchange: () => {
					page.measure = name;
					icicle.show(index, name);
					search();
				}}), " " + measure.title);
		}));
}

function showProcess(index) {
	page.index = index;
	page.load = null;
	$("process").value = indexes.indexOf(index);
	fillHead(index);
	fillMeasures(index);
	icicle.show(index, page.measure);
	fillPath(null);
	fillDetail(index, null);
	$("said").textContent = "";
	const select = load => choose(load, "link");
	fillCauses(index, select);
	fillFindings(index, select);
	fillBest(index, select);
	if (compare)
		compare.show(index);
	fillFiles(index);
	timeline.show(index);
	fillProcesses(index, showProcess);
	table.active = null;
	table.show(index);
	search();
}

function search() {
	const matches = table.find($("search").value);
	icicle.matches = matches;
	icicle.draw();
	table.update(matches);
	$("found").textContent = matches ? fmtCount(matches.size) + " found" : "";
	$("sums").textContent = matches && matches.size ? sumsOf(page.index, matches) : "";
}

// Of what was found: in itself, and with what it imports, nothing counted twice.
function sumsOf(index, matches) {
	const {self, total, fmt} = MEASURES[page.measure];
	let own = null, whole = null;
	for (const load of index.loads) {
		if (!matches.has(load.id) || load.inherited)
			continue;
		let parent = icicle.parentOf(load);
		while (parent && !matches.has(parent.id))
			parent = icicle.parentOf(parent);
		if (isKnown(self(load)))
			own = (own || 0) + self(load);
		if (!parent && isKnown(total(load)))
			whole = (whole || 0) + total(load);
	}
	return ": " + fmt(whole) + ", in themselves " + fmt(own);
}

function redraw() {
	if (!page.index)
		return;
	icicle.draw();
	timeline.draw();
	table.fit();
	if (compare)
		compare.draw();
}

function fillRanges() {
	fill($("ranges"), el("legend", {}, "Show"), [["startup", "start-up"], ["all", "the whole trace"]]
		.map(([value, title]) => el("label", {}, el("input", {type: "radio", name: "range", value,
			checked: value === timeline.range, onchange: () => {
				timeline.range = value;
				timeline.draw();
			}}), " " + title)));
}

function fillKeys() {
	fill($("keys"), pairs([
		["/", "search"], ["Esc", "in the search: clear it"],
		["arrows", "in the icicle: to the parent, the slowest child, the neighbours; in the table: rows"],
		["Enter", "in the icicle: zoom in; in the table: choose"],
		["Backspace", "in the icicle: zoom out"], ["Home", "in the icicle: all imports"],
	]));
}

const THEMES = ["system", "light", "dark"];
let theme = 0;

function setTheme(to) {
	theme = to % THEMES.length;
	if (theme)
		document.documentElement.dataset.theme = THEMES[theme];
	else
		delete document.documentElement.dataset.theme;
	$("theme").textContent = "Theme: " + THEMES[theme];
	redraw();
}

// Paper is white, and as wide as it is; it has no scroll bars.
function print(isPrinting) {
	if (!page.index)
		return;
	document.documentElement.dataset.theme = isPrinting ? "light" : THEMES[theme];
	if (!isPrinting)
		setTheme(theme);
	table.print(isPrinting);
	redraw();
}

function listen() {
	const later = {frame: 0};
	const soon = task => () => {
		cancelAnimationFrame(later.frame);
		later.frame = requestAnimationFrame(task);
	};
	$("search").addEventListener("input", soon(search));
	$("search").addEventListener("keydown", event => {
		if (event.key === "Escape") {
			$("search").value = "";
			search();
		}
	});
	document.addEventListener("keydown", event => {
		if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
			event.preventDefault();
			$("search").focus();
		}
	});
	$("process").addEventListener("change", () => showProcess(indexes[$("process").value]));
	$("theme").addEventListener("click", () => setTheme(theme + 1));
	$("help").addEventListener("click", () => {
		$("keys").hidden = !$("keys").hidden;
		$("help").setAttribute("aria-expanded", String(!$("keys").hidden));
	});
	window.addEventListener("resize", soon(redraw));
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
	window.addEventListener("beforeprint", () => print(true));
	window.addEventListener("afterprint", () => print(false));
	$("icicle").addEventListener("focus", () => icicle.draw());
	$("icicle").addEventListener("blur", () => icicle.draw());
}

function start() {
	const tool = doc.tool || {};
	$("about").textContent = clean(`${tool.name} ${tool.version || ""}. ` + (doc.complete ?
		"The trace is complete: nothing was lost." : "The trace is not complete."));
	if (!indexes.length) {
		$("headline").textContent = "No Python program was seen.";
		document.querySelector("main").hidden = true;
		return;
	}
	$("process").replaceChildren(...indexes.map((index, i) =>
		el("option", {value: i}, index.label + nameOf(index.process))));
	$("process-label").hidden = indexes.length < 2;
	fillKeys();
	fillRanges();
	listen();
	const importsNs = index => sumOf(index, "time") || 0;
	showProcess(indexes.reduce((best, index) => importsNs(index) > importsNs(best) ? index : best));
}

start();
document.documentElement.dataset.drawn = "1";
