/* SPDX-License-Identifier: BSD-2-Clause */
/* What a process runs, as its command line says. */
#ifndef MODEL_PROGRAM_H
#define MODEL_PROGRAM_H

#include <stdbool.h>

struct process;

enum program_kind {
	PROGRAM_OTHER = 0, /* argv[0] names no Python: an embedding program */
	PROGRAM_SCRIPT,    /* a file, a directory or an archive */
	PROGRAM_MODULE,    /* -m */
	PROGRAM_CODE,      /* -c */
	PROGRAM_STDIN,     /* nothing, or - */
	PROGRAM_TITLE,     /* none: the process has written a title over its arguments */
};

struct program {
	enum program_kind kind;
	const char *name; /* the process's. SCRIPT: path as given, MODULE: dotted, TITLE */
};

/* Options are read as Python/getopt.c (_PyOS_GetOpt) reads them. */
struct program process_program(const struct process *process);

/* Behind the last slash, but for one at the end; "" of NULL. */
const char *path_base(const char *path);
/* Is the file called like an interpreter? */
bool path_is_python(const char *path);

#endif
