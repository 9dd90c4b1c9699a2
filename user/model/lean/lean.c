// SPDX-License-Identifier: BSD-2-Clause
/*
 * Each process image has a small model of its own, a part, that is freed once the image has ended
 * and what the kernel counted of it has come. An image that was forked shares the part of its
 * parent if imports are watched, as it goes on in the middle of its parent's. What is told once per
 * trace, the paths, belongs to the whole. Where start-ups are folded (fold.c), a part is that of
 * one start-up: a program that replaces itself goes on in the same one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "model/causes/charge.h"
#include "model/lean/lean.h"
#include "model/state/path.h"
#include "model/state/process_table.h"

#define IMAGES_MAX 16 /* of one part: a program that replaces itself without end */

static void part_free(struct lean *lean, struct part *part)
{
	while (part->members) {
		struct member *member = part->members;

		part->members = member->next;
		/* The analyser forgets that the head of a table has no predecessor. */
		if (!member->is_ended)
			HASH_DELETE(hh_tgid, lean->by_tgid, member); // NOLINT
		HASH_DELETE(hh, lean->by_serial, member); // NOLINT
		free(member);
	}
	DL_DELETE2(lean->parts, part, prev_part, next_part);
	kept_end(part->model);
	model__free(part->model);
	free(part);
}

static struct part *part_new(struct model *model)
{
	struct part *part = calloc(1, sizeof(*part));

	if (part)
		part->model = part_model_new(model);
	if (!part || !part->model) {
		free(part);
		return NULL;
	}
	DL_APPEND2(model->lean->parts, part, prev_part, next_part);
	if (model->lean->opts.is_kept)
		kept_begin(model->lean, part->model);
	return part;
}

static struct member *find(const struct lean *lean, __u32 serial)
{
	struct member *member;

	HASH_FIND(hh, lean->by_serial, &serial, sizeof(serial), member);
	return member;
}

static void end(struct lean *lean, struct member *member, __u64 ts_ns)
{
	struct part *part = member->part;

	if (member->is_ended)
		return;
	member->is_ended = true;
	HASH_DELETE(hh_tgid, lean->by_tgid, member);
	if (--part->living_cnt)
		return;
	part->ended_ns = ts_ns;
	part->next = NULL;
	*lean->ended_end = part;
	lean->ended_end = &part->next;
}

/* @part NULL: one of its own. */
static struct member *add(struct model *model, __u32 serial, __u32 tgid, __u64 ts_ns,
			  struct part *part)
{
	struct member *member = calloc(1, sizeof(*member)), *old;
	struct lean *lean = model->lean;

	if (member && !part)
		part = part_new(model);
	if (!member || !part) {
		free(member);
		return NULL;
	}
	HASH_FIND(hh_tgid, lean->by_tgid, &tgid, sizeof(tgid), old);
	part->living_cnt++; /* first: it may be that of the image which ends here */
	if (old) /* its exit was lost, or this is an exec */
		end(lean, old, ts_ns);
	*member = (struct member){ .serial = serial, .tgid = tgid, .part = part,
				   .next = part->members };
	part->members = member;
	HASH_ADD(hh, lean->by_serial, serial, sizeof(member->serial), member);
	HASH_ADD(hh_tgid, lean->by_tgid, tgid, sizeof(member->tgid), member);
	return member;
}

/* Of what a part is told: the rest costs memory and answers nothing that is asked of it. */
static bool is_wanted(const struct lean *lean, const struct pyi_hdr *hdr)
{
	bool is_folded = lean->opts.on_fold;

	switch (hdr->kind) {
	case PYI_EV_EXEC:
	case PYI_EV_FORK:
	case PYI_EV_PYTHON:
	case PYI_EV_FILE:
	case PYI_EV_EXIT: return true;
	case PYI_EV_INVENTORY: return !is_folded;
	case PYI_EV_BEGIN:
	case PYI_EV_END:
	case PYI_EV_MARK:
	case PYI_EV_FRAMES:
	case PYI_EV_CODE:
	case PYI_EV_THREAD_EXIT: return is_folded || lean->opts.is_watched;
	case PYI_EV_EDGE: return lean->opts.is_watched;
	case PYI_EV_CHARGE:
	case PYI_EV_PHASE: return is_folded;
	case PYI_EV_NET: return is_folded && ((const struct pyi_net *)hdr)->value.span;
	}
	return false;
}

/* Records that show a process to live; others may come after it has ended. */
static bool is_sign_of_life(__u16 kind)
{
	return kind == PYI_EV_EXEC || kind == PYI_EV_FORK || kind == PYI_EV_PYTHON ||
	       kind == PYI_EV_INVENTORY || kind == PYI_EV_BEGIN;
}

static int apply_fork(struct model *model, struct member *parent, const struct pyi_fork *rec)
{
	bool is_shared = model->lean->opts.is_watched && !(rec->hdr.flags & PYI_F_VFORK);
	struct process_state *state;
	struct member *child;

	if (!rec->child_proc || find(model->lean, rec->child_proc))
		return 0;
	child = add(model, rec->child_proc, rec->child_tgid, rec->hdr.ts_ns,
		    is_shared ? parent->part : NULL);
	if (!child)
		return -ENOMEM;
	child->is_python = parent->is_python && !(rec->hdr.flags & PYI_F_VFORK);
	model->lean->python_cnt += child->is_python;
	if (is_shared)
		return model__apply(parent->part->model, rec, rec->hdr.size);
	if (model->lean->opts.on_fold && !(rec->hdr.flags & PYI_F_VFORK)) {
		int err = fold_carry(parent, child->part->model);

		return err ? err : model__apply(child->part->model, rec, rec->hdr.size);
	}
	state = process_add(child->part->model, child->serial, child->tgid, rec->hdr.ts_ns);
	return state ? 0 : -ENOMEM;
}

/* Those that ended long enough ago; only some kinds of records come in order of time. */
static void forget(struct model *model, __u64 now_ns, bool is_all)
{
	struct lean *lean = model->lean;
	struct part *part;

	while ((part = lean->ended) && (is_all || now_ns > part->ended_ns + LINGER_NS)) {
		lean->ended = part->next;
		if (!lean->ended)
			lean->ended_end = &lean->ended;
		if (lean->opts.on_end)
			lean->opts.on_end(lean->opts.ctx, part->model);
		if (lean->opts.on_fold)
			fold_ended(model, part);
		part_free(lean, part);
	}
}

/* Of no process: what ended before has been charged. */
static void settle_all(struct model *model, const struct pyi_charged *rec)
{
	struct part *part;

	model->measured = charge_measured(rec);
	DL_FOREACH2(model->lean->parts, part, next_part)
		charge_settled(part->model, rec);
}

/* The part that a new image goes on in; NULL: one of its own. */
static struct part *part_for(const struct lean *lean, const struct pyi_hdr *hdr)
{
	struct member *old;

	if (hdr->kind != PYI_EV_EXEC || !lean->opts.on_fold)
		return NULL;
	HASH_FIND(hh_tgid, lean->by_tgid, &hdr->tgid, sizeof(hdr->tgid), old);
	return old && !old->part->is_tail && old->part->model->process_cnt < IMAGES_MAX ?
	       old->part : NULL;
}

static int lean_apply(struct model *model, const void *record, size_t size)
{
	const struct pyi_hdr *hdr = record;
	struct lean *lean = model->lean;
	struct member *member;
	int err = 0;

	lean->last = NULL;
	if (is_sign_of_life(hdr->kind) || hdr->kind == PYI_EV_EXIT)
		forget(model, hdr->ts_ns, false);
	if (hdr->kind == PYI_EV_PATH)
		return lean->opts.on_fold ? 0 : path_add(model, record);
	if (hdr->kind == PYI_EV_CHARGED && lean->opts.on_fold)
		settle_all(model, record);
	lean->load_cnt += hdr->kind == PYI_EV_BEGIN &&
			  span_is_search(((const struct pyi_begin *)record)->span);
	member = find(lean, hdr->proc);
	if (!member && is_sign_of_life(hdr->kind)) {
		member = add(model, hdr->proc, hdr->tgid, hdr->ts_ns, part_for(lean, hdr));
		if (!member)
			return -ENOMEM;
	}
	if (!member || !is_wanted(lean, hdr))
		return 0;
	if (hdr->kind == PYI_EV_PYTHON && !member->is_python) {
		member->is_python = true;
		lean->python_cnt++;
	}
	if (hdr->kind == PYI_EV_FORK)
		return apply_fork(model, member, record);
	lean->last = member->part;
	err = model__apply(member->part->model, record, size);
	if (hdr->kind == PYI_EV_EXIT)
		end(lean, member, hdr->ts_ns);
	return err;
}

void model__fold(struct model *model, __u64 now_ns)
{
	forget(model, now_ns, false);
	fold_living(model, now_ns);
}

void model__memory(const struct model *model, struct model_memory *out)
{
	const struct part *part;

	*out = (struct model_memory){};
	if (!model->lean)
		return;
	out->kept_bytes = model->lean->kept_bytes;
	DL_FOREACH2(model->lean->parts, part, next_part) {
		out->startup_cnt += !part->is_tail;
		out->tail_cnt += part->is_tail;
	}
}

static struct model *lean_part(const struct model *model, __u32 serial)
{
	struct member *member = find(model->lean, serial);

	return member ? member->part->model : NULL;
}

static struct model *lean_last(const struct model *model)
{
	return model->lean->last ? model->lean->last->model : NULL;
}

static void lean_progress(const struct model *model, size_t *processes, size_t *loads)
{
	*processes = model->lean->python_cnt;
	*loads = model->lean->load_cnt;
}

static void end_all(struct lean *lean)
{
	struct member *member, *next;

	HASH_ITER(hh_tgid, lean->by_tgid, member, next)
		end(lean, member, 0);
}

static void lean_finish(struct model *model)
{
	end_all(model->lean);
	forget(model, 0, true);
}

static void lean_free(struct model *model)
{
	model->lean->opts.on_end = NULL;
	model->lean->opts.on_fold = NULL;
	lean_finish(model);
	free(model->lean);
	model->lean = NULL;
}

static const struct lean_ops ops = {
	.apply = lean_apply, .part = lean_part, .last = lean_last, .progress = lean_progress,
	.finish = lean_finish, .free = lean_free,
};

int model__set_lean(struct model *model, const struct model_lean *opts)
{
	struct lean *lean = calloc(1, sizeof(*lean));

	if (!lean)
		return -ENOMEM;
	lean->opts = *opts;
	lean->ended_end = &lean->ended;
	model->lean = lean;
	model->lean_ops = &ops;
	return 0;
}
