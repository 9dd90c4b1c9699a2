// SPDX-License-Identifier: BSD-2-Clause
/*
 * A capture file: as it is; or, when it begins with a 'B' or a 'Z', what a block of one unpacks to,
 * by zlib or by zstd.
 */
#include <zlib.h>
#include <zstd.h>

#include "event/capture.h"
#include "event/capture_format.h"
#include "fuzz.h"
#include "model/tape/tape.h"

static void play(const void *data, size_t size)
{
	FILE *in = size ? fmemopen((void *)data, size, "r") : NULL;
	struct tape_result result;
	struct model *model;

	if (!in || model__new(&model))
		abort();
	if (!tape_play(in, model, &result)) {
		fuzz_check(model);
		fuzz_report(model);
	}
	model__free(model);
	fclose(in);
}

static size_t pack(const uint8_t *data, size_t size, bool is_stream, uint8_t *out, size_t out_sz)
{
	uLongf stored = out_sz;

	if (!is_stream && compress2(out, &stored, data, size, 1))
		abort();
	if (is_stream)
		stored = ZSTD_compress(out, out_sz, data, size, 1);
	if (is_stream && ZSTD_isError(stored))
		abort();
	return stored;
}

static void play_block(const uint8_t *data, size_t size, bool is_stream)
{
	struct {
		struct capture_header header;
		struct capture_block block;
		struct capture_sum sum;
	} head = {
		.header = { .version = CAPTURE_VERSION, .header_sz = sizeof(head.header),
			    .byte_order = CAPTURE_BYTE_ORDER, .abi = PYI_ABI_VERSION },
		.block = { .magic = is_stream ? CAPTURE_STREAM_MAGIC : CAPTURE_BLOCK_MAGIC,
			   .raw_sz = size },
		.sum = { .crc32 = crc32(0, data, size) },
	};
	size_t head_sz = is_stream ? sizeof(head) : offsetof(typeof(head), sum);
	size_t room = compressBound(size) + ZSTD_compressBound(size);
	uint8_t *file = malloc(head_sz + room);

	if (!file)
		abort();
	memcpy(head.header.magic, CAPTURE_MAGIC, sizeof(head.header.magic));
	head.block.stored_sz = pack(data, size, is_stream, file + head_sz, room);
	memcpy(file, &head, head_sz);
	play(file, head_sz + head.block.stored_sz);
	free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 1 && (data[0] == 'B' || data[0] == 'Z'))
		play_block(data + 1, size - 1, data[0] == 'Z');
	else if (size)
		play(data, size);
	return 0;
}
