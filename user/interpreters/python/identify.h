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
