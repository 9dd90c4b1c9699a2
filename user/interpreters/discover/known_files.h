/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that were looked at, each with a verdict, so that none is read twice. Any thread. */
#ifndef INTERPRETERS_DISCOVER_KNOWN_FILES_H
#define INTERPRETERS_DISCOVER_KNOWN_FILES_H

#include <linux/types.h>

struct known_files;

struct file_key {
	__u64 dev, ino, size, ctime_ns;
};

int known_files__new(struct known_files **out);
void known_files__free(struct known_files *files); /* NULL-safe */

/* 0, or -errno; -EINVAL: not a regular file. */
int known_files_key(int fd, struct file_key *key);

/* The verdict, or -ENOENT. */
int known_files__find(struct known_files *files, const struct file_key *key);

/* Without memory it is forgotten, and looked at again: slower, not wrong. */
void known_files__add(struct known_files *files, const struct file_key *key, int verdict);

struct discover_unexamined;

void unexamined_add(struct discover_unexamined *all, const char *path);
void unexamined_clear(struct discover_unexamined *all);

#endif
