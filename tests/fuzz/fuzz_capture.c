// SPDX-License-Identifier: BSD-2-Clause
/* A capture file: as it is; or, when it begins with a 'B', what a block of one unpacks to. */
#include <zlib.h>

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

static void play_block(const uint8_t *data, size_t size)
{
	struct capture_header header = { .version = CAPTURE_VERSION, .header_sz = sizeof(header),
					 .byte_order = CAPTURE_BYTE_ORDER, .abi = PYI_ABI_VERSION };
	struct capture_block block = { .magic = CAPTURE_BLOCK_MAGIC, .raw_sz = size };
	uLongf stored = compressBound(size);
	uint8_t *file = malloc(sizeof(header) + sizeof(block) + stored);

	memcpy(header.magic, CAPTURE_MAGIC, sizeof(header.magic));
	if (!file || compress2(file + sizeof(header) + sizeof(block), &stored, data, size, 1))
		abort();
	block.stored_sz = stored;
	memcpy(file, &header, sizeof(header));
	memcpy(file + sizeof(header), &block, sizeof(block));
	play(file, sizeof(header) + sizeof(block) + stored);
	free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 1 && data[0] == 'B')
		play_block(data + 1, size - 1);
	else if (size)
		play(data, size);
	return 0;
}
