// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writing capture files: frames are gathered into a block, a full block is compressed and handed
 * to the stream at once, so that whatever ends us leaves whole blocks behind.
 */
#include <errno.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "event/capture.h"
#include "event/capture_buf.h"
#include "event/capture_format.h"
#include "event/event.h"

#define LEVEL 1 /* on the tracer's own time: a third of the size of none, half the time of 6 */

struct capture_writer {
	FILE *out;
	struct capture_buf raw, stored;
	size_t raw_sz;
	__u32 frame_cnt;
	__u64 bytes;
	struct libdeflate_compressor *deflate;
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
	w->deflate = libdeflate_alloc_compressor(LEVEL);
	if (!w->deflate) {
		free(w);
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
	libdeflate_free_compressor(writer->deflate);
	free(writer->raw.data);
	free(writer->stored.data);
	free(writer);
}

static int write_block(struct capture_writer *writer)
{
	struct capture_block block = { .magic = CAPTURE_BLOCK_MAGIC, .raw_sz = writer->raw_sz,
				       .frame_cnt = writer->frame_cnt };
	size_t bound = libdeflate_zlib_compress_bound(writer->deflate, writer->raw_sz);

	if (capture_buf__reserve(&writer->stored, sizeof(block) + bound)) {
		writer->err = -ENOMEM;
		return writer->err;
	}
	block.stored_sz = libdeflate_zlib_compress(writer->deflate, writer->raw.data,
						   writer->raw_sz,
						   writer->stored.data + sizeof(block), bound);
	memcpy(writer->stored.data, &block, sizeof(block));
	writer->raw_sz = 0;
	writer->frame_cnt = 0;
	return write_all(writer, writer->stored.data, sizeof(block) + block.stored_sz);
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
