/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of one content that a process read from several paths: a model kept twice, a library that
 * every package brings along. Part of model.h, which includes it.
 */
#ifndef MODEL_SAME_CONTENT_H
#define MODEL_SAME_CONTENT_H

#include <linux/types.h>
#include <stddef.h>

#define SAME_MIN_SZ 1000000 /* smaller files are not worth a look */

/* @other has the content of @path: all of its @size bytes were compared, or @compared of them. */
struct same_info {
	const char *path, *other;
	__u64 size, compared;
};

struct same_files {
	const char **paths;    /* the first is what the others were compared with */
	size_t cnt, cap;
	__u64 size, compared;  /* least that was compared of one */
};

/* A file that has the size of another one the same process used. */
struct twin {
	const char *path;
	__u64 size, ino;
	__u32 dev;
};

#endif
