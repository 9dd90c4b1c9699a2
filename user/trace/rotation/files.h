/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of a capture that is rotated: x.cap becomes x.1.cap, x.2.cap and so on. No name is
 * given twice, not to those of earlier traces either: numbers go on behind the highest there is.
 */
#ifndef TRACE_ROTATION_FILES_H
#define TRACE_ROTATION_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "trace/output.h"

struct made { /* a file of ours */
	unsigned int nr;
	dev_t dev;
	ino_t ino;
};

struct rotation { /* starts as {0} */
	char *dir, *stem; /* of the name, dir with its slash; behind the number comes @ending */
	const char *ending;
	char *path;       /* of the newest, for messages */
	int dir_fd;       /* directories may be moved while tracing goes on */
	unsigned int last_nr, cnt; /* number of the newest; how many there have been */
	size_t keep;      /* 0 = all */
	struct made *made;
	size_t made_cnt, made_cap;
};

static inline bool rotation__is_on(const struct rotation *rotation)
{
	return rotation->stem;
}

/* @path as given with -o. Logs what fails. */
int rotation__open(struct rotation *rotation, const char *path, size_t keep);
void rotation__close(struct rotation *rotation);

/* Opens the next file, in place of what @output was. Logs what fails, and leaves it as it was. */
int rotation__next(struct rotation *rotation, struct output *output);

/* The newest has its name: the oldest ones are removed, as long as they are the files we made. */
void rotation__trim(struct rotation *rotation, const struct output *output);

#endif
