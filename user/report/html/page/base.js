// SPDX-License-Identifier: BSD-2-Clause
// Elements, text and figures. Text of the target only ever becomes a text node or pixels, and what
// would act on a reader's eye (controls, direction marks, invisible characters) is spelled out.

const $ = id => document.getElementById(id);

const HARMFUL = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

function clean(text) {
	return String(text).replace(HARMFUL, c => "\\u{" + c.codePointAt(0).toString(16) + "}");
}

// el("a", {class: "b", onclick: f}, child, …): strings become text.
function el(tag, props, ...children) {
	const node = document.createElement(tag);
	for (const [key, value] of Object.entries(props || {})) {
		if (value === null || value === undefined || value === false)
			continue;
		if (key.startsWith("on"))
			node.addEventListener(key.slice(2), value);
		else
			node.setAttribute(key, value === true ? "" : value);
	}
	for (const child of children.flat())
		if (child !== null && child !== undefined)
			node.append(child instanceof Node ? child : clean(child));
	return node;
}

function fill(node, ...children) {
	node.replaceChildren(...children.flat().filter(c => c !== null && c !== undefined)
		.map(c => c instanceof Node ? c : document.createTextNode(clean(c))));
}

const isKnown = value => value !== null && value !== undefined;

// As the text reports, digit for digit: "1.23 s", "412 ms", "12.3 ms", "0.04 ms".
function fmtNs(ns) {
	if (!isKnown(ns))
		return "–";
	const us = 1e3, ms = 1e6, s = 1e9;
	const round = unit => Math.floor((ns + unit / 2) / unit);
	if (ns >= 99.95 * s)
		return fmtCount(round(s)) + " s";
	if (ns >= 9.995 * s)
		return (round(s / 10) / 10).toFixed(1) + " s";
	if (ns >= 0.9995 * s)
		return (round(s / 100) / 100).toFixed(2) + " s";
	if (ns >= 99.95 * ms)
		return round(ms) + " ms";
	if (ns >= 95 * us)
		return (round(100 * us) / 10).toFixed(1) + " ms";
	if (ns >= 5 * us)
		return (round(10 * us) / 100).toFixed(2) + " ms";
	return ns ? "<0.01 ms" : "0 ms";
}

function fmtBytes(bytes) {
	if (!isKnown(bytes))
		return "–";
	const sign = bytes < 0 ? "−" : "";
	let size = Math.abs(bytes), unit = 0;
	while (size >= 999.5 && unit < 4) {
		size /= 1000;
		unit++;
	}
	return sign + (unit && size < 100 ? size.toFixed(1) : size.toFixed(0)) + " " +
		["B", "kB", "MB", "GB", "TB"][unit];
}

const fmtCount = count => isKnown(count) ? count.toLocaleString("en-US") : "–";
const plural = (count, one, many) => fmtCount(count) + " " + (count === 1 ? one : many || one + "s");

// The part of a path that tells one file from another, as the text reports shorten it.
function shortPath(path, cwd) {
	for (const dir of ["/site-packages/", "/dist-packages/"]) {
		const at = path.lastIndexOf(dir);
		if (at >= 0 && path.length > at + dir.length)
			return path.slice(at + dir.length);
	}
	const lib = path.match(/\/lib\/python[0-9.t]+\/(.+)$/);
	if (lib)
		return lib[1];
	return cwd && cwd.length > 1 && path.startsWith(cwd + "/") ? path.slice(cwd.length + 1) : path;
}

function fmtPlace(site, cwd) {
	if (!site || !(site.file || site.module))
		return "";
	return (site.file ? shortPath(site.file, cwd) : site.module) + (site.line ? ":" + site.line : "");
}

// A colour of the theme, for canvases.
function themeColor(name) {
	return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

function hashText(text) {
	let hash = 2166136261;
	for (let i = 0; i < text.length; i++)
		hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
	return hash >>> 0;
}

// A canvas of @height CSS pixels, sharp on any screen: its 2D context, cleared.
function prepareCanvas(canvas, height) {
	const ratio = Math.max(1, Math.min(3, window.devicePixelRatio || 1));
	const width = Math.max(200, canvas.parentElement.clientWidth);
	canvas.style.height = height + "px";
	canvas.width = Math.round(width * ratio);
	canvas.height = Math.round(height * ratio);
	const context = canvas.getContext("2d");
	context.setTransform(ratio, 0, 0, ratio, 0, 0);
	context.clearRect(0, 0, width, height);
	context.font = "12px system-ui, sans-serif";
	context.textBaseline = "middle";
	return {context, width};
}

// The head of @text that fits @width pixels; a guess first, as measuring each is slow.
function fitText(context, text, width) {
	if (text.length * 9 <= width)
		return text;
	let shown = text.slice(0, Math.ceil(width / 3));
	if (shown === text && context.measureText(text).width <= width)
		return text;
	while (shown && context.measureText(shown + "…").width > width)
		shown = shown.slice(0, Math.min(shown.length - 1, Math.floor(shown.length * 0.9)));
	return shown ? shown + "…" : "";
}

const tip = {
	show(event, text) {
		const node = $("tip");
		node.textContent = text;
		node.hidden = false;
		const left = Math.min(event.clientX + 14, window.innerWidth - node.offsetWidth - 8);
		const below = event.clientY + 18;
		node.style.left = Math.max(8, left) + "px";
		node.style.top = (below + node.offsetHeight > window.innerHeight ?
			event.clientY - node.offsetHeight - 8 : below) + "px";
	},
	hide() {
		$("tip").hidden = true;
	},
};
