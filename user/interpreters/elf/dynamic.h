/* SPDX-License-Identifier: BSD-2-Clause */
/* What the dynamic section of a shared object asks for. */
#ifndef INTERPRETERS_ELF_DYNAMIC_H
#define INTERPRETERS_ELF_DYNAMIC_H

#include <stddef.h>

#define DYNAMIC_NEEDED_MAX 256 /* names kept of one file */

/* DT_NEEDED names of an ELF file. */
struct dynamic_needed {
	char *names[DYNAMIC_NEEDED_MAX];
	size_t cnt;
};

/*
 * Reads them from @fd, which stays the caller's. -ENOEXEC: no ELF file, or a broken one. Names are
 * malloc'd: dynamic_needed__free, also after an error.
 */
int dynamic_needed__read(struct dynamic_needed *needed, int fd);
void dynamic_needed__free(struct dynamic_needed *needed);

#endif
