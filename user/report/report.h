/* SPDX-License-Identifier: BSD-2-Clause */
/* Views and formats: one file each, joined by the registry in report.c. Never changes the model. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

struct bench;
struct verdicts;
struct model;

/* What a report is of. Borrowed; what a view does not need may be NULL. */
struct report_input {
	const struct model *model;    /* finished; only `bench` can do without */
	const struct model *before;   /* of `diff`: what @model is compared with */
	const struct verdicts *check; /* of `check` */
	const struct bench *bench;    /* of `bench` */
};

/* How it is to look, and what of it was asked for. */
struct report_opts {
	int width;      /* columns; 0 = nothing is shortened, and text breaks at 100 */
	bool use_color;
	bool use_links; /* places in files are links (OSC 8) */
	bool use_ascii; /* not a UTF-8 terminal (see text_locale_is_utf8) */
	bool want_unfolded; /* a row for each of the processes that did the same */
	const char *defer;  /* view "advice": "a,b:12": joint savings of these; NULL = none */
	const char *module; /* for the view "why", which cannot do without */
	size_t top;     /* rows in ranked tables and lists; 0 = as many as the view has by itself */
	double min_share; /* of all imports of a process; what took less is not in its trees */
	const char *by; /* of report_measures, for the format folded; NULL = time */
};

/*
 * Writes @view (of report_views, or of REPORT_COMMANDS in registry.h) in @format to @out; NULL =
 * the first of them. A format other than text is one document with everything: the view
 * does not matter.
 * -EINVAL: unknown view or format, or a pair that makes no sense. -EIO, -EPIPE and other errnos
 * of write(2): from writing; @out is flushed on success. -ENOMEM.
 */
int report_write(const struct report_input *input, const char *view, const char *format,
		 const struct report_opts *opts, FILE *out);

/* Lines that make sense beside a command's own output, not a document for another program. */
bool report_is_for_people(const char *format);

/* Names for --help and completions; NULL-terminated. The first is the default. */
extern const char *const report_views[], *const report_formats[];
extern const char *const check_formats[], *const diff_formats[]; /* of `check`, `diff` */
extern const char *const plain_formats[]; /* of `why`, `bench` */

/* What --by knows. */
extern const char *const report_measures[];

#endif
