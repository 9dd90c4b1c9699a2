/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames one behind the other, kept to be written again. Records are mostly zeros (room for names):
 * runs of them are left out, which takes a code object's from 1.8 kB to a few hundred bytes.
 */
#ifndef MODEL_TAPE_PACKED_FRAMES_H
#define MODEL_TAPE_PACKED_FRAMES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct packed_frames { /* starts as {0} */
	unsigned char *data;
	size_t sz, cap;
};

/* What packed_frames__next unpacks to; free(data). */
struct unpacked_frame { /* starts as {0} */
	void *data;   /* aligned to 8; valid until the next call */
	size_t size, cap;
	unsigned int type; /* enum capture_frame_type */
};

/* 0 or -ENOMEM: it stays as it was. */
int packed_frames__add(struct packed_frames *frames, unsigned int type, const void *data,
		       size_t size);
int packed_frames__append(struct packed_frames *frames, const struct packed_frames *more);
void packed_frames__clear(struct packed_frames *frames);

/* The frame at *@at, which starts as 0 and is set to the one behind it. False: that was all. */
bool packed_frames__next(const struct packed_frames *frames, size_t *at,
			 struct unpacked_frame *frame);

#endif
