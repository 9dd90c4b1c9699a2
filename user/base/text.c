// SPDX-License-Identifier: BSD-2-Clause
/*
 * See text.h. Nothing here asks the C library about characters: its answers depend on a locale
 * that a root shell often lacks, and a report must not change with it.
 */
#include "base/text.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct range {
	uint32_t first, last;
};

/* East Asian Wide and Fullwidth, emoji included (UAX 11), merged to whole blocks. */
static const struct range wide[] = {
	{ 0x1100, 0x115e }, { 0x231a, 0x231b }, { 0x2329, 0x232a }, { 0x23e9, 0x23ec },
	{ 0x2614, 0x2615 }, { 0x2648, 0x2653 }, { 0x26a1, 0x26a1 }, { 0x26c4, 0x26c5 },
	{ 0x2705, 0x2705 }, { 0x270a, 0x270b }, { 0x2728, 0x2728 }, { 0x274c, 0x274c },
	{ 0x2753, 0x2755 }, { 0x2757, 0x2757 }, { 0x2795, 0x2797 }, { 0x2b1b, 0x2b1c },
	{ 0x2b50, 0x2b50 }, { 0x2b55, 0x2b55 }, { 0x2e80, 0x303e }, { 0x3041, 0x33ff },
	{ 0x3400, 0x4dbf }, { 0x4e00, 0xa4cf }, { 0xa960, 0xa97c }, { 0xac00, 0xd7a3 },
	{ 0xf900, 0xfaff }, { 0xfe10, 0xfe19 }, { 0xfe30, 0xfe6f }, { 0xff00, 0xff60 },
	{ 0xffe0, 0xffe6 }, { 0x16fe0, 0x18aff }, { 0x1b000, 0x1b2ff }, { 0x1f004, 0x1f004 },
	{ 0x1f0cf, 0x1f0cf }, { 0x1f18e, 0x1f19a }, { 0x1f200, 0x1f320 }, { 0x1f32d, 0x1f64f },
	{ 0x1f680, 0x1f6ff }, { 0x1f7e0, 0x1f7eb }, { 0x1f90c, 0x1faff }, { 0x20000, 0x3fffd },
};

/* Marks that take no column of their own: the common scripts' non-spacing ones. */
static const struct range combining[] = {
	{ 0x300, 0x36f }, { 0x483, 0x489 }, { 0x591, 0x5bd }, { 0x5bf, 0x5bf }, { 0x5c1, 0x5c2 },
	{ 0x5c4, 0x5c5 }, { 0x5c7, 0x5c7 }, { 0x610, 0x61a }, { 0x64b, 0x65f }, { 0x670, 0x670 },
	{ 0x6d6, 0x6dc }, { 0x6df, 0x6e4 }, { 0x6e7, 0x6e8 }, { 0x6ea, 0x6ed }, { 0x711, 0x711 },
	{ 0x730, 0x74a }, { 0x900, 0x902 }, { 0x93a, 0x93a }, { 0x93c, 0x93c }, { 0x941, 0x948 },
	{ 0x94d, 0x94d }, { 0x951, 0x957 }, { 0x981, 0x981 }, { 0x9bc, 0x9bc }, { 0x9c1, 0x9c4 },
	{ 0x9cd, 0x9cd }, { 0xe31, 0xe31 }, { 0xe34, 0xe3a }, { 0xe47, 0xe4e }, { 0x1160, 0x11ff },
	{ 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff }, { 0x302a, 0x302d },
	{ 0x3099, 0x309a }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
};

/*
 * Controls, invisible characters and those that reorder what stands around them: shown as they
 * are, they would let a module name pretend to be another or move the cursor.
 */
static const struct range harmful[] = {
	{ 0x0, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x61c, 0x61c }, { 0x115f, 0x1160 },
	{ 0x17b4, 0x17b5 }, { 0x180b, 0x180f }, { 0x200b, 0x200f }, { 0x2028, 0x202e },
	{ 0x2060, 0x206f }, { 0x2800, 0x2800 }, { 0x3164, 0x3164 }, { 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0xfffe, 0xffff }, { 0x1d173, 0x1d17a },
	{ 0xe0000, 0x10ffff },
};

static bool is_in(const struct range *table, size_t cnt, uint32_t c)
{
	size_t low = 0, high = cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (c > table[mid].last)
			low = mid + 1;
		else if (c < table[mid].first)
			high = mid;
		else
			return true;
	}
	return false;
}

#define IS_IN(table, c) is_in(table, sizeof(table) / sizeof((table)[0]), c)

void text_buf__free(struct text_buf *buf)
{
	free(buf->data);
	*buf = (struct text_buf){ 0 };
}

void text_buf__reset(struct text_buf *buf)
{
	buf->sz = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

const char *text_buf__str(const struct text_buf *buf)
{
	return buf->data && !buf->err ? buf->data : "";
}

static bool reserve(struct text_buf *buf, size_t more)
{
	size_t cap = buf->cap ? buf->cap : 64;
	char *data;

	if (buf->err)
		return false;
	if (more >= SIZE_MAX / 4 - buf->sz) {
		buf->err = -ENOMEM;
		return false;
	}
	if (buf->sz + more + 1 <= buf->cap)
		return true;
	while (cap < buf->sz + more + 1)
		cap *= 2;
	data = realloc(buf->data, cap);
	if (!data) {
		buf->err = -ENOMEM;
		return false;
	}
	buf->data = data;
	buf->cap = cap;
	return true;
}

void text_buf__add_sz(struct text_buf *buf, const char *text, size_t sz)
{
	if (!reserve(buf, sz))
		return;
	memcpy(buf->data + buf->sz, text, sz);
	buf->sz += sz;
	buf->data[buf->sz] = '\0';
}

void text_buf__add(struct text_buf *buf, const char *text)
{
	if (text)
		text_buf__add_sz(buf, text, strlen(text));
}

void text_buf__printf(struct text_buf *buf, const char *fmt, ...)
{
	va_list args;
	int sz;

	va_start(args, fmt);
	sz = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (sz < 0 || !reserve(buf, (size_t)sz))
		return;
	va_start(args, fmt);
	vsnprintf(buf->data + buf->sz, (size_t)sz + 1, fmt, args);
	va_end(args);
	buf->sz += (size_t)sz;
}

#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-"

size_t text_decode(const char *text, size_t sz, uint32_t *out)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *s = (const unsigned char *)text;
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 :
		     s[0] < 0xf5 ? 4 : 0;
	uint32_t c;

	if (!len || len > sz)
		return 0;
	c = len == 1 ? s[0] : s[0] & (0x7f >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < smallest[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out = c;
	return len;
}

void text_buf__escape(struct text_buf *buf, const char *text, unsigned int flags)
{
	size_t left = text ? strlen(text) : 0;

	while (left) {
		uint32_t c = 'x';
		/* Nearly all text is of bytes that stay as they are. */
		size_t len = strspn(text, PLAIN) ?: text_decode(text, left, &c);
		bool is_solid = (flags & TEXT_SOLID) && (c == ' ' || c == '|');

		if (!len)
			text_buf__printf(buf, "\\x%02x", (unsigned char)*text);
		else if (c == '\\')
			text_buf__add(buf, "\\\\");
		else if (c < 0x80 && (is_solid || IS_IN(harmful, c)))
			text_buf__printf(buf, "\\x%02x", c);
		else if (c >= 0x80 && ((flags & TEXT_ASCII) || IS_IN(harmful, c)))
			text_buf__printf(buf, "\\u{%x}", c);
		else
			text_buf__add_sz(buf, text, len);
		text += len ? len : 1;
		left -= len ? len : 1;
	}
}

void text_buf__repair(struct text_buf *buf, const char *text)
{
	size_t left = text ? strlen(text) : 0;

	while (left) {
		uint32_t c;
		size_t len = text_decode(text, left, &c);

		if (len)
			text_buf__add_sz(buf, text, len);
		else
			text_buf__add(buf, "\xef\xbf\xbd");
		text += len ? len : 1;
		left -= len ? len : 1;
	}
}

bool text_is_harmful(uint32_t c)
{
	return IS_IN(harmful, c);
}

bool text_is_harmless(const char *text)
{
	size_t left = strlen(text);

	while (left) {
		uint32_t c;
		size_t len = text_decode(text, left, &c);

		if (!len || IS_IN(harmful, c))
			return false;
		text += len;
		left -= len;
	}
	return true;
}

static size_t char_width(uint32_t c)
{
	if (c < 0x300)
		return 1;
	return IS_IN(combining, c) ? 0 : IS_IN(wide, c) ? 2 : 1;
}

#define LINK "\033]8;;"
#define LINK_END "\033\\"

void text_buf__link(struct text_buf *buf, const char *path, int line, const char *label)
{
	text_buf__add(buf, LINK "file://");
	for (const unsigned char *at = (const unsigned char *)path; *at; at++) {
		if ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
		    (*at >= '0' && *at <= '9') || strchr("-._~/", *at))
			text_buf__add_sz(buf, (const char *)at, 1);
		else
			text_buf__printf(buf, "%%%02X", *at);
	}
	if (line > 0)
		text_buf__printf(buf, "#%d", line);
	text_buf__add(buf, LINK_END);
	text_buf__add(buf, label);
	text_buf__add(buf, LINK LINK_END);
}

size_t text_link_sz(const char *text)
{
	const char *end = strncmp(text, LINK, sizeof(LINK) - 1) ? NULL : strstr(text, LINK_END);

	return end ? (size_t)(end - text) + sizeof(LINK_END) - 1 : 0;
}

size_t text_head(const char *text, size_t width, size_t *cols)
{
	size_t left = strlen(text), off = 0;

	*cols = 0;
	while (left > off) {
		uint32_t c;
		size_t link = text_link_sz(text + off), len = 0, char_cols = 0;

		if (link)
			len = link;
		else
			len = text_decode(text + off, left - off, &c);
		if (!link)
			char_cols = len ? char_width(c) : 1;

		if (*cols + char_cols > width)
			break;
		*cols += char_cols;
		off += len ? len : 1;
	}
	return off;
}

size_t text_width(const char *text)
{
	size_t cols;

	text_head(text, SIZE_MAX, &cols);
	return cols;
}

size_t text_tail(const char *text, size_t width, size_t *cols)
{
	size_t sz = strlen(text), off = 0;

	*cols = text_width(text);
	while (off < sz && *cols > width) {
		uint32_t c;
		size_t len = text_decode(text + off, sz - off, &c);

		*cols -= len ? char_width(c) : 1;
		off += len ? len : 1;
	}
	/* A mark that combines with a character cut away has nothing to stand on. */
	while (off < sz) {
		uint32_t c;
		size_t len = text_decode(text + off, sz - off, &c);

		if (!off || !len || char_width(c))
			break;
		off += len;
	}
	return off;
}

char *text_count(char buf[TEXT_NUM_SZ], uint64_t count)
{
	char digits[24];
	int cnt = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);
	size_t off = 0;

	for (int i = 0; i < cnt; i++) {
		if (i && (cnt - i) % 3 == 0)
			buf[off++] = ',';
		buf[off++] = digits[i];
	}
	buf[off] = '\0';
	return buf;
}

/* Rounded to the unit before the form is chosen, so that 999.9 ms is "1.00 s", not "1000 ms". */
char *text_ns(char buf[TEXT_NUM_SZ], uint64_t ns)
{
	const uint64_t us = 1000, ms = 1000 * us, s = 1000 * ms;
	unsigned long long v;

	if (ns == UINT64_MAX) {
		snprintf(buf, TEXT_NUM_SZ, "-");
	} else if (ns >= s * 9995 / 100) {
		text_count(buf, ns / s + (ns % s >= s / 2));
		memcpy(buf + strlen(buf), " s", 3); /* 26 characters at most so far */
	} else if (ns >= s * 9995 / 1000) {
		v = (ns + s / 20) / (s / 10);
		snprintf(buf, TEXT_NUM_SZ, "%llu.%llu s", v / 10, v % 10);
	} else if (ns >= s * 9995 / 10000) {
		v = (ns + s / 200) / (s / 100);
		snprintf(buf, TEXT_NUM_SZ, "%llu.%02llu s", v / 100, v % 100);
	} else if (ns >= 99950 * us) {
		v = (ns + ms / 2) / ms;
		snprintf(buf, TEXT_NUM_SZ, "%llu ms", v);
	} else if (ns >= 95 * us) {
		v = (ns + 50 * us) / (100 * us);
		snprintf(buf, TEXT_NUM_SZ, "%llu.%llu ms", v / 10, v % 10);
	} else if (ns >= 5 * us) {
		snprintf(buf, TEXT_NUM_SZ, "0.0%llu ms",
			 (unsigned long long)((ns + 5 * us) / (10 * us)));
	} else {
		snprintf(buf, TEXT_NUM_SZ, "%s", ns ? "<0.01 ms" : "0 ms");
	}
	return buf;
}

/* Containers and empty roots seldom have locales, and their terminal is none of theirs. */
static bool locale_names_utf8(void)
{
	static const char *const variables[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *name = getenv(variables[i]);

		if (name && *name)
			return strcasestr(name, ".UTF-8") || strcasestr(name, ".utf8");
	}
	return false;
}

bool text_locale_is_utf8(void)
{
	/* Asked first: in a static program C.UTF-8 has the character set of C. */
	bool is_utf8 = locale_names_utf8();
	locale_t locale = is_utf8 ? (locale_t)0 : newlocale(LC_CTYPE_MASK, "", (locale_t)0);

	if (locale != (locale_t)0) {
		is_utf8 = !strcmp(nl_langinfo_l(CODESET, locale), "UTF-8");
		freelocale(locale);
	}
	return is_utf8;
}
