/* SPDX-License-Identifier: BSD-2-Clause */
/* Where CPython keeps what: struct pyi_layout of one interpreter. Private to user/interpreters. */
#ifndef INTERPRETERS_PYTHON_LAYOUT_H
#define INTERPRETERS_PYTHON_LAYOUT_H

#include "interpreters/elf/elf_file.h"
#include "interpreters/interp.h"

#define LAYOUT_NEWEST 0x030f /* newest version the table knows */

/*
 * Fills interp->layout for interp->layout.version (0 = unknown) and the build flags of interp,
 * then lets the file's own _Py_DebugOffsets override it (3.13+). Adds notes where the two
 * disagree or something cannot be known. May set is_free_threaded.
 */
void layout_fill(const struct elf *elf, struct interp *interp);

/* The table's row alone; false when there is none for the version. Free-threaded: 3.13+. */
bool layout_from_table(__u32 version, bool is_free_threaded, struct pyi_layout *out);

/* Adds @by to the offsets of all fields that follow an object header. */
void layout_shift_objects(struct pyi_layout *layout, __s32 by);

/* _Py_DebugOffsets of a file. -ENOENT: none. */
struct layout_debug {
	__u32 version; /* PY_VERSION_HEX >> 16 */
	bool is_free_threaded;
	const unsigned char *data;
	size_t sz;
};
int layout_debug_open(const struct elf *elf, struct layout_debug *out);
/* Overrides *layout; returns how many fields differed, the first one's name in *first. */
int layout_debug_apply(const struct layout_debug *debug, struct pyi_layout *layout,
		       const char **first);

#endif
