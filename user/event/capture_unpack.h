/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of captures, unpacked: those of zlib up to version 1, and the stream of zstd since. */
#ifndef EVENT_CAPTURE_UNPACK_H
#define EVENT_CAPTURE_UNPACK_H

#include <stdbool.h>
#include <stddef.h>

#include "event/capture_buf.h"
#include "event/capture_format.h"

struct capture_unpacker;

struct capture_unpacker *capture_unpacker__new(void); /* NULL: out of memory */
void capture_unpacker__free(struct capture_unpacker *unpacker);

struct capture_stored {
	struct capture_block block;
	struct capture_sum sum; /* of a stream */
	const void *data;
	size_t sz;
	bool is_cut; /* the file ends inside it: what is there of it is unpacked, unchecked */
};

/* Into @raw, *raw_sz bytes. Blocks come in order. -EBADMSG, -ENOMEM. */
int capture_unpack(struct capture_unpacker *unpacker, const struct capture_stored *stored,
		   struct capture_buf *raw, size_t *raw_sz);

#endif
