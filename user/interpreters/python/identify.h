/* SPDX-License-Identifier: BSD-2-Clause */
/* Is this file a Python, and which? Private to user/interpreters. */
#ifndef INTERPRETERS_PYTHON_IDENTIFY_H
#define INTERPRETERS_PYTHON_IDENTIFY_H

#include "interpreters/elf/elf_file.h"
#include "interpreters/interp.h"

enum identity {
	IDENTITY_NONE,
	IDENTITY_CPYTHON, /* the import function has a symbol */
	IDENTITY_HIDDEN,  /* CPython's strings, but no symbol to hold on to */
	IDENTITY_PYPY,
	IDENTITY_PYTHON2,
};

/* What the look into one file may take, in rising order. */
enum interp_limit {
	LIMIT_GLANCE,
	LIMIT_PROBE,
	LIMIT_OPEN,
};

void interp_budget(struct elf_budget *budget, enum interp_limit limit);

/* interp_probe and interp__open within a budget of the caller's. */
int interp_probe_within(int fd, struct elf_budget *budget);
int interp__open_within(int fd, const char *path, struct elf_budget *budget, struct interp **out);

/* By symbols, and for programs without the right ones by strings. Needs no loaded segments. */
enum identity identify(const struct elf *elf);

/* One of these symbols a library has that identify takes for a Python. NULL-terminated. */
extern const char *const identify_names[];

/*
 * Version (layout.version and version[]), build flags. Needs loaded segments. @path is looked at
 * last, for its name only.
 */
void identify_version(const struct elf *elf, const char *path, struct interp *interp);

/* Appends the build's mark to version[], when the layout has told what it is. */
void identify_finish(struct interp *interp);

#endif
