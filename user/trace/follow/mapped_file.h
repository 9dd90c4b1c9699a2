/* SPDX-License-Identifier: BSD-2-Clause */
/* The file behind a mapping that a process has made, or had: it may have gone on since. */
#ifndef TRACE_FOLLOW_MAPPED_FILE_H
#define TRACE_FOLLOW_MAPPED_FILE_H

#include "interpreters/process/proc.h"

struct hold_mapping;

struct mapped_file {
	int fd;              /* -1: not open */
	struct proc_map map; /* as it is now */
	char *path;
};

void mapped_file_clear(struct mapped_file *file);

/* Where it is mapped now; -ENOENT: not any more. */
int mapped_file_find(const struct hold_mapping *mapping, int proc_fd, struct mapped_file *out);

/*
 * A descriptor of the file, mapped or not, as long as its path still leads to it. @proc_fd below 0:
 * its process has ended. -errno: it cannot be told any more which file it was.
 */
int mapped_file_open(const struct hold_mapping *mapping, int proc_fd);

/*
 * The name of the file behind @fd below @root: in a container an exec is reported with the path
 * of its layer or mount, of which some tail is the path the process itself would use. ld.so's
 * $ORIGIN depends on that one.
 */
const char *mapped_path_below(const char *root, const char *path, int fd);

#endif
