/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text for people: a growing buffer, the one function that makes foreign text harmless on a
 * terminal, columns of UTF-8 text, durations and counts. Independent of the locale of the process.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <string.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum text_flag {
	TEXT_ASCII = 1 << 0,  /* escape all beyond ASCII too: the terminal is not UTF-8 */
	TEXT_SOLID = 1 << 1,  /* escape blanks and '|' too: the text is a field of a line format */
};

/* Starts as {0}. The first -ENOMEM sticks: later calls do nothing, text_buf__str gives "". */
struct text_buf {
	char *data;
	size_t sz, cap; /* sz without the NUL */
	int err;
};

void text_buf__free(struct text_buf *buf); /* leaves an empty one */
void text_buf__reset(struct text_buf *buf);
const char *text_buf__str(const struct text_buf *buf);
void text_buf__add(struct text_buf *buf, const char *text);
void text_buf__add_sz(struct text_buf *buf, const char *text, size_t sz);
void text_buf__printf(struct text_buf *buf, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Appends @text made harmless: controls, invalid UTF-8 and backslashes become \xNN or \\,
 * invisible and direction-changing characters \u{...}. NULL adds nothing. Reversible.
 */
void text_buf__escape(struct text_buf *buf, const char *text, unsigned int flags);

/* Appends @text as valid UTF-8: each byte that is not becomes U+FFFD. */
void text_buf__repair(struct text_buf *buf, const char *text);

/* A control, an invisible or a direction-changing character. */
bool text_is_harmful(uint32_t c);

/* Valid UTF-8 without anything text_buf__escape would touch, backslashes and blanks aside. */
bool text_is_harmless(const char *text);

/*
 * Appends @label, harmless text, as a link of OSC 8 to a line of the file @path; a @line of 0 to
 * the file alone. All of the path but letters, digits and -._~/ is percent-encoded. Widths do not
 * count the sequences.
 */
void text_buf__link(struct text_buf *buf, const char *path, int line, const char *label);

/* Bytes of the sequence that begins or ends such a link at @text; 0: there is none. */
size_t text_link_sz(const char *text);

/* Decodes one character of @text (at most @sz bytes, sz > 0). Bytes taken, or 0: not UTF-8. */
size_t text_decode(const char *text, size_t sz, uint32_t *out);

/* Columns of a terminal that harmless text takes: wide characters two, combining ones none. */
size_t text_width(const char *text);

/* Longest head of @text that fits @width columns, in bytes; its columns in *cols. */
size_t text_head(const char *text, size_t width, size_t *cols);

/* Where the longest tail that fits @width columns starts, in bytes; its columns in *cols. */
size_t text_tail(const char *text, size_t width, size_t *cols);

#define TEXT_NUM_SZ 40

/* "1.23 s", "412 ms", "12.3 ms", "0.04 ms"; "-" for ~0. Returns @buf. */
char *text_ns(char buf[TEXT_NUM_SZ], uint64_t ns);

/* "1,234,567". Returns @buf. */
char *text_count(char buf[TEXT_NUM_SZ], uint64_t count);

/* Do the user's locale variables ask for UTF-8? Does not need or change setlocale. */
bool text_locale_is_utf8(void);

#endif
