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

#define FIRST_SZ (4u << 10)        /* a program that is no Python sends no more */
#define CHUNK_SZ (32u << 10)       /* all of one size, or larger: what one leaves fits the next */

struct kept_chunk {
	struct kept_chunk *next;
	size_t used, sz;
	char data[]; /* struct kept_head, what it is of, padding to 8 bytes; and again */
};

struct kept {
	struct lean *lean;
	size_t sz; /* of all chunks */
	bool is_cut;
	struct kept_chunk *first, *last;
};

struct kept_head {
	__u32 type, sz;
};

/* Room for @sz bytes in a row; NULL: no memory, or more than may be kept. */
static char *make_room(struct kept *kept, size_t sz)
{
	struct kept_chunk *chunk = kept->last;
	size_t chunk_sz = sz > CHUNK_SZ ? sz : CHUNK_SZ;

	if (chunk && chunk->sz - chunk->used >= sz) {
		chunk->used += sz;
		return chunk->data + chunk->used - sz;
	}
	if (!chunk && sz < FIRST_SZ)
		chunk_sz = FIRST_SZ;
	if (kept->sz + chunk_sz > KEPT_MAX ||
	    kept->lean->kept_bytes + chunk_sz > KEPT_TOTAL_MAX)
		return NULL;
	chunk = malloc(sizeof(*chunk) + chunk_sz);
	if (!chunk)
		return NULL;
	*chunk = (struct kept_chunk){ .used = sz, .sz = chunk_sz };
	if (kept->last)
		kept->last->next = chunk;
	else
		kept->first = chunk;
	kept->last = chunk;
	kept->sz += chunk_sz;
	kept->lean->kept_bytes += chunk_sz;
	return chunk->data;
}

static void put(struct model *model, enum capture_frame_type type, const void *data, size_t sz)
{
	const struct kept_head head = { .type = type, .sz = (__u32)sz };
	size_t padded = (sz + 7) & ~(size_t)7;
	struct kept *kept = model->kept;
	char *at;

	if (kept->is_cut || sz > KEPT_MAX)
		return;
	at = make_room(kept, sizeof(head) + padded);
	if (!at) {
		kept->is_cut = true;
		return;
	}
	memcpy(at, &head, sizeof(head));
	memcpy(at + sizeof(head), data, sz);
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

	part->kept = calloc(1, sizeof(*part->kept));
	if (!part->kept)
		return;
	part->kept->lean = lean;
	model__set_tap(part, &tap);
}

void kept_end(struct model *part)
{
	struct kept_chunk *chunk, *next;

	if (!part->kept)
		return;
	part->kept->lean->kept_bytes -= part->kept->sz;
	model__set_tap(part, NULL);
	for (chunk = part->kept->first; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
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

/* How many records it has. */
static __u64 write_chunk(struct capture_writer *writer, const struct kept_chunk *chunk)
{
	struct kept_head head;
	__u64 cnt = 0;

	for (size_t at = 0; at < chunk->used; at += sizeof(head) + ((head.sz + 7) & ~7u)) {
		memcpy(&head, chunk->data + at, sizeof(head));
		capture_writer__put(writer, head.type, chunk->data + at + sizeof(head), head.sz);
		cnt += head.type == CAPTURE_RECORD;
	}
	return cnt;
}

int model__write_kept(const struct model *part, __u64 end_ns, FILE *out)
{
	const struct kept *kept = part->kept;
	struct capture_end end = { .end_ns = end_ns };
	struct capture_writer *writer = NULL;
	int err = kept ? capture_writer__new(out, &writer) : -ENODATA;

	if (err)
		return err;
	for (const struct kept_chunk *chunk = kept->first; chunk; chunk = chunk->next)
		end.record_cnt += write_chunk(writer, chunk);
	write_whole(writer, part->whole, end_ns);
	if (!kept->is_cut) /* a reader tells what has no end from what has one */
		capture_writer__put(writer, CAPTURE_END, &end, sizeof(end));
	err = capture_writer__flush(writer);
	capture_writer__free(writer);
	return err;
}
