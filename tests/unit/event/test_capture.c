// SPDX-License-Identifier: BSD-2-Clause
/*
 * Capture files: what goes in comes out, on any build; what is cut, damaged, newer or made to hurt
 * is told apart. Old captures stand in tests/golden: they must give the same reports for ever.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "event/capture.h"
#include "event/capture_format.h"
#include "event/event.h"
#include "model/tape/tape.h"
#include "report/report.h"
#include "stream.h"

#define BYTES "/srv/\xff\xc3\xa9\x80\x01"

/* ---- helpers --------------------------------------------------------------------------------- */

struct bytes {
	unsigned char *data;
	size_t size;
};

static struct bytes slurp(FILE *file)
{
	struct bytes bytes = {};
	long size;

	fflush(file);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	rewind(file);
	bytes.data = malloc(size + 1);
	bytes.size = fread(bytes.data, 1, size, file);
	return bytes;
}

static int play(const void *data, size_t size, struct model **model, struct tape_result *result)
{
	FILE *in = fmemopen((void *)data, size, "r");
	int err;

	CHECK(!model__new(model));
	err = in ? tape_play(in, *model, result) : -EINVAL;
	if (in)
		fclose(in);
	return err;
}

static int play_and_drop(const void *data, size_t size, struct tape_result *result)
{
	struct model *model;
	int err = play(data, size, &model, result);

	model__free(model);
	return err;
}

static char *report(const struct model *model, const char *view, const char *format)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	CHECK(report_write(&(struct report_input){ .model = model }, view, format, NULL, out) == 0);
	fclose(out);
	return text;
}

/* A program with every kind of record that tests/unit/stream.h makes. */
static void tell_program(struct stream *s)
{
	const char *argv[] = { "python3", "app.py", "caf\xe9" };
	const char *notes[] = { "a note", "a second \"one\"" };
	struct process_info process = { .exe = "/usr/bin/python3", .cwd = BYTES, .argv = argv,
					.argc = 3 };
	struct python_info python = { .version = "3.11.2", .implementation = "cpython",
				      .binary = BYTES, .free_threaded = true, .layers = 0x1ff,
				      .notes = notes, .note_cnt = 2 };
	struct host_info host = { .kernel = "6.1.0", .arch = "x86_64", .hostname = "example",
				  .tool_version = "0.1", .trace_start_ns = 5 };

	CHECK(!model__set_host(s->model, &host));
	stream_exec(s, 100, 1, "python3\0app.py", 15);
	CHECK(!model__set_process_info(s->model, 1, &process));
	stream_code(s, 1, 0x1000, "__main__", "", "/srv/app.py", "<module>", 1, 9);
	stream_body(s, 200, 1, 0, 1, 0x1000, "__main__");
	stream_edge(s, 210, 1, 1, 0, 0, 1, 4, "alpha");
	stream_open_load(s, 220, 10, 1, 1, 0, 0, "alpha");
	stream_fork(s, 300, 101, 2);
	stream_close_load(s, 900, 10);
	stream_edge(s, 950, 2, 1, 0, 1, 1, 6, "alpha");
	stream_from(s, 2, "one", "two");
	stream_count(s, 1, 3, 1);
	stream_end(s, 1000, 1);
	stream_exit(s, 1100, 0);
	CHECK(!model__set_python_info(s->model, 0, &python));
	CHECK(!model__add_unprobed(s->model, &python));
	model__set_late_starts(s->model, 5);
}

/* The capture of that program, and the model it was made from. */
static struct bytes record(struct stream *s)
{
	struct pyi_stats stats = { .ring_full = 3, .hits = 77, .ends_unmatched = ~0ULL };
	FILE *file = tmpfile();
	struct tape *tape = NULL;
	struct bytes bytes;

	stream_open(s);
	CHECK(!tape__new(file, s->model, &tape));
	tell_program(s);
	model__set_stats(s->model, &stats);
	CHECK(!tape__flush(tape));
	CHECK(!tape__end(tape, 1200));
	tape__free(tape);
	CHECK(!model__finish(s->model, 1200));
	bytes = slurp(file);
	fclose(file);
	return bytes;
}

/* ---- what goes in comes out ------------------------------------------------------------------ */

static void test_round_trip(void)
{
	static const char *const formats[] = { "json", "importtime", "text" };
	struct tape_result result;
	struct model *model;
	struct stream s;
	struct bytes bytes = record(&s);

	CHECK(!play(bytes.data, bytes.size, &model, &result));
	CHECK(!result.is_cut && !result.is_damaged && result.record_cnt > 15);
	CHECK(result.bytes == bytes.size);
	for (size_t i = 0; i < 3; i++) {
		_cleanup_free_ char *a = report(s.model, NULL, formats[i]);
		_cleanup_free_ char *b = report(model, NULL, formats[i]);

		if (strcmp(a, b))
			FAIL("%s differs:\n%s\n%s", formats[i], a, b);
	}
	CHECK(!strcmp(model__process(model, 0)->cwd, BYTES));
	CHECK(!strcmp(model__process(model, 0)->python->notes[1], "a second \"one\""));
	CHECK(model__stats(model)->ring_full == 3 && model__stats(model)->hits == 77);
	CHECK(model__stats(model)->ends_unmatched == ~0ULL);
	CHECK(model__unprobed_cnt(model) == 1 && model__late_starts(model) == 5);
	model__free(model);
	stream_close(&s);
	free(bytes.data);
}

/* A pipe gives no more than it has, in pieces. */
static void test_pipe(void)
{
	struct tape_result result;
	struct model *model;
	struct stream s;
	struct bytes bytes = record(&s);
	int fds[2];
	FILE *in;

	CHECK(!pipe(fds) && bytes.size < 65536);
	CHECK(write(fds[1], bytes.data, bytes.size) == (ssize_t)bytes.size);
	close(fds[1]);
	in = fdopen(fds[0], "r");
	CHECK(!model__new(&model) && !tape_play(in, model, &result) && !result.is_cut);
	fclose(in);
	model__free(model);
	stream_close(&s);
	free(bytes.data);
}

/* ---- cut, damaged, foreign ------------------------------------------------------------------- */

/* Cut anywhere: no more than a cut, and never more records than in the whole. */
static void test_cut(void)
{
	struct tape_result whole, result;
	struct stream s;
	struct bytes bytes = record(&s);
	__u64 most = 0;

	CHECK(!play_and_drop(bytes.data, bytes.size, &whole));
	for (size_t size = 1; size < bytes.size; size++) {
		/* From a block of its exact size, so that ASan sees a read beyond it. */
		unsigned char *copy = malloc(size);
		struct model *model;
		int err;

		memcpy(copy, bytes.data, size);
		err = play(copy, size, &model, &result);
		if (err && err != -EINVAL)
			FAIL("cut at %zu: %d", size, err);
		if (!err && (!result.is_cut || result.is_damaged || !model__is_cut(model) ||
			     model__is_complete(model) || result.record_cnt > whole.record_cnt))
			FAIL("cut at %zu: not told", size);
		if (!err && result.record_cnt < most)
			FAIL("cut at %zu: fewer records than with less", size);
		most = err ? most : result.record_cnt;
		model__free(model);
		free(copy);
	}
	CHECK(most > 0);
	stream_close(&s);
	free(bytes.data);
}

/*
 * Any bit: an error or damage, unless it unpacks to the same (zeros copied from elsewhere are
 * zeros). In the header it may be another capture: its sizes of records. Never a crash.
 */
static void test_damaged(void)
{
	struct tape_result result;
	struct stream s;
	struct bytes bytes = record(&s);
	size_t blocks_at = ((struct capture_header *)bytes.data)->header_sz;
	_cleanup_free_ char *good = report(s.model, NULL, "json");

	for (size_t at = 0; at < bytes.size; at++) {
		unsigned char *copy = malloc(bytes.size);
		struct model *model;
		int err;

		memcpy(copy, bytes.data, bytes.size);
		copy[at] ^= 1 << at % 8;
		err = play(copy, bytes.size, &model, &result);
		if (err == -ENOMEM)
			FAIL("byte %zu: takes memory", at);
		if (!err && at >= blocks_at && !result.is_damaged && !result.is_cut) {
			_cleanup_free_ char *text = report(model, NULL, "json");

			if (strcmp(text, good))
				FAIL("byte %zu: damage was not noticed", at);
		}
		model__free(model);
		free(copy);
	}
	stream_close(&s);
	free(bytes.data);
}

static void test_foreign(void)
{
	struct tape_result result;
	struct stream s;
	struct bytes bytes = record(&s);
	struct capture_header *header = (struct capture_header *)bytes.data;

	CHECK(play_and_drop("", 1, &result) == -EINVAL);
	CHECK(play_and_drop("import time: self [us] | cumulative | imported package\n", 55,
			    &result) == -EINVAL);
	header->version++;
	CHECK(play_and_drop(bytes.data, bytes.size, &result) == -EPROTONOSUPPORT);
	header->version--;
	header->abi++;
	CHECK(play_and_drop(bytes.data, bytes.size, &result) == -EPROTONOSUPPORT);
	header->abi--;
	header->byte_order = __builtin_bswap32(header->byte_order);
	CHECK(play_and_drop(bytes.data, bytes.size, &result) == -EINVAL);
	header->byte_order = __builtin_bswap32(header->byte_order);
	header->shape_cnt = ~0u;
	CHECK(play_and_drop(bytes.data, bytes.size, &result) == -EINVAL);
	stream_close(&s);
	free(bytes.data);
}

/* ---- made to hurt ---------------------------------------------------------------------------- */

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

/* Frames, facts and keys of later versions are passed over; nonsense is, too. */
static void test_unknown(void)
{
	static const char *const facts[] = {
		"{\"fact\":\"weather\",\"id\":1,\"rain\":true}",
		"{\"fact\":\"host\",\"id\":0,\"kernel\":\"6.1\",\"moon\":[1,{}]}",
		"{\"fact\":\"host\",\"id\":0,\"kernel\":12,\"arch\":{},\"hostname\":{\"latin1\":3}}",
		"{\"fact\":\"python\",\"id\":-1,\"notes\":{},\"layers\":1e30,\"free_threaded\":\"no\"}",
		"{\"fact\":\"python\",\"id\":0,\"notes\":[1,null,\"x\",{\"latin1\":\"\\u00ff\\u0100\"}]}",
		"{\"fact\":\"process\",\"id\":0,\"argv\":[[[[]]]]}", "{\"fact\":null}", "[]", "", "{",
		"{\"fact\":\"host\",\"kernel\":\"a\\u0000b\"}",
		/* Every fact without what it is about. */
		"{\"fact\":\"host\"}", "{\"fact\":\"python\"}", "{\"fact\":\"process\"}",
		"{\"fact\":\"stats\"}", "{\"fact\":\"unprobed\"}", "{\"fact\":\"late_starts\"}",
		"{\"fact\":\"unknown_starts\"}", "{\"fact\":\"hold\"}", "{\"fact\":\"lib\"}",
	};
	FILE *file = tmpfile();
	struct capture_writer *writer = NULL;
	struct tape_result result;
	struct model *model;
	struct bytes bytes;

	CHECK(!capture_writer__new(file, &writer));
	CHECK(!capture_writer__put(writer, 999, "later", 5));
	CHECK(!capture_writer__put(writer, CAPTURE_RECORD, "", 0));
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		CHECK(!capture_writer__put(writer, CAPTURE_FACT, facts[i], strlen(facts[i])));
	CHECK(!capture_writer__put(writer, CAPTURE_END, "", 0));
	CHECK(!capture_writer__flush(writer));
	capture_writer__free(writer);
	bytes = slurp(file);
	CHECK(!play(bytes.data, bytes.size, &model, &result));
	CHECK(!result.is_cut && result.record_cnt == 1 && model__malformed(model) == 1);
	model__free(model);
	free(bytes.data);
	fclose(file);
}

/* ---- records of other builds ----------------------------------------------------------------- */

static void test_refit(void)
{
	struct { struct pyi_end end; char tail[8]; } rec = { .tail = "tail" }, out;
	size_t ours = sizeof(struct pyi_end), size = sizeof(rec);

	rec.end.hdr = (struct pyi_hdr){ .kind = PYI_EV_END, .size = size, .proc = 1 };
	rec.end.id = 9;
	memcpy(rec.end.error, "ImportError", sizeof("ImportError"));
	CHECK(event_refit_sz(&rec, size, ours) == size);
	/* Written by an older build, whose END had 8 bytes less: they become 0. */
	CHECK(event_refit_sz(&rec, size, ours - 8) == size + 8);
	/* By a newer one, with 8 more: they are dropped, what follows moves up. */
	CHECK(event_refit_sz(&rec, size, ours + 8) == size - 8);
	memset(&out, 0xff, sizeof(out));
	event_refit(&rec, size, ours + 8, &out);
	CHECK(out.end.id == 9 && out.end.hdr.size == size - 8);
	CHECK(!strcmp(out.end.error, "ImportError"));
	/* Sizes that cannot be are left for decode.c to refuse. */
	CHECK(event_refit_sz(&rec, size, 0) == size);
	CHECK(event_refit_sz(&rec, size, size + 1) == size);
	rec.end.hdr.size = 7;
	CHECK(event_refit_sz(&rec, size, ours + 8) == size);
	rec.end.hdr.kind = 0xffff;
	CHECK(event_refit_sz(&rec, size, ours + 8) == size);
}

/* A header that says our END is longer than theirs. */
static void test_older_build(void)
{
	struct tape_result result;
	struct model *model;
	struct stream s;
	struct bytes bytes = record(&s);
	struct capture_header *header = (struct capture_header *)bytes.data;

	header->shapes[PYI_EV_EXIT] -= 4; /* its padding */
	CHECK(!play(bytes.data, bytes.size, &model, &result) && !result.is_damaged);
	CHECK(model__process(model, 0)->has_exit && !model__malformed(model));
	model__free(model);
	stream_close(&s);
	free(bytes.data);
}

/* ---- writing fails --------------------------------------------------------------------------- */

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
	RUN(test_round_trip);
	RUN(test_pipe);
	RUN(test_cut);
	RUN(test_damaged);
	RUN(test_foreign);
	RUN(test_lengths);
	RUN(test_unknown);
	RUN(test_refit);
	RUN(test_older_build);
	RUN(test_full);
	RUN(test_too_large);
	RUN(test_bomb);
	return unit_result();
}
