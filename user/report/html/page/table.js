// SPDX-License-Identifier: BSD-2-Clause
// The table of modules: sorted, searched, and only the rows in sight are elements.

const ROW_HEIGHT = 24, SPARE = 12, PRINTED = 200;

class ModuleTable {
	constructor(box, events) {
		this.box = box;
		this.events = events; // select(load)
		this.sort = {key: "self_time", down: true};
		this.loads = this.shown = [];
		this.active = null;
		this.frame = 0;
		this.isPrinting = false;
		box.addEventListener("scroll", () => this.later());
		box.addEventListener("keydown", event => this.key(event));
	}

	columns() {
		const cwd = this.index.process.cwd, wide = this.isPrinting || this.box.clientWidth >= 700;
		const roomy = this.box.clientWidth >= 1600, columns = [
			{key: "module", title: "module", width: wide ? "23%" : "31%", name: true,
				get: l => l.module || "", text: l => (l.exact === false ? "~" : "") +
				(l.module || "?") + (l.inherited ? " (began before fork)" : "")},
		];
		for (const [name, measure] of Object.entries(MEASURES)) {
			// Paper is narrow, and so are telephones.
			if (name !== "time" && (this.isPrinting || !wide || !hasMeasure(this.index, name)))
				continue;
			columns.push({key: "self_" + name, number: true, get: measure.self,
				width: wide ? "78px" : "66px", fmt: measure.fmt,
				title: name === "time" ? "self" : measure.short || measure.title,
				text: l => measure.fmt(measure.self(l))});
			// Who imported it is worth more than what else it cost in all.
			if (name !== "time" && !roomy)
				continue;
			columns.push({key: "total_" + name, number: true, get: measure.total,
				width: name !== "time" ? "118px" : wide ? "78px" : "66px",
				title: name === "time" ? "total" : "total " + measure.title, fmt: measure.fmt,
				text: l => measure.fmt(measure.total(l))});
		}
		if (wide)
			columns.push(
			{key: "start", title: "start", number: true, width: "82px", get: l => l.start_ns,
				text: l => l.inherited ? "before fork" :
				"+" + fmtNs(l.start_ns - baseNs(this.index.process))},
			{key: "kind", title: "kind", width: "92px",
				get: l => l.result === "loaded" ? l.kind : l.error || l.result,
				text: l => l.result === "loaded" ? l.kind : l.error || l.result});
		columns.push({key: "importer", title: "imported by", name: true,
				get: l => fmtPlace(l.importer, cwd),
				text: l => fmtPlace(l.importer, cwd) +
				(l.via && l.via !== "statement" ? " (" + (VIAS[l.via] || l.via) + ")" : "")});
		return columns;
	}

	show(index) {
		this.index = index;
		this.loads = index.loads;
		this.cols = this.columns();
		if (!this.cols.some(col => col.key === this.sort.key))
			this.sort = {key: "self_time", down: true};
		this.texts = null;
		this.head();
		this.update(null);
	}

	head() {
		const cells = this.cols.map(col => {
			const isOn = col.key === this.sort.key;
			const cell = el("th", {scope: "col", class: col.number ? "number" : null,
				"aria-sort": isOn ? (this.sort.down ? "descending" : "ascending") : "none"},
				el("button", {type: "button", "data-key": col.key,
					onclick: () => this.sortBy(col)},
				col.title + (isOn ? (this.sort.down ? " ▾" : " ▴") : "")));
			if (col.width)
				cell.style.width = col.width;
			return cell;
		});
		$("rows").tHead.replaceChildren(el("tr", {}, cells));
	}

	// Other columns where there is more or less room.
	fit() {
		this.cols = this.columns();
		this.head();
		this.draw();
	}

	sortBy(col) {
		this.sort = {key: col.key, down: this.sort.key === col.key ? !this.sort.down :
			Boolean(col.number && col.key !== "start")};
		this.head();
		this.update(this.matches);
		$("rows").tHead.querySelector(`[data-key="${col.key}"]`).focus();
	}

	// Unknown figures stand last either way.
	order() {
		const col = this.cols.find(c => c.key === this.sort.key);
		const sign = this.sort.down ? -1 : 1;
		const keyed = this.shown.map(load => ({load, value: col.get(load)}));
		keyed.sort((a, b) => {
			if (isKnown(a.value) !== isKnown(b.value))
				return isKnown(a.value) ? -1 : 1;
			if (a.value === b.value || !isKnown(a.value))
				return a.load.seq - b.load.seq;
			return a.value < b.value ? -sign : sign;
		});
		this.shown = keyed.map(entry => entry.load);
	}

	// Ids that match the words of @query; null: no query.
	find(query) {
		const words = query.toLowerCase().split(/\s+/).filter(Boolean);
		if (!words.length)
			return null;
		if (!this.texts)
			this.texts = this.loads.map(searchText);
		const found = new Set();
		this.loads.forEach((load, i) => {
			if (words.every(word => this.texts[i].includes(word)))
				found.add(load.id);
		});
		return found;
	}

	update(matches) {
		this.matches = matches;
		this.shown = matches ? this.loads.filter(load => matches.has(load.id)) :
			this.loads.slice();
		this.order();
		this.box.scrollTop = 0;
		$("rows").setAttribute("aria-rowcount", this.shown.length + 1);
		this.draw();
	}

	later() {
		if (!this.frame)
			this.frame = requestAnimationFrame(() => {
				this.frame = 0;
				this.draw();
			});
	}

	row(load, at) {
		return el("tr", {"aria-rowindex": at + 2, "data-id": load.id,
			class: load === this.active ? "on" : null,
			"aria-selected": load === this.active ? "true" : null,
			onclick: () => this.choose(load)},
		this.cols.map(col => {
			const value = col.number ? col.get(load) : null, text = col.text(load);
			return el("td", {title: col.number ? null : clean(text),
				class: [col.number ? "number" : "", col.name ? "name" : "",
					col.key === "importer" ? "place" : "",
					col.key === "module" && ownerOf(load) === "own" ? "mine" : "",
					load.result === "loaded" ? "" : "failed"].join(" ").trim() || null,
				"data-value": isKnown(value) ? value : null},
			col.key === "importer" ? el("bdi", {dir: "ltr"}, text) : text);
		}));
	}

	draw() {
		const cnt = this.shown.length, body = $("rows").tBodies[0];
		let first = Math.max(0, Math.floor(this.box.scrollTop / ROW_HEIGHT) - SPARE);
		let last = Math.min(cnt, Math.ceil((this.box.scrollTop + this.box.clientHeight) /
			ROW_HEIGHT) + SPARE);
		if (this.isPrinting) {
			first = 0;
			last = Math.min(cnt, PRINTED);
		}
		const rows = [];
		for (let i = first; i < last; i++)
			rows.push(this.row(this.shown[i], i));
		const gap = height => {
			const row = el("tr", {class: "gap", "aria-hidden": "true"}, el("td"));
			row.firstChild.style.height = height + "px";
			return row;
		};
		if (!this.isPrinting) {
			rows.unshift(gap(first * ROW_HEIGHT));
			rows.push(gap((cnt - last) * ROW_HEIGHT));
		}
		body.replaceChildren(...rows);
		$("more").textContent = this.isPrinting && cnt > last ?
			`The first ${fmtCount(last)} of ${fmtCount(cnt)}; the file has all of them.` :
			plural(cnt, "import") + (this.matches ? " found" : "");
	}

	print(isPrinting) {
		this.isPrinting = isPrinting;
		this.fit();
	}

	choose(load) {
		this.active = load;
		this.events.select(load);
		this.draw();
	}

	// The row of @load into sight, without telling anyone.
	reveal(load) {
		this.active = load;
		const at = this.shown.indexOf(load);
		if (at >= 0) {
			const top = at * ROW_HEIGHT, view = this.box.clientHeight - 2 * ROW_HEIGHT;
			if (top < this.box.scrollTop || top > this.box.scrollTop + view)
				this.box.scrollTop = Math.max(0, top - view / 2);
		}
		this.draw();
	}

	key(event) {
		const page = Math.max(1, Math.floor(this.box.clientHeight / ROW_HEIGHT) - 2);
		const steps = {ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page,
			Home: -Infinity, End: Infinity};
		if (event.target !== this.box || event.ctrlKey || event.metaKey || event.altKey ||
		    !this.shown.length)
			return;
		if (event.key in steps) {
			const at = this.shown.indexOf(this.active);
			const to = at < 0 && steps[event.key] > 0 && steps[event.key] !== Infinity ? 0 :
				at + steps[event.key];
			this.reveal(this.shown[Math.max(0, Math.min(this.shown.length - 1, to))]);
		} else if ((event.key === "Enter" || event.key === " ") && this.active) {
			this.choose(this.active);
		} else {
			return;
		}
		event.preventDefault();
	}
}
