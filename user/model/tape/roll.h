/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames one behind the other, kept to be written again. Records are mostly zeros (room for names):
 * runs of them are left out, which takes a code object's from 1.8 kB to a few hundred bytes.
 */
#ifndef MODEL_TAPE_ROLL_H
#define MODEL_TAPE_ROLL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct roll { /* starts as {0} */
	unsigned char *data;
	size_t sz, cap;
};

/* What roll__next unpacks to; free(data). */
struct roll_frame { /* starts as {0} */
	void *data;   /* aligned to 8; valid until the next call */
	size_t size, cap;
	unsigned int type; /* enum capture_frame_type */
};

/* 0 or -ENOMEM: it stays as it was. */
int roll__add(struct roll *roll, unsigned int type, const void *data, size_t size);
int roll__append(struct roll *roll, const struct roll *more);
void roll__clear(struct roll *roll);

/* The frame at *@at, which starts as 0 and is set to the one behind it. False: that was all. */
bool roll__next(const struct roll *roll, size_t *at, struct roll_frame *frame);

#endif
