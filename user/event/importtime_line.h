/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of a log of -X importtime. Private to the reader of such logs. */
#ifndef EVENT_IMPORTTIME_LINE_H
#define EVENT_IMPORTTIME_LINE_H

#include <linux/types.h>
#include <stdbool.h>

enum importtime_kind { LINE_OTHER = 0, LINE_HEADER, LINE_IMPORT };

struct importtime_line {
	bool is_cached;      /* no times, and no level: its indentation depends on the name */
	long long self_us;   /* may be negative */
	long long wall_us;
	unsigned int level;  /* 0: nothing above it */
	const char *name;    /* into the text */
};

/* @text without its newline. */
enum importtime_kind importtime_parse(const char *text, struct importtime_line *line);

#endif
