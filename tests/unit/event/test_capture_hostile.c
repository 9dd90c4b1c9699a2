// SPDX-License-Identifier: BSD-2-Clause
/* Captures made to hurt, and writing that fails. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "capture_bytes.h"
#include "event/capture_format.h"

/* A capture of one block with these bytes; the block's fields as given, 0 = as they are. */
static struct bytes make_block(const void *raw, size_t raw_sz, struct capture_block block)
{
	struct capture_header header = { .magic = CAPTURE_MAGIC, .version = CAPTURE_VERSION,
					 .header_sz = sizeof(header), .abi = PYI_ABI_VERSION,
					 .byte_order = CAPTURE_BYTE_ORDER };
	uLongf stored = compressBound(raw_sz);
	struct bytes bytes = { .data = malloc(sizeof(header) + sizeof(block) + stored) };

	memcpy(header.magic, CAPTURE_MAGIC, 8);
	CHECK(compress2(bytes.data + sizeof(header) + sizeof(block), &stored, raw, raw_sz, 9) ==
	      Z_OK);
	block.magic = block.magic ?: CAPTURE_BLOCK_MAGIC;
	block.stored_sz = block.stored_sz ?: stored;
	block.raw_sz = block.raw_sz ?: raw_sz;
	memcpy(bytes.data, &header, sizeof(header));
	memcpy(bytes.data + sizeof(header), &block, sizeof(block));
	bytes.size = sizeof(header) + sizeof(block) + stored;
	return bytes;
}

static bool is_damage(const void *raw, size_t raw_sz, struct capture_block block)
{
	struct bytes bytes = make_block(raw, raw_sz, block);
	struct tape_result result;
	int err = play_and_drop(bytes.data, bytes.size, &result);

	free(bytes.data);
	return !err && result.is_damaged && result.is_cut && !result.record_cnt;
}

static void test_lengths(void)
{
	char *zeros = calloc(1, 64 << 20);
	struct capture_frame_head head = { .size = CAPTURE_FRAME_MAX + 1, .type = CAPTURE_RECORD };
	char frames[64] = {};

	/* A block that unpacks to more than it says, to less, to more than any may. */
	CHECK(is_damage(zeros, 64 << 20, (struct capture_block){ .raw_sz = 4096 }));
	CHECK(is_damage(zeros, 4096, (struct capture_block){ .raw_sz = 4097 }));
	CHECK(is_damage(zeros, 64 << 20, (struct capture_block){}));
	CHECK(is_damage(zeros, 4096, (struct capture_block){ .raw_sz = ~0u, .stored_sz = ~0u }));
	CHECK(is_damage(zeros, 4096, (struct capture_block){ .stored_sz = ~0u }));
	CHECK(is_damage(zeros, 4096, (struct capture_block){ .magic = 7 }));
	/* A frame longer than its block, longer than any may be, half a head. */
	memcpy(frames, &head, sizeof(head));
	CHECK(is_damage(frames, sizeof(frames), (struct capture_block){}));
	head.size = 57;
	memcpy(frames, &head, sizeof(head));
	CHECK(is_damage(frames, sizeof(frames), (struct capture_block){}));
	CHECK(is_damage(zeros, 4, (struct capture_block){}));
	free(zeros);
}

static void test_full(void)
{
	FILE *full = fopen("/dev/full", "w");
	struct stream s;
	struct tape *tape = NULL;
	int err;

	stream_open(&s);
	err = tape__new(full, s.model, &tape);
	CHECK(!err);
	tell_program(&s);
	CHECK(tape__flush(tape) == -ENOSPC);
	tell_program(&s); /* the model is none the worse for it */
	CHECK(tape__flush(tape) == -ENOSPC && tape__end(tape, 1) == -ENOSPC);
	tape__free(tape);
	stream_finish(&s, 2000);
	CHECK(stream_load(&s, 1, "alpha", 0));
	stream_close(&s);
	fclose(full);
}

static void test_too_large(void)
{
	FILE *file = tmpfile();
	char *large = calloc(1, CAPTURE_FRAME_MAX + 1);
	struct capture_writer *writer = NULL;
	struct capture_reader *reader = NULL;
	struct capture_frame frame;

	CHECK(!capture_writer__new(file, &writer));
	CHECK(capture_writer__put(writer, CAPTURE_FACT, large, CAPTURE_FRAME_MAX + 1) == -E2BIG);
	CHECK(!capture_writer__put(writer, CAPTURE_FACT, large, CAPTURE_FRAME_MAX));
	CHECK(!capture_writer__put(writer, CAPTURE_FACT, "small", 5));
	CHECK(!capture_writer__flush(writer));
	capture_writer__free(writer);
	rewind(file);
	CHECK(!capture_reader__new(file, &reader));
	CHECK(capture_reader__next(reader, &frame) == 1 && frame.size == CAPTURE_FRAME_MAX);
	CHECK(capture_reader__next(reader, &frame) == 1 && frame.size == 5);
	CHECK(capture_reader__next(reader, &frame) == 0 && capture_reader__is_cut(reader));
	capture_reader__free(reader);
	free(large);
	fclose(file);
}

/* 64 MB of the same, and as much that is not: only the first is refused, unless it is our own. */
static void test_bomb(void)
{
	static char frame[1 << 20];
	__u64 state = 88172645463325252ull;

	for (int is_random = 0; is_random < 2; is_random++) {
		FILE *file = tmpfile();
		struct capture_writer *writer = NULL;
		struct tape_result result;

		CHECK(!capture_writer__new(file, &writer));
		for (size_t i = 0; i < 64; i++) {
			for (size_t at = 0; is_random && at < sizeof(frame); at += 16) {
				state ^= state << 13;
				state ^= state >> 7;
				state ^= state << 17;
				memcpy(frame + at, &state, sizeof(state));
			}
			CHECK(!capture_writer__put(writer, 99, frame, sizeof(frame)));
		}
		CHECK(!capture_writer__flush(writer));
		capture_writer__free(writer);
		for (int is_ours = 0; is_ours < 2; is_ours++) {
			struct model *model;
			int err;

			rewind(file);
			CHECK(!model__new(&model));
			err = (is_ours ? tape_play_ours : tape_play)(file, model, &result);
			CHECK(err == (is_ours || is_random ? 0 : -EFBIG));
			model__free(model);
		}
		fclose(file);
	}
}

int main(void)
{
	RUN(test_lengths);
	RUN(test_full);
	RUN(test_too_large);
	RUN(test_bomb);
	return unit_result();
}
