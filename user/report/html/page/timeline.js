// SPDX-License-Identifier: BSD-2-Clause
// The timeline: a row per process with its phases and the moment it was ready, a row per thread of
// the chosen one with its imports. The table below says the same in words.

const LANE = 20, LABEL = 220, PROCESSES_MAX = 200, LEVELS = 3;

class Timeline {
	constructor(canvas, events) {
		this.canvas = canvas;
		this.events = events; // choose(index), select(load)
		this.range = "startup";
		this.boxes = [];
		canvas.addEventListener("mousemove", event => this.hover(event));
		canvas.addEventListener("mouseleave", () => tip.hide());
		canvas.addEventListener("click", event => this.click(event));
	}

	show(index) {
		this.index = index;
		this.draw();
	}

	endOf(process) {
		return isKnown(process.end_ns) ? process.end_ns :
			doc.trace && isKnown(doc.trace.end_ns) ? doc.trace.end_ns : this.lastNs(process);
	}

	// The end of start-up, or when it was ready; without either, of the last import.
	lastNs(process) {
		const moments = [phaseOf(process, "startup"), phaseOf(process, "listen"),
			phaseOf(process, "ready")].filter(Boolean).map(phase => phase.end_ns);
		if (moments.length)
			return Math.max(...moments);
		return process.imports.reduce((last, load) => isProgram(load) || !isKnown(load.wall_ns) ?
			last : Math.max(last, load.start_ns + load.wall_ns), baseNs(process));
	}

	span() {
		let from = Infinity, to = 0;
		for (const {process} of indexes) {
			from = Math.min(from, process.attached_late ? baseNs(process) : process.start_ns);
			to = Math.max(to, this.range === "startup" ? this.lastNs(process) :
				this.endOf(process));
		}
		if (!(to > from))
			to = from + 1e6;
		return {from, to: to + (to - from) * 0.02};
	}

	lanes() {
		const lanes = [];
		for (const index of indexes.slice(0, PROCESSES_MAX)) {
			lanes.push({index, kind: "process"});
			if (index !== this.index)
				continue;
			const threads = new Map();
			for (const load of index.roots) {
				if (!threads.has(load.tid))
					threads.set(load.tid, []);
				threads.get(load.tid).push(load);
			}
			for (const [tid, loads] of threads)
				lanes.push(...this.threadLanes(index, tid, loads));
		}
		return lanes;
	}

	// What a thread loaded, and what that loaded: the first levels only, the icicle has all.
	threadLanes(index, tid, loads) {
		const lanes = [];
		for (let depth = 0; depth < LEVELS && loads.length; depth++) {
			lanes.push({index, kind: "thread", tid, loads, depth});
			loads = loads.flatMap(load => index.childrenOf(load).filter(l => l.tid === tid));
		}
		return lanes;
	}

	draw() {
		const lanes = this.lanes(), {from, to} = this.span();
		const {context, width} = prepareCanvas(this.canvas, (lanes.length + 1) * LANE + 4);
		const label = Math.min(LABEL, width * 0.3);
		const x = ns => label + (Math.min(Math.max(ns, from), to) - from) / (to - from) *
			(width - label - 12);
		this.boxes = [];
		this.drawAxis(context, x, from, to, lanes.length * LANE);
		lanes.forEach((lane, i) => {
			context.fillStyle = themeColor(lane.kind === "process" ? "text" : "dim");
			const name = lane.kind === "process" ? lane.index.label :
				lane.depth ? "" : lane.tid === mainTid(lane.index.process) ? "main thread" : "thread " + lane.tid;
			const indent = lane.kind === "process" ? 4 : 18;
			context.fillText(fitText(context, clean(name), label - indent - 8), indent,
				i * LANE + LANE / 2);
			if (lane.kind === "process")
				this.drawProcess(context, lane.index, x, i * LANE);
			else
				this.drawThread(context, lane, x, i * LANE);
		});
		this.canvas.dataset.lanes = lanes.length;
	}

	drawAxis(context, x, from, to, bottom) {
		const most = Math.max(2, Math.min(8, Math.floor((x(to) - x(from)) / 80)));
		const step = [1, 2, 5, 10].map(n => n * 10 ** Math.floor(Math.log10((to - from) / most)))
			.find(n => (to - from) / n <= most) || (to - from) / most;
		context.strokeStyle = themeColor("line");
		context.fillStyle = themeColor("dim");
		context.lineWidth = 1;
		for (let ns = 0; ns <= to - from; ns += step) {
			const at = Math.round(x(from + ns)) + 0.5;
			context.beginPath();
			context.moveTo(at, 0);
			context.lineTo(at, bottom);
			context.stroke();
			const label = "+" + fmtNs(ns);
			context.fillText(label, Math.min(at + 2, this.canvas.clientWidth -
				context.measureText(label).width - 4), bottom + LANE / 2);
		}
	}

	box(context, color, left, right, top, height, what) {
		context.fillStyle = color;
		context.fillRect(left, top, Math.max(1, right - left), height);
		this.boxes.push({left, right: Math.max(left + 1, right), top, bottom: top + height, ...what});
	}

	drawProcess(context, index, x, top) {
		const {process} = index, start = process.attached_late ? baseNs(process) : process.start_ns;
		const since = ns => "+" + fmtNs(ns - start);
		this.box(context, themeColor("bar"), x(start), x(this.endOf(process)), top + 3, LANE - 7,
			{index, text: clean(index.command) + nameOf(process) + "\nran for " +
				fmtNs(this.endOf(process) - start)});
		const phases = (process.phases || []).filter(p => p.end_ns > p.start_ns);
		phases.forEach((phase, i) => {
			const hue = hashText(phase.name) % 360;
			this.box(context, `hsl(${hue} 60% 50%)`, x(phase.start_ns), x(phase.end_ns),
				top + 4 + (i % 3) * 4, 4,
				{index, text: "phase " + clean(phase.name) + ": " + since(phase.start_ns) +
					" to " + since(phase.end_ns) + ", " +
					fmtNs(phase.end_ns - phase.start_ns)});
		});
		for (const moment of (process.phases || []).filter(p => p.end_ns === p.start_ns))
			this.box(context, themeColor("text"), x(moment.start_ns), x(moment.start_ns) + 1,
				top + 2, LANE - 5,
				{index, text: clean(moment.name) + " " + since(moment.start_ns)});
		const ready = readyNs(process);
		if (ready !== null) {
			this.box(context, themeColor("bad"), x(ready) - 1, x(ready) + 1, top, LANE - 1,
				{index, text: "ready " + since(ready) +
					(process.ready_by ? ", by " + clean(process.ready_by) : "")});
			context.fillText("ready", Math.min(x(ready) + 4, x(Infinity) - 34), top + LANE / 2);
		}
	}

	drawThread(context, lane, x, top) {
		const {process} = lane.index;
		const saturation = themeColor("hue-s"), light = themeColor("hue-l");
		context.textBaseline = "middle";
		for (const load of lane.loads) {
			const end = isKnown(load.wall_ns) ? load.start_ns + load.wall_ns : this.endOf(process);
			const name = load.module || "?", hue = hashText(name.split(".")[0]) % 360;
			const left = x(Math.max(load.start_ns, process.start_ns)), right = x(end);
			this.box(context, `hsl(${hue} ${saturation} ${light})`, left, right, top + 2, LANE - 4,
				{load, text: clean(name) + "\n" + fmtNs(load.wall_ns) + " from +" +
					fmtNs(load.start_ns - baseNs(process))});
			if (right - left > 40) {
				context.fillStyle = themeColor("hue-text");
				context.fillText(fitText(context, clean(name), right - left - 6), left + 3,
					top + LANE / 2);
			}
		}
		for (const wait of lane.depth ? [] : process.waits || []) {
			if (wait.tid === lane.tid && isKnown(wait.wall_ns))
				this.box(context, themeColor("lock"), x(wait.start_ns),
					x(wait.start_ns + wait.wall_ns), top + LANE - 5, 4,
					{text: "waited " + fmtNs(wait.wall_ns) + " for another thread to import " +
						clean(wait.module || "?")});
		}
	}

	at(event) {
		const frame = this.canvas.getBoundingClientRect();
		const x = event.clientX - frame.left, y = event.clientY - frame.top;
		for (let i = this.boxes.length - 1; i >= 0; i--) {
			const box = this.boxes[i];
			if (x >= box.left && x < box.right + 1 && y >= box.top && y < box.bottom)
				return box;
		}
		return null;
	}

	hover(event) {
		const box = this.at(event);
		return box ? tip.show(event, box.text) : tip.hide();
	}

	click(event) {
		const box = this.at(event);
		if (box && box.load)
			this.events.select(box.load);
		else if (box && box.index)
			this.events.choose(box.index);
	}
}

// The table below the timeline: each process a button.
function fillProcesses(chosen, choose) {
	const first = Math.min(...indexes.map(index => index.process.start_ns));
	const rows = indexes.slice(0, PROCESSES_MAX).map(index => {
		const {process} = index, facts = factsOf(index), ready = readyNs(process);
		const end = process.exit;
		return el("tr", {"aria-current": index === chosen ? "true" : null},
			el("td", {}, el("button", {class: "link", type: "button",
				onclick: () => choose(index)}, index.label + nameOf(process))),
			el("td", {class: "number"}, process.attached_late ? "before tracing" :
				"+" + fmtNs(process.start_ns - first)),
			el("td", {class: "number"}, fmtNs(facts.startupNs)),
			el("td", {class: "number"}, ready === null ? "–" : fmtNs(ready - baseNs(process))),
			el("td", {class: "number"}, isKnown(process.end_ns) && !process.attached_late ?
				fmtNs(process.end_ns - process.start_ns) : "–"),
			el("td", {class: "number"}, fmtCount(process.counts.loaded)),
			el("td", {class: "number"}, fmtCount(process.counts.failed)),
			el("td", {}, !end ? (process.from_log ? "–" : "still running") : isKnown(end.signal) ? "signal " + end.signal :
				"status " + end.code));
	});
	if (indexes.length > PROCESSES_MAX)
		rows.push(el("tr", {}, el("td", {colspan: "8", class: "dim"},
			"and " + fmtCount(indexes.length - PROCESSES_MAX) + " more: choose them at the top")));
	$("processes").tBodies[0].replaceChildren(...rows);
}
