// SPDX-License-Identifier: BSD-2-Clause
/*
 * Capture files: what goes in comes out, on any build; what is cut, damaged, newer or made to hurt
 * is told apart. Old captures stand in tests/golden: they must give the same reports for ever.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "event/capture.h"
#include "event/capture_format.h"
#include "event/event.h"
#include "model/tape/tape.h"
#include "report/report.h"
#include "capture_bytes.h"
#include "report/text/ranking.h"

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

int main(void)
{
	RUN(test_round_trip);
	RUN(test_pipe);
	RUN(test_cut);
	RUN(test_damaged);
	RUN(test_foreign);
	RUN(test_unknown);
	RUN(test_refit);
	RUN(test_older_build);
	return unit_result();
}
