// SPDX-License-Identifier: BSD-2-Clause
/* See carry.h. This file: images, and what becomes of each kind of record. */
#include "model/tape/carry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "model/tape/carry_state.h"
#include "pyimport_charge.h"
#include "pyimport_file.h"

#define FACTS_MAX 16 /* of one image */

/* ---- side facts */

static bool has_key(const struct fact *fact, const char *key, const char *text)
{
	if (key || fact->key)
		return key && fact->key && !strcmp(key, fact->key);
	return !strcmp(fact->text, text);
}

static void fact_free(struct fact *fact)
{
	free(fact->key);
	free(fact);
}

/* Behind those that are there, but for the one whose place it takes. */
static struct fact *fact_add(struct image *image, const char *key, const char *text)
{
	struct fact **at = &image->facts, *fact, *old;
	int cnt = 0;

	while ((old = *at) && !has_key(old, key, text)) {
		at = &old->next;
		cnt++;
	}
	fact = cnt < FACTS_MAX ? calloc(1, sizeof(*fact) + strlen(text) + 1) : NULL;
	if (!fact)
		return NULL;
	memcpy(fact->text, text, strlen(text) + 1);
	fact->key = key ? strdup(key) : NULL;
	fact->next = old ? old->next : NULL;
	*at = fact;
	if (old)
		fact_free(old);
	return fact;
}

void carry__fact(struct carry *carry, enum model_fact kind, __u32 serial, const void *info,
		 const char *text)
{
	const struct throttle_info *throttle = info;
	const struct process_info *process = info;
	struct image *image = keymap__find(&carry->images, serial);
	struct fact *fact;

	if (image && kind == FACT_PROCESS) {
		fact = fact_add(image, NULL, text);
		if (fact)
			fact->is_own = process->ppid || process->nspid;
	} else if (image && kind == FACT_THROTTLE) {
		fact_add(image, throttle->cgroup ? throttle->cgroup : "", text);
	}
}

/* The id is the image's: a forked child has what its parent was told. */
static void put_fact(struct carry *carry, const struct image *image, const struct fact *fact)
{
	const char *id = strstr(fact->text, "\"id\":"), *rest;
	char *text;
	int size;

	if (!id)
		return;
	id += strlen("\"id\":");
	rest = id + strspn(id, "0123456789");
	size = asprintf(&text, "%.*s%u%s", (int)(id - fact->text), fact->text, image->serial, rest);
	if (size < 0)
		return;
	carry->put(carry->ctx, CAPTURE_FACT, text, (size_t)size);
	free(text);
}

/* ---- images */

static void image_end(struct carry *carry, struct image *image)
{
	struct fact *fact;

	spans_end_thread(carry, image, 0);
	defs_end(carry, image);
	while ((fact = image->facts)) {
		image->facts = fact->next;
		fact_free(fact);
	}
	packed_frames__clear(&image->exec);
	packed_frames__clear(&image->python);
	keymap__remove(&carry->images, image->serial);
	if (keymap__find(&carry->by_tgid, image->tgid) == image)
		keymap__remove(&carry->by_tgid, image->tgid);
	DL_DELETE(carry->list, image);
	free(image);
}

/* What lives under the pid now. NULL: no memory, and later files do not know it. */
static struct image *image_get(struct carry *carry, __u32 serial, __u32 tgid)
{
	struct image *image = keymap__find(&carry->images, serial), *old;

	if (image)
		return image;
	old = keymap__find(&carry->by_tgid, tgid);
	if (old)
		image_end(carry, old);
	image = calloc(1, sizeof(*image));
	if (!image || keymap__set(&carry->images, serial, image)) {
		free(image);
		return NULL;
	}
	if (keymap__set(&carry->by_tgid, tgid, image)) {
		keymap__remove(&carry->images, serial);
		free(image);
		return NULL;
	}
	image->serial = serial;
	image->tgid = tgid;
	if (serial > carry->last_serial)
		carry->last_serial = serial;
	DL_APPEND(carry->list, image);
	return image;
}

static void set_record(struct packed_frames *frames, const struct pyi_hdr *hdr)
{
	packed_frames__clear(frames);
	(void)packed_frames__add(frames, CAPTURE_RECORD, hdr, hdr->size);
}

/* What the record says of the parent, as of a child that is forked from it now. */
static void hand_down(const struct packed_frames *from, const struct pyi_fork *rec, __u32 ppid,
		      struct packed_frames *to)
{
	struct unpacked_frame frame = {};

	for (size_t at = 0; packed_frames__next(from, &at, &frame);) {
		struct pyi_exec *exec = frame.data; /* or what begins alike */

		exec->hdr.proc = rec->child_proc;
		exec->hdr.tgid = exec->hdr.tid = rec->child_tgid;
		exec->hdr.ts_ns = rec->hdr.ts_ns;
		if (exec->hdr.kind == PYI_EV_EXEC) {
			exec->ppid = ppid;
			exec->nspid = rec->child_nspid;
		}
		(void)packed_frames__add(to, CAPTURE_RECORD, frame.data, frame.size);
	}
	free(frame.data);
}

static void image_fork(struct carry *carry, const struct pyi_fork *rec)
{
	const struct image *parent = image_get(carry, rec->hdr.proc, rec->hdr.tgid);
	bool is_new = !keymap__find(&carry->images, rec->child_proc);
	struct image *child;

	if (!rec->child_proc || !is_new || rec->child_tgid == rec->hdr.tgid)
		return;
	child = image_get(carry, rec->child_proc, rec->child_tgid);
	if (!child || !parent)
		return;
	hand_down(&parent->exec, rec, rec->hdr.tgid, &child->exec);
	if (rec->hdr.flags & PYI_F_VFORK)
		return; /* it only lives to exec */
	hand_down(&parent->python, rec, rec->hdr.tgid, &child->python);
	for (const struct fact *fact = parent->facts; fact; fact = fact->next)
		if (!fact->key && !fact->is_own)
			fact_add(child, NULL, fact->text);
	spans_fork(carry, parent, rec->hdr.tid, child);
}

/* Records that show a process to live; others may come after it has ended. */
static bool is_sign_of_life(__u16 kind)
{
	return kind == PYI_EV_EXEC || kind == PYI_EV_PYTHON || kind == PYI_EV_INVENTORY ||
	       kind == PYI_EV_BEGIN;
}

static void note_mark(struct carry *carry, const struct image *image, const struct pyi_mark *mark)
{
	if (mark->mark != PYI_MARK_LAZY_DECLARE && mark->mark != PYI_MARK_LAZY_RESOLVE)
		spans_note(carry, image, mark->id, &mark->hdr);
}

static void note_begin(struct carry *carry, struct image *image, const struct pyi_begin *rec)
{
	_cleanup_free_ struct pyi_namespace *known = defs_namespace(carry, image, rec);

	spans_begin(carry, image, rec, known ? &known->hdr : NULL);
}

static void note_of(struct carry *carry, struct image *image, const struct pyi_hdr *hdr)
{
	const void *rec = hdr;
	const struct pyi_frames *frames = rec;

	switch (hdr->kind) {
	case PYI_EV_EXEC: set_record(&image->exec, hdr); return;
	case PYI_EV_PYTHON: set_record(&image->python, hdr); return;
	case PYI_EV_EXIT: image_end(carry, image); return;
	case PYI_EV_THREAD_EXIT: spans_end_thread(carry, image, hdr->tid); return;
	case PYI_EV_BEGIN:
		note_begin(carry, image, rec);
		return;
	case PYI_EV_END: spans_end(carry, image, rec); return;
	case PYI_EV_MARK: note_mark(carry, image, rec); return;
	case PYI_EV_CODE:
		defs_add(carry, image, DEF_CODE, ((const struct pyi_code *)rec)->id, hdr);
		return;
	case PYI_EV_EDGE:
		defs_add(carry, image, DEF_EDGE, ((const struct pyi_edge *)rec)->id, hdr);
		return;
	case PYI_EV_FROM:
	case PYI_EV_BOUND:
		defs_extend(carry, DEF_EDGE, ((const struct pyi_from *)rec)->edge, hdr);
		return;
	case PYI_EV_FRAMES:
		if (frames->edge)
			defs_extend(carry, DEF_EDGE, frames->edge, hdr);
		else
			spans_note(carry, image, frames->span, hdr);
		return;
	}
}

bool carry__record(struct carry *carry, const struct pyi_hdr *hdr)
{
	const void *rec = hdr;
	struct image *image;

	defs_need(carry, hdr);
	switch (hdr->kind) {
	case PYI_EV_EDGE_COUNT: return defs_count(carry, rec);
	case PYI_EV_FORK: image_fork(carry, rec); return true;
	case PYI_EV_CHARGED: set_record(&carry->charged, hdr); return true;
	case PYI_EV_PATH:
		defs_add(carry, NULL, DEF_PATH, ((const struct pyi_path *)rec)->key, hdr);
		return true;
	}
	image = is_sign_of_life(hdr->kind) ? image_get(carry, hdr->proc, hdr->tgid) :
					     keymap__find(&carry->images, hdr->proc);
	if (image)
		note_of(carry, image, hdr);
	return true;
}

static void put_image(struct carry *carry, const struct image *image)
{
	const struct open *open;

	carry_put_frames(carry, &image->exec);
	carry_put_frames(carry, &image->python);
	for (const struct fact *fact = image->facts; fact; fact = fact->next)
		put_fact(carry, image, fact);
	for (open = image->opens; open; open = open->next) {
		struct unpacked_frame frame = {};

		for (size_t at = 0; packed_frames__next(&open->frames, &at, &frame);)
			defs_need(carry, frame.data);
		free(frame.data);
		carry_put_frames(carry, &open->frames);
	}
}

void carry__next_file(struct carry *carry)
{
	const struct image *image;

	carry->file++;
	carry->first_serial = carry->last_serial + 1;
	defs_next_file(carry);
	carry_put_frames(carry, &carry->charged);
	for (image = carry->list; image; image = image->next)
		put_image(carry, image);
}

int carry__new(carry_put_fn put, void *ctx, struct carry **out)
{
	struct carry *carry = calloc(1, sizeof(*carry));

	if (!carry)
		return -ENOMEM;
	carry->put = put;
	carry->ctx = ctx;
	carry->file = 1;
	*out = carry;
	return 0;
}

void carry__free(struct carry *carry)
{
	if (!carry)
		return;
	while (carry->list)
		image_end(carry, carry->list);
	defs_free(carry);
	keymap__free(&carry->images);
	keymap__free(&carry->by_tgid);
	keymap__free(&carry->opens);
	packed_frames__clear(&carry->charged);
	free(carry->frame.data);
	free(carry);
}
