/* SPDX-License-Identifier: BSD-2-Clause */
/* Static functions by their PyMethodDef. */
#ifndef INTERPRETERS_CODE_METHODS_H
#define INTERPRETERS_CODE_METHODS_H

#include "interpreters/elf/elf_file.h"

/* Functions of the _imp module; 0 = not found. */
struct imp_methods {
	__u64 create_dynamic, create_builtin;
	__u64 is_frozen;   /* up to 3.10 */
	__u64 find_frozen; /* from 3.11 on */
};
void methods_find_imp(const struct elf *elf, struct imp_methods *out);

#endif
