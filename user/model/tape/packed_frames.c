// SPDX-License-Identifier: BSD-2-Clause
/*
 * See packed_frames.h. A frame is its head, then pieces: bytes as they are, and how many zeros
 * follow.
 */
#include "model/tape/packed_frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RUN_MIN 8 /* zeros; fewer are not worth a piece */

struct head {
	__u32 packed_sz, size, type;
};

struct piece {
	__u32 plain_sz, zero_sz;
};

static int reserve(struct packed_frames *frames, size_t more)
{
	size_t cap = frames->cap ? frames->cap : 256;
	unsigned char *bigger;

	while (cap < frames->sz + more)
		cap *= 2;
	if (cap == frames->cap)
		return 0;
	bigger = realloc(frames->data, cap);
	if (!bigger)
		return -ENOMEM;
	frames->data = bigger;
	frames->cap = cap;
	return 0;
}

static void put(struct packed_frames *frames, const void *data, size_t size)
{
	memcpy(frames->data + frames->sz, data, size);
	frames->sz += size;
}

static size_t zeros(const unsigned char *data, size_t size)
{
	size_t cnt = 0;

	while (cnt < size && !data[cnt])
		cnt++;
	return cnt;
}

/* The bytes up to a run of zeros that is worth leaving out, and its length. */
static struct piece cut_piece(const unsigned char *data, size_t size)
{
	struct piece piece = {};

	while (piece.plain_sz < size) {
		size_t run = zeros(data + piece.plain_sz, size - piece.plain_sz);

		if (run >= RUN_MIN || piece.plain_sz + run == size) {
			piece.zero_sz = run;
			return piece;
		}
		piece.plain_sz += run + 1;
	}
	return piece;
}

int packed_frames__add(struct packed_frames *frames, unsigned int type, const void *data,
		       size_t size)
{
	struct head head = { .size = size, .type = type };
	const unsigned char *bytes = data;
	size_t begin = frames->sz;

	/* At most a piece for each of its bytes and the run behind it. */
	if (reserve(frames, sizeof(head) + size + (size / RUN_MIN + 2) * sizeof(struct piece)))
		return -ENOMEM;
	frames->sz += sizeof(head);
	for (size_t at = 0; at < size;) {
		struct piece piece = cut_piece(bytes + at, size - at);

		put(frames, &piece, sizeof(piece));
		put(frames, bytes + at, piece.plain_sz);
		at += piece.plain_sz + piece.zero_sz;
	}
	head.packed_sz = frames->sz - begin - sizeof(head);
	memcpy(frames->data + begin, &head, sizeof(head));
	return 0;
}

int packed_frames__append(struct packed_frames *frames, const struct packed_frames *more)
{
	if (!more->sz)
		return 0;
	if (reserve(frames, more->sz))
		return -ENOMEM;
	put(frames, more->data, more->sz);
	return 0;
}

void packed_frames__clear(struct packed_frames *frames)
{
	free(frames->data);
	*frames = (struct packed_frames){};
}

bool packed_frames__next(const struct packed_frames *frames, size_t *at,
			 struct unpacked_frame *frame)
{
	unsigned char *out;
	struct piece piece;
	struct head head;
	size_t end;

	if (*at >= frames->sz)
		return false;
	memcpy(&head, frames->data + *at, sizeof(head));
	if (head.size > frame->cap || !frame->data) {
		out = realloc(frame->data, head.size + 1);
		if (!out)
			return false;
		frame->data = out;
		frame->cap = head.size;
	}
	out = frame->data;
	frame->size = head.size;
	frame->type = head.type;
	*at += sizeof(head);
	end = *at + head.packed_sz;
	while (*at < end) {
		memcpy(&piece, frames->data + *at, sizeof(piece));
		*at += sizeof(piece);
		memcpy(out, frames->data + *at, piece.plain_sz);
		memset(out + piece.plain_sz, 0, piece.zero_sz);
		*at += piece.plain_sz;
		out += piece.plain_sz + piece.zero_sz;
	}
	return true;
}
