// SPDX-License-Identifier: BSD-2-Clause
/* Captures made to hurt, and writing that fails. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "capture_bytes.h"
#include "event/capture_format.h"

/* @raw as a block stores it; *sz bytes. */
static void *pack(const void *raw, size_t raw_sz, bool is_stream, int window_log, size_t *sz)
{
	uLongf zlib_sz = compressBound(raw_sz);
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	ZSTD_outBuffer out = { .size = ZSTD_compressBound(raw_sz) + zlib_sz };
	ZSTD_inBuffer in = { .src = raw, .size = raw_sz };

	out.dst = malloc(out.size);
	CHECK(compress2(out.dst, &zlib_sz, raw, raw_sz, 9) == Z_OK);
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, window_log);
	if (is_stream)
		CHECK(!ZSTD_compressStream2(zstd, &out, &in, ZSTD_e_flush));
	ZSTD_freeCCtx(zstd);
	*sz = is_stream ? out.pos : zlib_sz;
	return out.dst;
}

struct block {
	struct capture_block head; /* fields as given, 0 = as they are */
	bool is_stream;
	int window_log;
	__u32 crc_off; /* added to the right one */
};

/* A capture of one block with these bytes. */
static struct bytes make_block(const void *raw, size_t raw_sz, struct block block)
{
	struct capture_header header = { .magic = CAPTURE_MAGIC, .version = CAPTURE_VERSION,
					 .header_sz = sizeof(header), .abi = PYI_ABI_VERSION,
					 .byte_order = CAPTURE_BYTE_ORDER };
	struct capture_sum sum = { .crc32 = crc32(0, raw, raw_sz) + block.crc_off };
	struct capture_block *head = &block.head;
	size_t stored_sz;
	void *stored = pack(raw, raw_sz, block.is_stream, block.window_log, &stored_sz);
	struct bytes bytes = {};
	FILE *file = open_memstream((char **)&bytes.data, &bytes.size);

	memcpy(header.magic, CAPTURE_MAGIC, 8);
	head->magic = head->magic ?: block.is_stream ? CAPTURE_STREAM_MAGIC : CAPTURE_BLOCK_MAGIC;
	head->stored_sz = head->stored_sz ?: stored_sz;
	head->raw_sz = head->raw_sz ?: raw_sz;
	fwrite(&header, sizeof(header), 1, file);
	fwrite(head, sizeof(*head), 1, file);
	if (block.is_stream)
		fwrite(&sum, sizeof(sum), 1, file);
	fwrite(stored, stored_sz, 1, file);
	fclose(file);
	free(stored);
	return bytes;
}

static bool is_block_damage(const void *raw, size_t raw_sz, struct block block)
{
	struct bytes bytes = make_block(raw, raw_sz, block);
	struct tape_result result;
	int err = play_and_drop(bytes.data, bytes.size, &result);

	free(bytes.data);
	return !err && result.is_damaged && result.is_cut && !result.record_cnt;
}

/* In a block of either kind. */
static bool is_damage(const void *raw, size_t raw_sz, struct capture_block head)
{
	return is_block_damage(raw, raw_sz, (struct block){ .head = head }) &&
	       is_block_damage(raw, raw_sz, (struct block){ .head = head, .is_stream = true });
}

/* What only a stream has: a sum of its own, and a window that is the reader's memory. */
static void test_stream(void)
{
	struct { struct capture_frame_head head; __u64 body; } frame = {
		.head = { .size = 8, .type = 99 } };
	struct tape_result result;

	CHECK(is_block_damage(&frame, sizeof(frame),
			      (struct block){ .is_stream = true, .crc_off = 1 }));
	for (int log = CAPTURE_WINDOW_LOG_MAX; log <= CAPTURE_WINDOW_LOG_MAX + 1; log++) {
		struct bytes bytes = make_block(&frame, sizeof(frame),
						(struct block){ .is_stream = true,
								.window_log = log });

		CHECK(!play_and_drop(bytes.data, bytes.size, &result) && result.is_cut);
		CHECK(result.is_damaged == (log > CAPTURE_WINDOW_LOG_MAX));
		free(bytes.data);
	}
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
	RUN(test_stream);
	RUN(test_full);
	RUN(test_too_large);
	RUN(test_bomb);
	return unit_result();
}
