/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the report goes: checked before anything is traced, written after. */
#ifndef TRACE_OUTPUT_H
#define TRACE_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "trace/output_file.h"

struct opts;
struct report_input;

struct output {
	FILE *file;
	const char *path;    /* for messages */
	bool is_stdout;
	struct output_file to; /* file NULL: it is no file of ours */
};

/* Missing standard streams are filled so that no file of ours lands on 0, 1 or 2. */
int output_fill_standard(void);

/*
 * Opens the destination: --report; or standard output; or standard error where standard output
 * belongs to the launched command. Logs what fails. An existing file keeps its content until the
 * report is there (output_file.h).
 */
int output__open(const struct opts *opts, struct output *out);

/*
 * The same for any file of ours: @what for messages, "-" is standard output. Nothing is written
 * or emptied yet. @is_early: see output_file__open.
 */
int output__open_path(const char *path, const char *what, const char *option, bool is_early,
		      struct output *out);

/* Writes the report that @opts ask for. Logs every error but -EPIPE: its reader has seen enough. */
int output__write(struct output *output, const struct opts *opts,
		  const struct report_input *input);

/* Writing begins: an early file gets its name. 0 or -errno. */
int output__place(struct output *output);

/* What was written so far is worth keeping: it gets its name, and stays. 0 or -errno. */
int output__keep(struct output *output);

/* Removes what was not kept; a file that was there before is as it was then. */
void output__close(struct output *output);

/* What to write a format to that would spoil a terminal; NULL: it would not. */
const char *output_file_for(const char *format);

/* In launch mode a report on standard output needs the command's output to go elsewhere. */
bool output_takes_stdout(const struct opts *opts);

#endif
