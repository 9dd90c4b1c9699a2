// SPDX-License-Identifier: BSD-2-Clause
/* See tape.h. */
#include "model/tape/tape.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "event/capture.h"
#include "model/model.h"
#include "model/tape/side_facts.h"

#define MEMORY_FREE (512ull << 20)
#define MEMORY_RATIO_MAX 32 /* bytes of memory for one of the file; real ones take up to 17 */
#define MEMORY_STEP 4096    /* frames */

struct tape {
	struct capture_writer *writer;
	struct model *model;
	__u64 record_cnt, refused;
};

static void on_record(void *ctx, const void *record, size_t size)
{
	struct tape *tape = ctx;
	int err = capture_writer__put(tape->writer, CAPTURE_RECORD, record, size);

	tape->record_cnt += !err;
	tape->refused += err == -E2BIG;
}

static void on_fact(void *ctx, enum model_fact fact, __u32 id, const void *info)
{
	struct tape *tape = ctx;
	size_t size;
	_cleanup_free_ char *text = side_encode(fact, id, info, &size);

	if (!text || capture_writer__put(tape->writer, CAPTURE_FACT, text, size) == -E2BIG)
		tape->refused++;
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
	free(tape);
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

__u64 tape__record_cnt(const struct tape *tape)
{
	return tape->record_cnt;
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
