// SPDX-License-Identifier: BSD-2-Clause
/*
 * Spans that are open: a load that ends in the next file is whole there. So its begin is kept, with
 * its frames, its marks, and those parts of it (body, dlopen) that have ended; not the loads inside
 * it that have, as those are in this file. See carry.h.
 */
#include <stdlib.h>
#include <utlist.h>

#include "model/tape/carry_state.h"

#define NOTED_MAX (32u << 10) /* bytes of one span; real ones take a tenth of it */
#define ABOVE_MAX 1024        /* spans around one that are looked at */

static __u64 key_of(const struct image *image, __u32 id)
{
	return (__u64)image->serial << 32 | id;
}

static struct open *find(const struct carry *carry, const struct image *image, __u32 id)
{
	return id ? keymap__find(&carry->opens, key_of(image, id)) : NULL;
}

static struct open *open_add(struct carry *carry, struct image *image, __u32 id)
{
	struct open *open = calloc(1, sizeof(*open));

	if (!open || keymap__set(&carry->opens, key_of(image, id), open)) {
		free(open);
		return NULL;
	}
	open->id = id;
	DL_APPEND(image->opens, open);
	return open;
}

static void open_free(struct carry *carry, struct image *image, struct open *open)
{
	keymap__remove(&carry->opens, key_of(image, open->id));
	DL_DELETE(image->opens, open);
	packed_frames__clear(&open->frames);
	free(open);
}

static void note(struct open *open, const struct pyi_hdr *hdr)
{
	if (open->frames.sz < NOTED_MAX)
		(void)packed_frames__add(&open->frames, CAPTURE_RECORD, hdr, hdr->size);
}

void spans_begin(struct carry *carry, struct image *image, const struct pyi_begin *rec,
		 const struct pyi_hdr *before)
{
	struct open *open = find(carry, image, rec->id) ? NULL : open_add(carry, image, rec->id);

	if (!open)
		return;
	open->parent = rec->parent;
	open->tid = rec->hdr.tid;
	open->span = rec->span;
	open->is_switching = rec->hdr.flags & PYI_F_SWITCHING;
	if (before)
		note(open, before);
	note(open, &rec->hdr);
}

void spans_note(struct carry *carry, const struct image *image, __u32 id,
		const struct pyi_hdr *hdr)
{
	struct open *open = find(carry, image, id);

	if (open)
		note(open, hdr);
}

/* A load is told by the parts of the call that made it, by no other. */
static bool has_parts(const struct open *open)
{
	return open->span == PYI_SPAN_FIND || open->span == PYI_SPAN_SEARCH ||
	       open->span == PYI_SPAN_DYNAMIC;
}

static bool is_part(const struct open *open)
{
	return open->span != PYI_SPAN_FIND && open->span != PYI_SPAN_SEARCH;
}

static bool is_inside(const struct carry *carry, const struct image *image,
		      const struct open *open, const struct open *around)
{
	for (int i = 0; open && open != around && i < ABOVE_MAX; i++)
		open = find(carry, image, open->parent);
	return open == around;
}

/* The ends of what is still open inside it were not seen, and will not be. */
static void lose_inside(struct carry *carry, struct image *image, const struct open *around)
{
	struct open *open = image->opens ? image->opens->prev : NULL, *prev;

	while (open && open != around) {
		prev = open->prev;
		if (open->tid == around->tid && is_inside(carry, image, open, around))
			open_free(carry, image, open);
		open = prev;
	}
}

void spans_end(struct carry *carry, struct image *image, const struct pyi_end *rec)
{
	struct open *open = find(carry, image, rec->id), *around;

	if (!open)
		return;
	if (!open->is_switching)
		lose_inside(carry, image, open);
	around = is_part(open) ? find(carry, image, open->parent) : NULL;
	if (around && has_parts(around) && around->frames.sz + open->frames.sz < NOTED_MAX) {
		(void)packed_frames__append(&around->frames, &open->frames);
		note(around, &rec->hdr);
	}
	open_free(carry, image, open);
}

void spans_end_thread(struct carry *carry, struct image *image, __u32 tid)
{
	struct open *open, *next;

	DL_FOREACH_SAFE(image->opens, open, next)
		if (!tid || open->tid == tid)
			open_free(carry, image, open);
}

/* The same record, as it is in the child. Its statement is the parent's. */
static void hand_down(struct packed_frames *to, void *record, size_t size,
		      const struct image *child)
{
	struct pyi_hdr *hdr = record;
	struct pyi_begin *begin = record;

	hdr->proc = child->serial;
	hdr->tgid = hdr->tid = child->tgid;
	hdr->flags |= PYI_F_INHERITED;
	if (hdr->kind == PYI_EV_BEGIN)
		begin->edge = 0;
	(void)packed_frames__add(to, CAPTURE_RECORD, record, size);
}

void spans_fork(struct carry *carry, const struct image *parent, __u32 tid, struct image *child)
{
	struct unpacked_frame frame = {};
	struct open *open, *copy;

	for (open = parent->opens; open; open = open->next) {
		copy = open->tid == tid ? open_add(carry, child, open->id) : NULL;
		if (!copy)
			continue;
		copy->parent = open->parent;
		copy->tid = child->tgid;
		copy->span = open->span;
		copy->is_switching = open->is_switching;
		for (size_t at = 0; packed_frames__next(&open->frames, &at, &frame);)
			hand_down(&copy->frames, frame.data, frame.size, child);
	}
	free(frame.data);
}
