// SPDX-License-Identifier: BSD-2-Clause
// One import in full: what it cost, why it was loaded, who else asks for it.

const DETAIL_MAX = 12;

function pairs(entries) {
	const list = el("dl", {class: "pairs"});
	for (const [key, value] of entries)
		if (isKnown(value) && value !== "")
			list.append(el("dt", {}, key), el("dd", {}, value));
	return list.childElementCount ? list : null;
}

// "find 1.2 ms, exec 3.4 ms" of what is known in @obj.
function listOf(obj, fmt) {
	return Object.entries(obj || {}).filter(([, value]) => Number.isFinite(value) && value)
		.map(([key, value]) => key.replaceAll("_", " ").replace(/ ns$/, "") + " " +
			(/_ns$/.test(key) ? fmtNs(value) : fmt(key, value))).join(", ");
}

const fmtIo = (key, value) => /bytes|mapped/.test(key) ? fmtBytes(value) : fmtCount(value);

function more(list, cnt, what) {
	if (cnt > DETAIL_MAX)
		list.append(el("li", {class: "dim"}, "and " + fmtCount(cnt - DETAIL_MAX) + " more " + what));
	return list;
}

function moduleButton(load, select) {
	return el("button", {class: "link name", type: "button", onclick: () => select(load)},
		load.module || "?");
}

function chainOf(index, load, select) {
	const list = el("ol"), chain = [];
	for (let at = load; at; at = isKnown(at.parent) ? index.byId.get(at.parent) : null)
		chain.push(at);
	for (const at of chain.reverse().slice(-40)) {
		const place = fmtPlace(at.importer, index.process.cwd);
		list.append(el("li", {}, isProgram(at) ? el("span", {class: "name"}, at.module || "?") :
			moduleButton(at, select), place ? ", asked for at " + place : "",
		at.via && !["statement", "main"].includes(at.via) ? " (" + (VIAS[at.via] || at.via) + ")" : ""));
	}
	return list;
}

function importersOf(index, load) {
	const edges = index.edgesTo.get(load.module) || [], list = el("ul");
	for (const edge of edges.slice(0, DETAIL_MAX)) {
		list.append(el("li", {}, el("span", {class: "name"},
			fmtPlace(edge.importer, index.process.cwd) || "?"),
		edge.import === load.id ? ": loaded it" : "",
		edge.cached ? ", found it loaded " + plural(edge.cached, "time") : "",
		edge.circular ? ", closes a cycle" : ""));
	}
	return edges.length ? [el("h4", {}, "Statements that ask for it"),
		more(list, edges.length, "statements")] : [];
}

function broughtBy(index, load, select) {
	const children = index.childrenOf(load).slice()
		.sort((a, b) => (b.wall_ns || 0) - (a.wall_ns || 0));
	const list = el("ul");
	for (const child of children.slice(0, DETAIL_MAX))
		list.append(el("li", {}, moduleButton(child, select), " " + fmtNs(child.wall_ns)));
	return children.length ? [el("h4", {}, "What it imports, slowest first"),
		more(list, children.length, "modules")] : [];
}

function fillDetail(index, load, select) {
	if (!load)
		return fill($("detail"));
	const {process} = index;
	const costs = Object.values(MEASURES).filter(m => isKnown(m.self(load)) || isKnown(m.total(load)))
		.map(m => [m.title, m.fmt(m.total(load)) + ", itself " + m.fmt(m.self(load))]);
	const libs = (process.libs || []).filter(lib => lib.import === load.id)
		.map(lib => shortPath(lib.path || "?", process.cwd) + " " + fmtNs(lib.wall_ns)).join(", ");
	fill($("detail"),
		el("h3", {class: "name"}, load.module || "?"),
		pairs([
			["result", load.result + (load.error ? ", " + load.error : "")],
			["kind", load.kind],
			["file", load.file],
			...costs,
			["start", "+" + fmtNs(load.start_ns - baseNs(process)) + ", thread " + load.tid],
			["waited for", listOf(load.self_wait_ns || load.wait_ns, fmtNs) ||
				(load.lock_wait_ns ? "other threads' imports " + fmtNs(load.lock_wait_ns) : "")],
			["stages", listOf(Object.fromEntries(Object.entries(load.stages_ns || {})
				.map(([key, value]) => [key + "_ns", value])), fmtCount)],
			["files", listOf(load.self_io || load.io, fmtIo)],
			["libraries", libs],
			["exact", load.exact === false ? "no: its place or one of its ends was not observed" :
				null],
		]),
		el("h4", {}, "Why it was loaded"), chainOf(index, load, select),
		...importersOf(index, load), ...broughtBy(index, load, select));
}
