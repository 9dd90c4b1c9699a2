// SPDX-License-Identifier: BSD-2-Clause
// The icicle: a bar per import as wide as what it cost, below the import that asked for it. Drawn
// on a canvas, and only what is wider than half a pixel: 100,000 modules cost what 1,000 do.

const ROW = 21, ROWS_MAX = 400;

class Icicle {
	constructor(canvas, events) {
		this.canvas = canvas;
		this.events = events; // select(load), zoom(load)
		this.zoomed = this.selected = this.index = null;
		this.matches = null;  // Set of ids, or null: no search
		this.rows = [];
		canvas.addEventListener("mousemove", event => this.hover(event));
		canvas.addEventListener("mouseleave", () => tip.hide());
		canvas.addEventListener("click", event => this.click(event));
		canvas.addEventListener("keydown", event => this.key(event));
	}

	show(index, measure) {
		if (index !== this.index)
			this.zoomed = this.selected = null;
		this.index = index;
		this.measure = measure;
		this.layout();
		this.draw();
	}

	// Width of a subtree: what its loads themselves cost. Children stand behind their parents in
	// the list, so that one pass from its end suffices. What shrank has no width.
	layout() {
		const {self} = MEASURES[this.measure];
		this.widths = new Map();
		for (let i = this.index.loads.length - 1; i >= 0; i--) {
			const load = this.index.loads[i];
			let width = load.inherited ? 0 : Math.max(0, self(load) || 0);
			for (const child of this.index.childrenOf(load))
				width += this.widths.get(child.id) || 0;
			this.widths.set(load.id, width);
		}
		this.total = this.index.roots.reduce((sum, r) => sum + this.widths.get(r.id), 0);
	}

	widthOf(load) {
		return load ? this.widths.get(load.id) : this.total;
	}

	childrenOf(load) {
		return load ? this.index.childrenOf(load) : this.index.roots;
	}

	parentOf(load) {
		let parent = load && isKnown(load.parent) ? this.index.byId.get(load.parent) : null;
		while (parent && isProgram(parent))
			parent = isKnown(parent.parent) ? this.index.byId.get(parent.parent) : null;
		return parent || null;
	}

	// From the root (null) to @load.
	pathTo(load) {
		const path = [];
		for (; load; load = this.parentOf(load))
			path.push(load);
		return [null, ...path.reverse()];
	}

	// What is drawn: rows of {load, x, width}, from left to right.
	place(width) {
		const rows = this.pathTo(this.zoomed).map(load => [{load, x: 0, width}]);
		let row = rows[rows.length - 1];
		while (row.length && rows.length < ROWS_MAX) {
			const below = [];
			for (const box of row) {
				const whole = this.widthOf(box.load);
				let x = box.x;
				for (const child of whole ? this.childrenOf(box.load) : []) {
					const childWidth = box.width * this.widthOf(child) / whole;
					if (childWidth >= 0.5)
						below.push({load: child, x, width: childWidth});
					x += childWidth;
				}
			}
			if (below.length)
				rows.push(below);
			row = below;
		}
		return rows;
	}

	draw() {
		const wide = Math.max(200, this.canvas.parentElement.clientWidth) *
			(this.zoomed ? 1 : this.share || 1);
		this.rows = this.place(wide);
		const {context} = prepareCanvas(this.canvas, this.rows.length * ROW + 1);
		const look = {
			back: themeColor("back"), text: themeColor("hue-text"), bad: themeColor("bad"),
			panel: themeColor("bar"), saturation: themeColor("hue-s"), light: themeColor("hue-l"),
			focus: themeColor("focus"), own: themeColor("own"), stdlib: themeColor("stdlib"),
			ownText: themeColor("own-text"), hues: new Map(),
		};
		this.rows.forEach((row, i) => {
			for (const box of row)
				this.drawBox(context, look, box, i * ROW);
		});
		this.canvas.dataset.boxes = this.rows.reduce((sum, row) => sum + row.length, 0);
	}

	// Own code stands out, the standard library stands back, each package has a colour.
	colorOf(look, load) {
		if (!load)
			return look.panel;
		const owner = ownerOf(load);
		if (owner !== "package")
			return owner === "own" ? look.own : look.stdlib;
		const top = (load.module || "?").split(".")[0];
		if (!look.hues.has(top))
			look.hues.set(top, `hsl(${hashText(top) % 360} ${look.saturation} ${look.light})`);
		return look.hues.get(top);
	}

	drawBox(context, look, box, y) {
		const {load, x, width} = box;
		const isDim = this.matches && !(load && this.matches.has(load.id));
		context.globalAlpha = isDim ? 0.28 : 1;
		context.fillStyle = this.colorOf(look, load);
		context.fillRect(x, y, Math.max(0.5, width - (width > 3 ? 1 : 0)), ROW - 1);
		if (load && load.result !== "loaded") {
			context.fillStyle = look.bad;
			context.fillRect(x, y + ROW - 4, Math.max(0.5, width - 1), 3);
		}
		this.drawSelf(context, look, box, y);
		if (width > 26) {
			context.fillStyle = load && ownerOf(load) === "own" ? look.ownText : look.text;
			context.fillText(this.fitLabel(context, load, width - 8), x + 4, y + ROW / 2);
		}
		context.globalAlpha = 1;
		if (load === this.selected && (load || document.activeElement === this.canvas)) {
			context.strokeStyle = look.focus;
			context.lineWidth = 2;
			context.strokeRect(x + 1, y + 1, Math.max(1, width - 3), ROW - 3);
		}
	}

	// A line below as wide as what it cost in itself: what is below the rest is told there.
	drawSelf(context, look, {load, x, width}, y) {
		const whole = this.widthOf(load), own = load ? MEASURES[this.measure].self(load) : 0;
		if (!whole || !(own > 0) || width < 4)
			return;
		context.fillStyle = look.focus;
		context.fillRect(x, y + ROW - 3, Math.max(0.5, (width - 1) * Math.min(1, own / whole)), 2);
	}

	costOf(load) {
		const {fmt, total} = MEASURES[this.measure];
		if (!load)
			return fmt(sumOf(this.index, this.measure));
		return fmt(total(load));
	}

	// What its parent's name says already is left out: ".frame" below "pandas.core".
	nameOf(load) {
		const name = load.module || "?", parent = this.parentOf(load);
		const above = ((parent && parent.module) || "").split("."), parts = name.split(".");
		let same = 0;
		while (same < parts.length - 1 && parts[same] === above[same])
			same++;
		return (same ? "." : "") + parts.slice(same).join(".");
	}

	labelOf(load) {
		return clean((load ? this.nameOf(load) : "all imports") + "  " + this.costOf(load));
	}

	// Name and cost, or the name alone, or its head if that still says something.
	fitLabel(context, load, width) {
		const whole = this.labelOf(load);
		if (!load || fitText(context, whole, width) === whole)
			return fitText(context, whole, width);
		const name = fitText(context, clean(this.nameOf(load)), width);
		return name.length > 3 || !name.endsWith("…") ? name : "";
	}

	describe(load) {
		const {title, fmt, self} = MEASURES[this.measure];
		if (!load)
			return "All imports: " + title + " " + this.costOf(null);
		const place = fmtPlace(load.importer, this.index.process.cwd);
		return clean(load.module || "?") + (load.result === "loaded" ? "" :
			" (" + clean(load.error || load.result) + ")") +
			"\n" + title + ": " + this.costOf(load) + ", itself " + fmt(self(load)) +
			(place ? "\nimported at " + clean(place) : "");
	}

	// The box at a mouse event. A load, null for the root, undefined for nothing.
	at(event) {
		const frame = this.canvas.getBoundingClientRect();
		const row = this.rows[Math.floor((event.clientY - frame.top) / ROW)];
		const x = event.clientX - frame.left;
		const box = row && row.find(b => x >= b.x && x < b.x + Math.max(1, b.width));
		return box ? box.load : undefined;
	}

	hover(event) {
		const load = this.at(event);
		if (load === undefined)
			return tip.hide();
		tip.show(event, this.describe(load));
	}

	click(event) {
		const load = this.at(event);
		if (load === undefined)
			return;
		this.select(load);
		this.zoom(load);
	}

	zoom(load) {
		this.zoomed = load;
		this.events.zoom(load);
		this.draw();
		this.reveal();
	}

	select(load) {
		this.selected = load;
		this.events.select(load);
		this.draw();
	}

	// From elsewhere on the page: shown in its surroundings.
	goTo(load) {
		this.selected = load;
		if (load && !this.pathTo(load).includes(this.zoomed) ||
		    load && this.widthOf(load) < this.widthOf(this.zoomed) / 50)
			this.zoomed = this.childrenOf(load).length ? load : this.parentOf(load);
		this.events.zoom(this.zoomed);
		this.draw();
		this.reveal();
	}

	// Scrolls to the selected row.
	reveal() {
		const box = this.canvas.parentElement;
		const row = this.pathTo(this.selected).length - 1;
		if (row * ROW < box.scrollTop || (row + 1) * ROW > box.scrollTop + box.clientHeight)
			box.scrollTop = Math.max(0, row * ROW - box.clientHeight / 2);
	}

	siblings(load) {
		return this.childrenOf(this.parentOf(load)).filter(l => this.widthOf(l) > 0 || l === load);
	}

	move(key) {
		const load = this.selected;
		if (key === "ArrowUp")
			return this.parentOf(load);
		if (key === "ArrowDown") // into the dearest
			return this.childrenOf(load).reduce((best, child) =>
				!best || this.widthOf(child) > this.widthOf(best) ? child : best, null) || load;
		if (!load || load === this.zoomed)
			return load;
		const siblings = this.siblings(load), at = siblings.indexOf(load);
		return siblings[at + (key === "ArrowLeft" ? -1 : 1)] || load;
	}

	key(event) {
		if (event.ctrlKey || event.metaKey || event.altKey)
			return;
		if (event.key.startsWith("Arrow")) {
			const to = this.move(event.key);
			// Out of what is zoomed into: the zoom follows.
			if (event.key === "ArrowUp" && this.selected === this.zoomed && this.zoomed) {
				this.zoomed = to;
				this.events.zoom(to);
			}
			this.select(to);
			this.reveal();
		} else if (event.key === "Enter" || event.key === " ") {
			this.zoom(this.selected);
		} else if (event.key === "Backspace" || event.key === "Escape") {
			this.zoom(this.parentOf(this.zoomed));
			this.select(this.zoomed);
		} else if (event.key === "Home") {
			this.zoom(null);
			this.select(null);
		} else {
			return;
		}
		event.preventDefault();
	}
}
