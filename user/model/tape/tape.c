// SPDX-License-Identifier: BSD-2-Clause
/* See tape.h. */
#include "model/tape/tape.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "event/capture.h"
#include "event/event.h"
#include "model/model.h"
#include "model/tape/carry.h"
#include "model/tape/side_facts.h"

#define MEMORY_FREE (512ull << 20)
#define MEMORY_RATIO_MAX 64 /* bytes of memory for one of the file; real ones take up to 19 */
#define MEMORY_STEP 4096    /* frames */

/* What counts from the begin of the trace on. */
struct totals {
	struct pyi_stats stats;
	__u64 late_starts, unknown_starts;
};

struct tape {
	struct capture_writer *writer;
	struct model *model;
	struct carry *carry;    /* NULL: all goes into one file */
	struct totals told, before; /* told so far; of that, in earlier files */
	__u64 record_cnt, refused;
	__u64 earlier_cnt, earlier_bytes; /* of records, in files that are done */
};

static void put(void *ctx, enum capture_frame_type type, const void *data, size_t size)
{
	struct tape *tape = ctx;
	int err = capture_writer__put(tape->writer, type, data, size);

	tape->record_cnt += !err && type == CAPTURE_RECORD;
	tape->refused += err == -E2BIG;
}

static void on_record(void *ctx, const void *record, size_t size)
{
	struct tape *tape = ctx;

	if (!tape->carry || !event_is_valid(record, size) || carry__record(tape->carry, record))
		put(tape, CAPTURE_RECORD, record, size);
}

/* Of a loss each file has what came in its own time. @less: room for what is told instead. */
static const void *since_begin(struct tape *tape, enum model_fact fact, const void *info,
			       struct totals *less)
{
	const __u64 *before = (const __u64 *)&tape->before.stats;
	__u64 *stats = (__u64 *)&less->stats;

	switch (fact) {
	case FACT_STATS:
		tape->told.stats = less->stats = *(const struct pyi_stats *)info;
		for (size_t i = 0; i < sizeof(less->stats) / sizeof(*stats); i++)
			stats[i] -= before[i] < stats[i] ? before[i] : stats[i];
		return &less->stats;
	case FACT_LATE_STARTS:
		tape->told.late_starts = *(const __u64 *)info;
		less->late_starts = tape->told.late_starts - tape->before.late_starts;
		return &less->late_starts;
	case FACT_UNKNOWN_STARTS:
		tape->told.unknown_starts = *(const __u64 *)info;
		less->unknown_starts = tape->told.unknown_starts - tape->before.unknown_starts;
		return &less->unknown_starts;
	default: return info;
	}
}

static void on_fact(void *ctx, enum model_fact fact, __u32 id, const void *info)
{
	struct tape *tape = ctx;
	struct totals less = {};
	size_t size;
	_cleanup_free_ char *text = side_encode(fact, id, since_begin(tape, fact, info, &less),
						&size);

	if (!text) {
		tape->refused++;
		return;
	}
	if (tape->carry)
		carry__fact(tape->carry, fact, id, info, text);
	put(tape, CAPTURE_FACT, text, size);
}

int tape__new(FILE *out, struct model *model, struct tape **tape)
{
	struct tape *t = calloc(1, sizeof(*t));
	struct model_tap tap = { .record = on_record, .fact = on_fact, .ctx = t };
	int err;

	if (!t)
		return -ENOMEM;
	err = capture_writer__new(out, &t->writer);
	if (err) {
		free(t);
		return err;
	}
	t->model = model;
	model__set_tap(model, &tap);
	*tape = t;
	return 0;
}

void tape__free(struct tape *tape)
{
	if (!tape)
		return;
	model__set_tap(tape->model, NULL);
	capture_writer__free(tape->writer);
	carry__free(tape->carry);
	free(tape);
}

int tape__carry(struct tape *tape)
{
	return carry__new(put, tape, &tape->carry);
}

int tape__next_file(struct tape *tape, FILE *out, __u64 now_ns)
{
	const struct price_info *price = model__price(tape->model);
	struct capture_writer *next;
	int err = capture_writer__new(out, &next);

	if (err)
		return err;
	err = tape__end(tape, now_ns);
	if (err) {
		capture_writer__free(next);
		return err;
	}
	tape->earlier_cnt += tape->record_cnt;
	tape->earlier_bytes += capture_writer__bytes(tape->writer);
	capture_writer__free(tape->writer);
	tape->writer = next;
	tape->record_cnt = 0;
	tape->before = tape->told;
	if (price)
		on_fact(tape, FACT_PRICE, 0, price);
	carry__next_file(tape->carry);
	return 0;
}

int tape__flush(struct tape *tape)
{
	return capture_writer__flush(tape->writer);
}

int tape__end(struct tape *tape, __u64 end_ns)
{
	struct capture_end end = { .end_ns = end_ns, .record_cnt = tape->record_cnt };

	capture_writer__put(tape->writer, CAPTURE_END, &end, sizeof(end));
	return capture_writer__flush(tape->writer);
}

__u64 tape__bytes(const struct tape *tape)
{
	return capture_writer__bytes(tape->writer);
}

__u64 tape__bytes_all(const struct tape *tape)
{
	return tape->earlier_bytes + tape__bytes(tape);
}

__u64 tape__record_cnt(const struct tape *tape)
{
	return tape->earlier_cnt + tape->record_cnt;
}

__u64 tape__refused(const struct tape *tape)
{
	return tape->refused;
}

/* Time of the latest record: the end of a trace that does not say when it ended. */
static __u64 later(__u64 end_ns, const struct capture_frame *frame)
{
	const struct pyi_hdr *hdr = frame->data;

	return frame->size >= sizeof(*hdr) && hdr->ts_ns > end_ns ? hdr->ts_ns : end_ns;
}

static int apply_frame(struct model *model, const struct capture_frame *frame, __u64 *end_ns,
		       struct tape_result *result)
{
	int err;

	switch (frame->type) {
	case CAPTURE_RECORD:
		*end_ns = later(*end_ns, frame);
		result->record_cnt++;
		return model__apply(model, frame->data, frame->size);
	case CAPTURE_FACT:
		err = side_apply(model, frame->data, frame->size);
		return err == -ENOMEM ? err : 0;
	case CAPTURE_END:
		if (frame->size >= sizeof(struct capture_end))
			*end_ns = ((const struct capture_end *)frame->data)->end_ns;
		return 0;
	}
	return 0;
}

/*
 * A file made to be small may cost any memory. The allocator is asked now and then: it walks its
 * lists.
 */
static bool is_too_much(const struct capture_reader *reader, __u64 frame_cnt)
{
	struct mallinfo2 info;

	if (frame_cnt % MEMORY_STEP)
		return false;
	info = mallinfo2();
	return info.uordblks + info.hblkhd >
	       MEMORY_FREE + MEMORY_RATIO_MAX * capture_reader__bytes(reader);
}

static int play(FILE *in, bool is_ours, struct model *model, struct tape_result *result)
{
	struct capture_reader *reader = NULL;
	struct capture_frame frame;
	__u64 end_ns = 0, frame_cnt = 0;
	int err;

	*result = (struct tape_result){};
	err = capture_reader__new(in, &reader);
	if (err)
		return err;
	if (is_ours)
		capture_reader__trust(reader);
	do {
		err = capture_reader__next(reader, &frame);
		if (err == 1)
			err = apply_frame(model, &frame, &end_ns, result) ? -ENOMEM : 1;
		if (err == 1 && !is_ours && is_too_much(reader, ++frame_cnt))
			err = -EFBIG;
	} while (err == 1);
	result->is_damaged = err == -EBADMSG;
	result->is_cut = capture_reader__is_cut(reader);
	result->bytes = capture_reader__bytes(reader);
	capture_reader__free(reader);
	if (err && !result->is_damaged)
		return err;
	if (result->is_cut)
		model__set_cut(model);
	return model__finish(model, end_ns);
}

int tape_play(FILE *in, struct model *model, struct tape_result *result)
{
	return play(in, false, model, result);
}

int tape_play_ours(FILE *in, struct model *model, struct tape_result *result)
{
	return play(in, true, model, result);
}
