/* SPDX-License-Identifier: GPL-2.0-only */
/* Import statements, counted in the kernel: a record for the first run alone. */
#ifndef BPF_IMPORTS_EDGE_BPF_H
#define BPF_IMPORTS_EDGE_BPF_H

#include "python/code.bpf.h"
#include "core/slots.bpf.h"
#include "imports/stack.bpf.h"

/* A statement's number before it has one. */
static __always_inline u64 edge_key(u64 code, u64 name, u64 instr, u32 serial)
{
	return mix_key(CODE_ID(code), name, instr, serial);
}

u32 edge_recycle(u64 key);

/* What the statement in t->scratch binds its names to (`import a as b`), where that can be told. */
int emit_bound(struct thread *t, const struct pyi_layout *lay, u32 has_from);

DEFINE_SLOTS(edge_find, edge_value, edge_slots, cfg_edge_slots, edges, edge_recycle)

/* Is the span that the statement first ran in still open on this thread? */
static __always_inline bool is_inside(const struct thread *t, const struct edge_value *edge)
{
	u32 index = edge->depth;

	if (index == 1) /* in none */
		return true;
	index -= 2;
	barrier_var(index);
	if (index >= NEAR_DEPTH || index >= t->depth)
		return false;
	barrier_var(index);
	return t->open[index].id == edge->around;
}

/* One more run; not the first. */
static __always_inline void edge_ran(struct thread *t, struct edge_value *edge)
{
	__sync_fetch_and_add(&edge->count, 1);
	t->edge_id = edge->id;
	if (!edge->is_elsewhere && !is_inside(t, edge))
		edge->is_elsewhere = true;
}

/* Counts a run of a statement of t->last_code; false when it is new or must be looked at again. */
static __always_inline bool edge_count(struct thread *t, u64 name, u64 instr)
{
	u64 key = edge_key(t->last_code_id, name, instr, t->serial);
	struct edge_value *edge = edge_find(key, false);

	if (!edge || edge->gen != t->last_code.gen)
		return false;
	t->edge_key = key;
	edge_ran(t, edge);
	return true;
}

/*
 * The first run of the statement in t->scratch.edge, or the first since bodies began in its dict:
 * numbers it and says where it stands. @addr is that of the frame in t->frame_buf, 0: it is in
 * t->scratch already. Returns 1 when all is done, 0 when the frame is not of this module's code, 2
 * when a function was called outside of all imports: its callers are to be sent.
 */
int edge_first(struct thread *t, const struct pyi_layout *lay, u64 addr);

/*
 * An import without globals, in t->scratch.edge: `__import__("x")`, or C under a Python function.
 * The frame that runs, at @addr, tells whose statement it is. Returns 1 when all is done, 0 when
 * edge_first() is to be called. `import a.b` enters the import function once more, for a: that is
 * no statement.
 */
int edge_bare(struct thread *t, const struct pyi_layout *lay, u64 addr);

#endif
