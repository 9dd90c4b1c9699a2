// SPDX-License-Identifier: BSD-2-Clause
// Before and after: two icicles of one scale, in which what went and what came stands out, and
// lists of both. Only on pages that `diff` makes.

const COMPARED_MAX = 40;

const compared = $("diff") ? {
	diff: await unpack($("diff")),
	indexes: indexesOf(await unpack($("before"))),
} : null;

const isSame = (process, side) => process.pid === side.pid && process.serial === side.serial;

// The pair that @index is the later half of, with the index of its earlier half.
function pairOf(index) {
	const pair = compared && compared.diff.pairs.find(p => isSame(index.process, p.after));
	const before = pair && compared.indexes.find(i => isSame(i.process, pair.before));
	return before ? {...pair, beforeIndex: before} : null;
}

function fmtChange(before, after, fmt) {
	if (!isKnown(before) || !isKnown(after))
		return "–";
	if (before === after)
		return "same";
	const sign = after > before ? "+" : "−";
	const share = before ? ` (${sign}${Math.round(100 * Math.abs(after - before) / before)}%)` : "";
	return sign + fmt(Math.abs(after - before)) + share;
}

function totalsOf(pair) {
	const rows = [["start-up", "startup_ns", fmtNs], ["interpreter", "interpreter_ns", fmtNs],
		["imports", "imports_ns", fmtNs], ["modules loaded", "loaded", fmtCount],
		["CPU", "cpu_ns", fmtNs], ["memory", "rss_delta", fmtBytes]]
		.filter(([, key]) => isKnown(pair.before[key]) || isKnown(pair.after[key]));
	return el("table", {}, el("thead", {}, el("tr", {}, ["", "before", "after", "change"]
		.map((title, i) => el("th", {scope: "col", class: i ? "number" : null}, title)))),
	el("tbody", {}, rows.map(([title, key, fmt]) => el("tr", {"data-total": key}, el("td", {}, title),
		[fmt(pair.before[key]), fmt(pair.after[key]),
			fmtChange(pair.before[key], pair.after[key], fmt)]
			.map(text => el("td", {class: "number"}, text))))));
}

// What @pair says of modules: those with @change, by name.
function changed(index, pair, change) {
	const names = new Set(pair.modules.filter(m => m.change === change).map(m => m.module));
	return new Set(index.loads.filter(l => names.has(l.module)).map(l => l.id));
}

function treeItem(tree, index, select) {
	const load = isKnown(tree.import) ? index.byId.get(tree.import) : null;
	const place = fmtPlace(tree.importer, index.process.cwd);
	return el("li", {}, fmtNs(tree.wall_ns), " ", load ? moduleButton(load, select) :
		el("span", {class: "name"}, tree.module || "?"),
	tree.modules > 1 ? " with " + plural(tree.modules - 1, "module") : "",
	place ? [" at ", el("span", {class: "name"}, place)] : null,
	tree.statement_on_one_side_only ? ", by a statement of its own" : "");
}

function moduleItem(module) {
	return el("li", {}, el("span", {class: "name"}, module.module || "?"), " itself ",
		fmtNs(module.before_self_ns), " → ", fmtNs(module.after_self_ns));
}

class Compare {
	constructor() {
		const canvases = ["icicle-before", "icicle-after"];
		[this.before, this.after] = canvases.map(id => new Icicle($(id), {
			select: load => this.say(load), zoom: () => {},
		}));
	}

	say(load) {
		if (load && this.after.index.byId.get(load.id) === load)
			choose(load, "compare");
	}

	show(index) {
		const pair = this.pair = pairOf(index);
		$("compare").hidden = !pair;
		if (!pair)
			return;
		const gone = changed(pair.beforeIndex, pair, "gone"), came = changed(index, pair, "new");
		this.before.matches = gone.size ? gone : null;
		this.after.matches = came.size ? came : null;
		this.before.show(pair.beforeIndex, "time");
		this.after.show(index, "time");
		const most = Math.max(this.before.total, this.after.total) || 1;
		this.before.share = this.before.total / most;
		this.after.share = this.after.total / most;
		$("before-title").textContent = `Before: ${fmtNs(pair.before.imports_ns)} of imports` +
			(gone.size ? `; ${plural(gone.size, "module")} went` : "");
		$("after-title").textContent = `After: ${fmtNs(pair.after.imports_ns)} of imports` +
			(came.size ? `; ${plural(came.size, "module")} came` : "");
		fill($("compare-totals"), totalsOf(pair));
		this.fillLists(pair, index);
		this.draw();
	}

	fillLists(pair, index) {
		const toAfter = load => choose(load, "link"), toBefore = load => this.before.goTo(load);
		const by = change => pair.modules.filter(m => m.change === change).slice(0, COMPARED_MAX);
		fill($("compare-lists"),
			...listed("Added, by the import that brought them in", pair.new, t => treeItem(t, index, toAfter)),
			...listed("Removed, by the import that had brought them in", pair.gone,
				t => treeItem(t, pair.beforeIndex, toBefore)),
			...listed("Slower in themselves", by("slower"), moduleItem),
			...listed("Faster in themselves", by("faster"), moduleItem));
		if (!$("compare-lists").childElementCount)
			fill($("compare-lists"), el("p", {class: "dim"}, "The same modules came by the same ways."));
	}

	draw() {
		if (!this.pair)
			return;
		this.before.draw();
		this.after.draw();
	}
}
