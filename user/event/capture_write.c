// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writing capture files: frames are gathered into a block, a full block is compressed and handed
 * to the stream at once, so that whatever ends us leaves whole blocks behind. Blocks share one
 * window: each start of a program tells mostly what the one before it told, further back than the
 * 32 KiB that zlib remembers.
 */
#include <errno.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "event/capture.h"
#include "event/capture_buf.h"
#include "event/capture_format.h"
#include "event/event.h"

#define LEVEL 3 /* on the tracer's own time: a window of 2 MiB, half the time of zlib's fastest */

struct capture_writer {
	FILE *out;
	struct capture_buf raw, stored;
	size_t raw_sz;
	__u32 frame_cnt;
	__u64 bytes;
	ZSTD_CCtx *zstd;
	int err;
};

static int write_all(struct capture_writer *writer, const void *data, size_t size)
{
	errno = 0;
	if (fwrite(data, 1, size, writer->out) != size)
		writer->err = errno ? -errno : -EIO;
	else
		writer->bytes += size;
	return writer->err;
}

static int write_header(struct capture_writer *writer)
{
	size_t cnt = event_kind_cnt();
	size_t size = sizeof(struct capture_header) + cnt * sizeof(__u32);
	_cleanup_free_ struct capture_header *header = calloc(1, size);

	if (!header)
		return -ENOMEM;
	memcpy(header->magic, CAPTURE_MAGIC, sizeof(header->magic));
	header->version = CAPTURE_VERSION;
	header->header_sz = size;
	header->byte_order = CAPTURE_BYTE_ORDER;
	header->abi = PYI_ABI_VERSION;
	header->shape_cnt = cnt;
	for (size_t i = 0; i < cnt; i++)
		header->shapes[i] = event_fixed_sz(i);
	return write_all(writer, header, size);
}

int capture_writer__new(FILE *out, struct capture_writer **writer)
{
	struct capture_writer *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->out = out;
	w->zstd = ZSTD_createCCtx();
	if (!w->zstd ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL))) {
		capture_writer__free(w);
		return -ENOMEM;
	}
	err = write_header(w);
	if (err) {
		capture_writer__free(w);
		return err;
	}
	*writer = w;
	return 0;
}

void capture_writer__free(struct capture_writer *writer)
{
	if (!writer)
		return;
	ZSTD_freeCCtx(writer->zstd);
	free(writer->raw.data);
	free(writer->stored.data);
	free(writer);
}

/* All of the block, so that a reader needs nothing behind it. -ENOMEM. */
static int compress(struct capture_writer *writer, ZSTD_outBuffer *out)
{
	ZSTD_inBuffer in = { .src = writer->raw.data, .size = writer->raw_sz };
	size_t left = 1;

	while (left) { /* the room is enough for one turn unless the library says otherwise */
		if (capture_buf__reserve(&writer->stored, out->size))
			return -ENOMEM;
		out->dst = writer->stored.data;
		left = ZSTD_compressStream2(writer->zstd, out, &in, ZSTD_e_flush);
		if (ZSTD_isError(left))
			return -ENOMEM;
		out->size += left;
	}
	return 0;
}

static int write_block(struct capture_writer *writer)
{
	struct {
		struct capture_block block;
		struct capture_sum sum;
	} head = { .block = { .magic = CAPTURE_STREAM_MAGIC, .raw_sz = writer->raw_sz,
			      .frame_cnt = writer->frame_cnt } };
	ZSTD_outBuffer out = { .pos = sizeof(head),
			       .size = sizeof(head) + ZSTD_compressBound(writer->raw_sz) };

	writer->err = compress(writer, &out);
	if (writer->err)
		return writer->err;
	head.block.stored_sz = out.pos - sizeof(head);
	head.sum.crc32 = libdeflate_crc32(0, writer->raw.data, writer->raw_sz);
	memcpy(writer->stored.data, &head, sizeof(head));
	writer->raw_sz = 0;
	writer->frame_cnt = 0;
	return write_all(writer, writer->stored.data, out.pos);
}

int capture_writer__flush(struct capture_writer *writer)
{
	if (!writer->err && writer->raw_sz)
		write_block(writer);
	errno = 0;
	if (!writer->err && fflush(writer->out))
		writer->err = errno ? -errno : -EIO;
	return writer->err;
}

int capture_writer__put(struct capture_writer *writer, enum capture_frame_type type,
			const void *data, size_t size)
{
	struct capture_frame_head head = { .size = size, .type = type };
	size_t room = (size + CAPTURE_ALIGN - 1) / CAPTURE_ALIGN * CAPTURE_ALIGN;

	if (writer->err)
		return writer->err;
	if (size > CAPTURE_FRAME_MAX)
		return -E2BIG;
	if (writer->raw_sz && writer->raw_sz + sizeof(head) + room > CAPTURE_BLOCK_SZ &&
	    capture_writer__flush(writer))
		return writer->err;
	if (capture_buf__reserve(&writer->raw, sizeof(head) + room > CAPTURE_BLOCK_SZ ?
					       sizeof(head) + room : CAPTURE_BLOCK_SZ)) {
		writer->err = -ENOMEM;
		return writer->err;
	}
	memcpy(writer->raw.data + writer->raw_sz, &head, sizeof(head));
	memcpy(writer->raw.data + writer->raw_sz + sizeof(head), data, size);
	memset(writer->raw.data + writer->raw_sz + sizeof(head) + size, 0, room - size);
	writer->raw_sz += sizeof(head) + room;
	writer->frame_cnt++;
	return 0;
}

__u64 capture_writer__bytes(const struct capture_writer *writer)
{
	return writer->bytes;
}
