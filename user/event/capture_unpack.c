// SPDX-License-Identifier: BSD-2-Clause
/* See capture_unpack.h. Memory is taken as bytes come out, not because a length field says so. */
#include "event/capture_unpack.h"

#include <errno.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define STEP (1u << 20) /* grown by this much */
#define RATIO_MAX 1032  /* of deflate */

struct capture_unpacker {
	struct libdeflate_decompressor *inflate;
	ZSTD_DCtx *zstd;
};

struct capture_unpacker *capture_unpacker__new(void)
{
	struct capture_unpacker *unpacker = calloc(1, sizeof(*unpacker));

	if (!unpacker)
		return NULL;
	unpacker->inflate = libdeflate_alloc_decompressor();
	unpacker->zstd = ZSTD_createDCtx();
	if (!unpacker->inflate || !unpacker->zstd ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(unpacker->zstd, ZSTD_d_windowLogMax,
						CAPTURE_WINDOW_LOG_MAX))) {
		capture_unpacker__free(unpacker);
		return NULL;
	}
	return unpacker;
}

void capture_unpacker__free(struct capture_unpacker *unpacker)
{
	if (!unpacker)
		return;
	libdeflate_free_decompressor(unpacker->inflate);
	ZSTD_freeDCtx(unpacker->zstd);
	free(unpacker);
}

static int inflate_whole(struct capture_unpacker *unpacker, const struct capture_stored *stored,
			 struct capture_buf *raw, size_t *raw_sz)
{
	size_t want_sz = stored->block.raw_sz, used_sz;

	if (want_sz / RATIO_MAX > stored->sz) /* it cannot unpack to so much */
		return -EBADMSG;
	if (capture_buf__reserve(raw, want_sz))
		return -ENOMEM;
	if (libdeflate_zlib_decompress_ex(unpacker->inflate, stored->data, stored->sz, raw->data,
					  want_sz, &used_sz, NULL))
		return -EBADMSG;
	*raw_sz = want_sz;
	return 0;
}

/* Of a stream that ends too early: what is there of it. */
static int inflate_cut(const struct capture_stored *stored, struct capture_buf *raw,
		       size_t *raw_sz)
{
	size_t want_sz = stored->block.raw_sz;
	z_stream z = { .next_in = (unsigned char *)stored->data, .avail_in = stored->sz };
	int ret = inflateInit(&z);

	if (ret != Z_OK)
		return -ENOMEM;
	do {
		size_t room = z.total_out + STEP < want_sz ? z.total_out + STEP : want_sz;

		/* One byte more shows a stream that unpacks to more than it said. */
		if (capture_buf__reserve(raw, room + 1)) {
			ret = Z_MEM_ERROR;
			break;
		}
		z.next_out = raw->data + z.total_out;
		z.avail_out = room + 1 - z.total_out;
		ret = inflate(&z, Z_NO_FLUSH);
	} while (ret == Z_OK && z.total_out <= want_sz && (z.avail_in || !z.avail_out));
	*raw_sz = z.total_out <= want_sz ? z.total_out : 0;
	inflateEnd(&z);
	if (ret == Z_MEM_ERROR)
		return -ENOMEM;
	if (z.total_out > want_sz)
		return -EBADMSG;
	return ret == Z_OK || ret == Z_BUF_ERROR || ret == Z_STREAM_END ? 0 : -EBADMSG;
}

static int unpack_stream(struct capture_unpacker *unpacker, const struct capture_stored *stored,
			 struct capture_buf *raw, size_t *raw_sz)
{
	ZSTD_inBuffer in = { .src = stored->data, .size = stored->sz };
	size_t want_sz = stored->block.raw_sz, ret;
	ZSTD_outBuffer out = {};

	do {
		out.size = out.pos + STEP < want_sz ? out.pos + STEP : want_sz;
		out.size++; /* shows a stream that unpacks to more than it said */
		if (capture_buf__reserve(raw, out.size))
			return -ENOMEM;
		out.dst = raw->data;
		ret = ZSTD_decompressStream(unpacker->zstd, &out, &in);
		if (ZSTD_isError(ret))
			return -EBADMSG;
	} while (out.pos <= want_sz && (in.pos < in.size || out.pos == out.size));
	if (out.pos > want_sz)
		return -EBADMSG;
	*raw_sz = out.pos;
	if (stored->is_cut)
		return 0;
	return out.pos == want_sz &&
	       libdeflate_crc32(0, raw->data, out.pos) == stored->sum.crc32 ? 0 : -EBADMSG;
}

int capture_unpack(struct capture_unpacker *unpacker, const struct capture_stored *stored,
		   struct capture_buf *raw, size_t *raw_sz)
{
	*raw_sz = 0;
	if (stored->block.magic == CAPTURE_STREAM_MAGIC)
		return unpack_stream(unpacker, stored, raw, raw_sz);
	return stored->is_cut ? inflate_cut(stored, raw, raw_sz) :
				inflate_whole(unpacker, stored, raw, raw_sz);
}
