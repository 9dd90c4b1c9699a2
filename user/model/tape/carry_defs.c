// SPDX-License-Identifier: BSD-2-Clause
/* What records refer to: code objects, statements, namespaces of modules, paths. See carry.h. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/tape/carry_state.h"
#include "pyimport_file.h"

void carry_put_frames(struct carry *carry, const struct packed_frames *frames)
{
	struct unpacked_frame *frame = &carry->frame;

	for (size_t at = 0; packed_frames__next(frames, &at, frame);) {
		if (frame->type == CAPTURE_RECORD)
			((struct pyi_hdr *)frame->data)->flags |= PYI_F_CARRIED;
		carry->put(carry->ctx, frame->type, frame->data, frame->size);
	}
}

static struct def *find(const struct carry *carry, enum def_kind kind, __u64 key)
{
	return keymap__find(&carry->defs[kind], key);
}

static void def_free(struct carry *carry, struct def *def)
{
	/* Another one may have its key by now. */
	if (find(carry, def->kind, def->key) == def)
		keymap__remove(&carry->defs[def->kind], def->key);
	packed_frames__clear(&def->frames);
	free(def);
}

/* Without memory a later file does not know it: null there, as if it had not been read. */
void defs_add(struct carry *carry, struct image *image, enum def_kind kind, __u64 key,
	      const struct pyi_hdr *hdr)
{
	struct def *def = find(carry, kind, key), **list;

	if (def)
		return;
	def = calloc(1, sizeof(*def));
	if (!def)
		return;
	*def = (struct def){ .key = key, .kind = kind, .file = carry->file };
	if (packed_frames__add(&def->frames, CAPTURE_RECORD, hdr, hdr->size) ||
	    keymap__set(&carry->defs[kind], key, def)) {
		packed_frames__clear(&def->frames);
		free(def);
		return;
	}
	list = image ? &image->defs : &carry->shared;
	def->next = *list;
	*list = def;
}

void defs_extend(struct carry *carry, enum def_kind kind, __u64 key, const struct pyi_hdr *hdr)
{
	struct def *def = find(carry, kind, key);

	if (def)
		(void)packed_frames__add(&def->frames, CAPTURE_RECORD, hdr, hdr->size);
}

static void need(struct carry *carry, enum def_kind kind, __u64 key)
{
	struct def *def = key ? find(carry, kind, key) : NULL;

	if (!def || def->file == carry->file)
		return;
	def->file = carry->file;
	carry_put_frames(carry, &def->frames);
}

static void need_frames(struct carry *carry, const struct pyi_frames *rec)
{
	for (__u32 i = 0; i < rec->cnt; i++)
		need(carry, DEF_CODE, rec->frames[i].code);
}

/* A statement refers to code in turn. */
static void need_edge(struct carry *carry, __u32 id)
{
	const struct def *def = id ? find(carry, DEF_EDGE, id) : NULL;
	struct unpacked_frame frame = {};

	if (!def || def->file == carry->file)
		return;
	for (size_t at = 0; packed_frames__next(&def->frames, &at, &frame);) {
		const struct pyi_hdr *hdr = frame.data;

		if (hdr->kind == PYI_EV_EDGE)
			need(carry, DEF_CODE, ((const struct pyi_edge *)frame.data)->frame.code);
		else if (hdr->kind == PYI_EV_FRAMES)
			need_frames(carry, frame.data);
	}
	free(frame.data);
	need(carry, DEF_EDGE, id);
}

void defs_need(struct carry *carry, const struct pyi_hdr *hdr)
{
	const struct pyi_begin *begin = (const void *)hdr;
	const struct pyi_frames *frames = (const void *)hdr;

	switch (hdr->kind) {
	case PYI_EV_BEGIN:
		need_edge(carry, begin->edge);
		need(carry, DEF_CODE, begin->code);
		need(carry, DEF_CODE, begin->frame.code);
		return;
	case PYI_EV_MARK:
		need(carry, DEF_CODE, ((const struct pyi_mark *)(const void *)hdr)->frame.code);
		return;
	case PYI_EV_EDGE:
		need(carry, DEF_CODE, ((const struct pyi_edge *)(const void *)hdr)->frame.code);
		return;
	case PYI_EV_FRAMES:
		need_edge(carry, frames->edge);
		need_frames(carry, frames);
		return;
	case PYI_EV_FROM:
	case PYI_EV_BOUND:
		need_edge(carry, ((const struct pyi_from *)(const void *)hdr)->edge);
		return;
	case PYI_EV_FILE:
		need(carry, DEF_PATH, ((const struct pyi_file *)(const void *)hdr)->key.path);
		return;
	}
}

static struct pyi_namespace *new_namespace(const struct pyi_begin *begin)
{
	size_t size = sizeof(struct pyi_namespace) + begin->name.sz;
	struct pyi_namespace *rec = calloc(1, size);

	if (!rec)
		return NULL;
	rec->hdr = begin->hdr;
	rec->hdr.kind = PYI_EV_NAMESPACE;
	rec->hdr.size = size;
	rec->globals = begin->globals;
	rec->name = begin->name;
	memcpy(rec->text, begin->text, begin->name.sz);
	return rec;
}

static bool is_same_name(const struct def *def, const struct pyi_namespace *rec)
{
	struct unpacked_frame frame = {};
	const struct pyi_namespace *known;
	size_t at = 0;
	bool is_same;

	if (!packed_frames__next(&def->frames, &at, &frame))
		return false;
	known = frame.data;
	is_same = known->name.sz == rec->name.sz && !memcmp(known->text, rec->text, rec->name.sz);
	free(frame.data);
	return is_same;
}

/* Of those whose globals lie at the same address the last that was told counts. */
struct pyi_namespace *defs_namespace(struct carry *carry, struct image *image,
				     const struct pyi_begin *begin)
{
	__u64 key = begin->globals ^ (__u64)image->serial << 48 ^ image->serial >> 16;
	_cleanup_free_ struct pyi_namespace *rec = NULL;
	struct def *def;
	bool was_known;

	if (begin->span != PYI_SPAN_BODY || !begin->globals || !begin->name.sz)
		return NULL;
	need(carry, DEF_NAMESPACE, key);
	def = find(carry, DEF_NAMESPACE, key);
	rec = new_namespace(begin);
	if (!rec)
		return NULL;
	was_known = def && is_same_name(def, rec);
	if (def && !was_known) {
		packed_frames__clear(&def->frames);
		(void)packed_frames__add(&def->frames, CAPTURE_RECORD, rec, rec->hdr.size);
	} else if (!def) {
		defs_add(carry, image, DEF_NAMESPACE, key, &rec->hdr);
	}
	return was_known ? TAKE_PTR(rec) : NULL;
}

bool defs_count(struct carry *carry, const struct pyi_edge_count *rec)
{
	struct def *def = find(carry, DEF_EDGE, rec->id);
	struct pyi_edge_count grown = *rec;

	if (!def) /* its image ended in this file, or in an earlier one, which has had them */
		return rec->hdr.proc >= carry->first_serial;
	grown.count -= def->count;
	grown.loads -= def->loads;
	def->count = rec->count;
	def->loads = rec->loads;
	if (grown.count)
		need_edge(carry, rec->id);
	if (def->file == carry->file)
		carry->put(carry->ctx, CAPTURE_RECORD, &grown, sizeof(grown));
	return false;
}

/* Counts of a statement that an earlier file has, too, are still to be told less those. */
static bool is_still_counted(const struct carry *carry, const struct image *image,
			     const struct def *def)
{
	return def->kind == DEF_EDGE && def->file == carry->file &&
	       image->serial < carry->first_serial;
}

void defs_end(struct carry *carry, struct image *image)
{
	struct def *def;

	while ((def = image->defs)) {
		image->defs = def->next;
		if (is_still_counted(carry, image, def)) {
			packed_frames__clear(&def->frames);
			def->next = carry->left;
			carry->left = def;
		} else {
			def_free(carry, def);
		}
	}
}

static void free_list(struct carry *carry, struct def **list)
{
	struct def *def;

	while ((def = *list)) {
		*list = def->next;
		def_free(carry, def);
	}
}

void defs_next_file(struct carry *carry)
{
	free_list(carry, &carry->left);
}

void defs_free(struct carry *carry)
{
	free_list(carry, &carry->left);
	free_list(carry, &carry->shared);
	for (int i = 0; i < DEF_KINDS; i++)
		keymap__free(&carry->defs[i]);
}
