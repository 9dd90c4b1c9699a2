// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reading capture files, hostile ones too: every length is compared with what is there before it
 * is used, and memory is taken as data arrives, not because a length field says so. A file cut in
 * the middle of a block gives the frames that are whole; a damaged block gives none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "event/capture.h"
#include "event/capture_buf.h"
#include "event/capture_format.h"
#include "event/capture_unpack.h"
#include "event/event.h"

#define READ_STEP (1u << 20) /* grown by this much: a length alone costs no memory */
#define STORED_MAX(raw_sz) ((raw_sz) + (raw_sz) / 512 + 128) /* if nothing can be saved */
/* Real captures unpack to 6 to 20 times their size; what is small may be anything. */
#define TOTAL_RATIO_MAX 100
#define TOTAL_FREE (32ull << 20)
#define HEADER_MAX (sizeof(struct capture_header) + (64u << 10))

struct capture_reader {
	FILE *in;
	struct capture_header *header;
	struct capture_buf raw, stored, refit;
	size_t raw_sz, raw_at;
	__u64 bytes, raw_bytes;
	struct capture_unpacker *unpacker;
	bool has_end, is_last; /* is_last: the file ended inside this block */
	bool is_trusted;
};

/* Bytes read, less than @size only at the end of the file; or a negative errno. */
static ssize_t read_some(struct capture_reader *reader, void *data, size_t size)
{
	size_t got;

	errno = 0;
	got = fread(data, 1, size, reader->in);
	reader->bytes += got;
	if (got < size && ferror(reader->in))
		return errno ? -errno : -EIO;
	return (ssize_t)got;
}

static int check_header(const struct capture_header *header)
{
	if (memcmp(header->magic, CAPTURE_MAGIC, sizeof(header->magic)))
		return -EINVAL;
	/* The version first: a newer header may be laid out in another way. */
	if (header->version > CAPTURE_VERSION || header->abi > PYI_ABI_VERSION)
		return -EPROTONOSUPPORT;
	if (header->byte_order != CAPTURE_BYTE_ORDER || !header->version || !header->abi)
		return -EINVAL;
	if (header->shape_cnt > CAPTURE_SHAPES_MAX || header->header_sz > HEADER_MAX ||
	    header->header_sz < sizeof(*header) + header->shape_cnt * sizeof(__u32))
		return -EINVAL;
	return 0;
}

static int read_header(struct capture_reader *reader)
{
	struct capture_header fixed = {};
	ssize_t got = read_some(reader, &fixed, sizeof(fixed));
	size_t rest;
	int err;

	if (got < 0)
		return (int)got;
	if ((size_t)got < sizeof(fixed))
		return -EINVAL;
	err = check_header(&fixed);
	if (err)
		return err;
	reader->header = calloc(1, fixed.header_sz);
	if (!reader->header)
		return -ENOMEM;
	memcpy(reader->header, &fixed, sizeof(fixed));
	rest = fixed.header_sz - sizeof(fixed);
	got = read_some(reader, reader->header + 1, rest);
	if (got < 0)
		return (int)got;
	return (size_t)got < rest ? -EINVAL : 0;
}

int capture_reader__new(FILE *in, struct capture_reader **reader)
{
	struct capture_reader *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->in = in;
	r->unpacker = capture_unpacker__new();
	if (!r->unpacker) {
		free(r);
		return -ENOMEM;
	}
	err = read_header(r);
	if (err) {
		capture_reader__free(r);
		return err;
	}
	*reader = r;
	return 0;
}

void capture_reader__free(struct capture_reader *reader)
{
	if (!reader)
		return;
	capture_unpacker__free(reader->unpacker);
	free(reader->header);
	free(reader->raw.data);
	free(reader->stored.data);
	free(reader->refit.data);
	free(reader);
}

void capture_reader__trust(struct capture_reader *reader)
{
	reader->is_trusted = true;
}

/* Bytes of the block that are there, in reader->stored; or a negative errno. */
static ssize_t read_stored(struct capture_reader *reader, size_t size)
{
	size_t at = 0, step;
	ssize_t got;

	while (at < size) {
		step = size - at < READ_STEP ? size - at : READ_STEP;
		if (capture_buf__reserve(&reader->stored, at + step))
			return -ENOMEM;
		got = read_some(reader, reader->stored.data + at, step);
		if (got < 0)
			return got;
		at += got;
		if ((size_t)got < step)
			break;
	}
	return (ssize_t)at;
}

static bool is_possible(const struct capture_block *block)
{
	return (block->magic == CAPTURE_BLOCK_MAGIC || block->magic == CAPTURE_STREAM_MAGIC) &&
	       block->raw_sz && block->raw_sz <= CAPTURE_BLOCK_MAX &&
	       block->stored_sz <= STORED_MAX(block->raw_sz);
}

/* 1: a block is there; 0: the file ends; or a negative errno. */
static int read_block(struct capture_reader *reader)
{
	struct capture_stored stored = {};
	struct capture_block *block = &stored.block;
	ssize_t got = read_some(reader, block, sizeof(*block));
	int err;

	if (got < 0)
		return (int)got;
	if ((size_t)got < sizeof(*block))
		return 0;
	if (!is_possible(block))
		return -EBADMSG;
	if (block->magic == CAPTURE_STREAM_MAGIC) {
		got = read_some(reader, &stored.sum, sizeof(stored.sum));
		if (got < (ssize_t)sizeof(stored.sum))
			return got < 0 ? (int)got : 0;
	}
	got = read_stored(reader, block->stored_sz);
	if (got < 0)
		return (int)got;
	reader->raw_bytes += block->raw_sz;
	if (!reader->is_trusted && reader->raw_bytes > TOTAL_FREE &&
	    reader->raw_bytes / TOTAL_RATIO_MAX > reader->bytes)
		return -EFBIG;
	reader->is_last = (size_t)got < block->stored_sz;
	reader->raw_at = 0;
	stored.data = reader->stored.data;
	stored.sz = got;
	stored.is_cut = reader->is_last;
	err = capture_unpack(reader->unpacker, &stored, &reader->raw, &reader->raw_sz);
	return err ? err : 1;
}

/* Records of another build may have a shorter or longer fixed part. */
static int refit(struct capture_reader *reader, struct capture_frame *frame)
{
	const struct pyi_hdr *hdr = frame->data;
	size_t theirs, size;

	if (frame->size < sizeof(*hdr) || hdr->kind >= reader->header->shape_cnt)
		return 0;
	theirs = reader->header->shapes[hdr->kind];
	size = event_refit_sz(frame->data, frame->size, theirs);
	if (size == frame->size)
		return 0;
	if (capture_buf__reserve(&reader->refit, size))
		return -ENOMEM;
	event_refit(frame->data, frame->size, theirs, reader->refit.data);
	frame->data = reader->refit.data;
	frame->size = size;
	return 0;
}

static int take_frame(struct capture_reader *reader, struct capture_frame *frame)
{
	const struct capture_frame_head *head = (void *)(reader->raw.data + reader->raw_at);
	size_t left = reader->raw_sz - reader->raw_at - sizeof(*head);
	size_t room = ((size_t)head->size + CAPTURE_ALIGN - 1) / CAPTURE_ALIGN * CAPTURE_ALIGN;

	if (head->size > CAPTURE_FRAME_MAX)
		return -EBADMSG;
	if (room > left)
		return reader->is_last ? 0 : -EBADMSG;
	*frame = (struct capture_frame){ .type = head->type, .data = head + 1,
					 .size = head->size };
	reader->raw_at += sizeof(*head) + room;
	if (frame->type == CAPTURE_END) /* its block has no checksum when it is cut */
		reader->has_end = !reader->is_last;
	if (frame->type == CAPTURE_RECORD && refit(reader, frame))
		return -ENOMEM;
	return 1;
}

int capture_reader__next(struct capture_reader *reader, struct capture_frame *frame)
{
	int got = 1;

	if (reader->has_end)
		return 0;
	while (got > 0 && reader->raw_sz - reader->raw_at < sizeof(struct capture_frame_head)) {
		if (reader->is_last)
			return 0;
		if (reader->raw_sz != reader->raw_at)
			return -EBADMSG;
		got = read_block(reader);
	}
	return got > 0 ? take_frame(reader, frame) : got;
}

bool capture_reader__is_cut(const struct capture_reader *reader)
{
	return !reader->has_end;
}

__u64 capture_reader__bytes(const struct capture_reader *reader)
{
	return reader->bytes;
}
