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

DEFINE_SLOTS(edge_find, edge_value, edge_slots, cfg_edge_slots, edges, edge_recycle)

/* Counts a run of a statement of t->last_code; false when it is new or must be looked at again. */
static __always_inline bool edge_count(struct thread *t, u64 name, u64 instr)
{
	u64 key = edge_key(t->last_code_id, name, instr, t->serial);
	struct edge_value *edge = edge_find(key, false);

	if (!edge || edge->gen != t->last_code.gen)
		return false;
	t->edge_key = key;
	__sync_fetch_and_add(&edge->count, 1);
	t->edge_id = edge->id;
	return true;
}

/*
 * The first run of the statement in t->scratch.edge, or the first since bodies began in its dict:
 * numbers it and says where it stands. @addr is that of the frame in t->frame_buf, 0: it is in
 * t->scratch already. Returns 1 when all is done, 0 when the frame is not of this module's code.
 */
int edge_first(struct thread *t, const struct pyi_layout *lay, u64 addr);

#endif
