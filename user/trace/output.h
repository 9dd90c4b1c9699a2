/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the report goes: checked before anything is traced, written after. */
#ifndef TRACE_OUTPUT_H
#define TRACE_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

struct opts;
struct model;

struct output {
	FILE *file;
	const char *path;    /* for messages */
	bool is_created;     /* we made the file: remove it if there is no report */
	bool is_stdout;
};

/* Missing standard streams are filled so that no file of ours lands on 0, 1 or 2. */
int output_fill_standard(void);

/*
 * Opens the destination: --report; or standard output; or standard error where standard output
 * belongs to the launched command. Logs what fails. An existing file keeps its content until the
 * report is there.
 */
int output__open(const struct opts *opts, struct output *out);

/*
 * The same for any file of ours: @what for messages, "-" is standard output. Nothing is written
 * or emptied yet.
 */
int output__open_path(const char *path, const char *what, const char *option, struct output *out);

/* -EPIPE is not logged: whoever read it has seen enough. Anything else is. */
int output__write(struct output *output, const struct opts *opts, const struct model *model);

/* Removes a file that was created for a report that never came. */
void output__close(struct output *output);

/* In launch mode a report on standard output needs the command's output to go elsewhere. */
bool output_takes_stdout(const struct opts *opts);

#endif
