/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From raw records to facts: which records are well formed, text of the target as UTF-8, lines
 * from line tables. Pure; everything here is fed by a hostile target.
 */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include "pyimport_event.h"

/* Is the record whole, every length inside it? True for unknown kinds: to be skipped. */
bool event_is_valid(const void *record, size_t size);

/* A record, checked once, as it goes to whoever reads the stream. */
struct event {
	const void *raw;
	size_t size;
	const struct pyi_hdr *hdr; /* the record, if it is whole; NULL: malformed */
};

static inline struct event event_of(const void *record, size_t size)
{
	return (struct event){ record, size, event_is_valid(record, size) ? record : NULL };
}

/* Size of the part of a record that every one of its kind has; 0 = no such kind here. */
size_t event_fixed_sz(unsigned int kind);
size_t event_kind_cnt(void); /* kinds are below this */

/*
 * A record of another build whose fixed part has @theirs bytes, as this build expects it: fields it
 * lacks are 0, which stands for unknown in every record; fields it has in excess are dropped.
 * event_refit_sz tells the size of the result, @size if nothing is to be done.
 */
size_t event_refit_sz(const void *record, size_t size, size_t theirs);
void event_refit(const void *record, size_t size, size_t theirs, void *out);

/*
 * A valid record without what lay in the ring buffer before: room that it did not need is cut off
 * or zero. @out has @size bytes; returns the size of the result. Kinds without slack have no such
 * room.
 */
bool event_has_slack(unsigned int kind);
size_t event_trim(const void *record, size_t size, void *out);

/* Did the kernel side leave some of it out? */
bool event_is_cut(const struct pyi_str *str);

/* Room that event_utf8 may need for @str, NUL included. */
size_t event_utf8_max(const struct pyi_str *str);

/*
 * Text of a str object as UTF-8 in @dst (of at least event_utf8_max bytes); lone surrogates and
 * invalid bytes become U+FFFD, an ellipsis stands for what was cut. Returns its length.
 */
size_t event_utf8(const struct pyi_str *str, const char *text, char *dst);

/*
 * Line of the instruction at byte offset @lasti, 0 = unknown. co_lnotab up to 3.9, PEP 626 ranges
 * in 3.10, PEP 657 locations from 3.11 (Objects/lnotab_notes.txt, Objects/locations.md).
 * @is_cut: the table goes on, but was not sent whole.
 */
int event_line(__u32 lines, int firstlineno, const unsigned char *table, size_t table_sz,
	       bool is_cut, int lasti);

#endif
