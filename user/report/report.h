/* SPDX-License-Identifier: BSD-2-Clause */
/* Views and formats: one file each, joined by the registry in report.c. Never changes the model. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

struct model;

struct report_opts {
	int width;      /* columns of the terminal; 0 = do not fit to one */
	bool use_color;
	size_t top;     /* rows in ranked tables; 0 = the default of 10 */
};

/*
 * Writes @view ("summary", "tree", "blame") in @format ("text", "json", "importtime") to @out.
 * -EINVAL: unknown view or format, or a pair that makes no sense. -EIO, -EPIPE: from writing.
 */
int report_write(const struct model *model, const char *view, const char *format,
		 const struct report_opts *opts, FILE *out);

/* Names for --help and completions; NULL-terminated. */
extern const char *const report_views[], *const report_formats[];

#endif
