// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the part of a start-up was given, kept until it is told, so that it can be written as a
 * capture. It stays as it came: most start-ups are never written, and compressing takes time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "event/capture.h"
#include "model/lean/lean.h"
#include "model/tape/side_facts.h"

#define KEPT_MAX (16u << 20)       /* bytes of one start-up */
#define KEPT_TOTAL_MAX (128u << 20)

struct kept {
	struct lean *lean;
	size_t sz, cap;
	bool is_cut;
	char data[]; /* struct kept_head, what it is of, padding to 8 bytes; and again */
};

struct kept_head {
	__u32 type, sz;
};

static struct kept *make_room(struct model *model, size_t sz)
{
	struct kept *kept = model->kept, *bigger;
	size_t cap = kept->cap;

	while (cap < kept->sz + sz)
		cap *= 2;
	if (cap == kept->cap)
		return kept;
	if (cap > KEPT_MAX || kept->lean->kept_bytes + cap - kept->cap > KEPT_TOTAL_MAX)
		return NULL;
	bigger = realloc(kept, sizeof(*kept) + cap);
	if (!bigger)
		return NULL;
	bigger->lean->kept_bytes += cap - bigger->cap;
	bigger->cap = cap;
	return model->kept = bigger;
}

static void put(struct model *model, enum capture_frame_type type, const void *data, size_t sz)
{
	const struct kept_head head = { .type = type, .sz = (__u32)sz };
	size_t padded = (sz + 7) & ~(size_t)7;
	struct kept *kept = model->kept;

	if (kept->is_cut || sz > KEPT_MAX)
		return;
	kept = make_room(model, sizeof(head) + padded);
	if (!kept) {
		model->kept->is_cut = true;
		return;
	}
	memcpy(kept->data + kept->sz, &head, sizeof(head));
	memcpy(kept->data + kept->sz + sizeof(head), data, sz);
	kept->sz += sizeof(head) + padded;
}

static void on_record(void *ctx, const void *record, size_t size)
{
	put(ctx, CAPTURE_RECORD, record, size);
}

static void on_fact(void *ctx, enum model_fact fact, __u32 id, const void *info)
{
	size_t sz;
	_cleanup_free_ char *text = side_encode(fact, id, info, &sz);

	if (text)
		put(ctx, CAPTURE_FACT, text, sz);
}

void kept_begin(struct lean *lean, struct model *part)
{
	const struct model_tap tap = { .record = on_record, .fact = on_fact, .ctx = part };
	const size_t cap = 4096;

	part->kept = malloc(sizeof(*part->kept) + cap);
	if (!part->kept)
		return;
	*part->kept = (struct kept){ .lean = lean, .cap = cap };
	lean->kept_bytes += cap;
	model__set_tap(part, &tap);
}

void kept_end(struct model *part)
{
	if (!part->kept)
		return;
	part->kept->lean->kept_bytes -= part->kept->cap;
	model__set_tap(part, NULL);
	free(part->kept);
	part->kept = NULL;
}

static void write_fact(struct capture_writer *writer, enum model_fact fact, __u32 id,
		       const void *info)
{
	size_t sz;
	_cleanup_free_ char *text = side_encode(fact, id, info, &sz);

	if (text)
		capture_writer__put(writer, CAPTURE_FACT, text, sz);
}

/* What is known of the host and its interpreters belongs to the whole. */
static void write_whole(struct capture_writer *writer, const struct model *whole, __u64 end_ns)
{
	const struct python_state *python;
	struct host_info host = whole->host;

	host.trace_end_ns = end_ns;
	write_fact(writer, FACT_HOST, 0, &host);
	for (python = whole->pythons; python; python = python->hh.next)
		write_fact(writer, FACT_PYTHON, python->layout, &python->info);
	if (whole->has_price)
		write_fact(writer, FACT_PRICE, 0, &whole->price);
	if (whole->has_stats)
		write_fact(writer, FACT_STATS, 0, &whole->stats);
}

int model__write_kept(const struct model *part, __u64 end_ns, FILE *out)
{
	const struct kept *kept = part->kept;
	struct capture_end end = { .end_ns = end_ns };
	struct capture_writer *writer = NULL;
	struct kept_head head;
	int err = kept ? capture_writer__new(out, &writer) : -ENODATA;

	if (err)
		return err;
	for (size_t at = 0; at < kept->sz; at += sizeof(head) + ((head.sz + 7) & ~7u)) {
		memcpy(&head, kept->data + at, sizeof(head));
		capture_writer__put(writer, head.type, kept->data + at + sizeof(head), head.sz);
		end.record_cnt += head.type == CAPTURE_RECORD;
	}
	write_whole(writer, part->whole, end_ns);
	if (!kept->is_cut) /* a reader tells what has no end from what has one */
		capture_writer__put(writer, CAPTURE_END, &end, sizeof(end));
	err = capture_writer__flush(writer);
	capture_writer__free(writer);
	return err;
}
