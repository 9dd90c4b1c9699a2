/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes files out of the page cache, and looks whether they are. */
#ifndef CLI_COMMANDS_EVICT_H
#define CLI_COMMANDS_EVICT_H

#include <linux/types.h>
#include <stddef.h>

struct evict {
	char **paths;      /* absolute, each once */
	size_t cnt, cap;
};

struct evict_result {
	size_t file_cnt, held_cnt; /* files that are there; that are still cached, some of them */
	__u64 bytes, held_bytes;
};

/* Copies @path; what is not absolute, or known already, is left out. 0 or -ENOMEM. */
int evict__add(struct evict *evict, const char *path);

/*
 * Asks the kernel to drop them, then counts what mincore(2) still finds. Pages that somebody has
 * mapped, that are dirty or locked, stay: others use that file. Files that cannot be opened are
 * not counted.
 */
void evict__drop(const struct evict *evict, struct evict_result *out);

void evict__clear(struct evict *evict);

#endif
