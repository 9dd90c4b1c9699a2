/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of one content that were read from several paths: a model kept twice, by one process or by
 * two containers. Part of model.h, which includes it.
 */
#ifndef MODEL_SAME_CONTENT_H
#define MODEL_SAME_CONTENT_H

#include <linux/types.h>
#include <stddef.h>

#define SAME_MIN_SZ 1000000 /* smaller files are not worth a look */

struct process;

/* @other has the content of @path: all of its @size bytes were compared, or @compared of them. */
struct same_info {
	const char *path, *other;
	__u64 size, compared;
	__u32 other_serial;    /* who read @other, in another container; 0 = the same process */
};

/* In another container. */
struct same_elsewhere {
	const char *path;
	const struct process *process;
};

struct same_files {
	const char **paths;    /* the first is what the others were compared with */
	size_t cnt, cap;
	struct same_elsewhere **elsewhere;
	size_t elsewhere_cnt, elsewhere_cap;
	__u64 size, compared;  /* least that was compared of one */
};

/* A large file that a process used. */
struct large_file {
	const char *path;
	__u64 size, ino;
	__u32 dev;
};

#endif
