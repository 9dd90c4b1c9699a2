/* SPDX-License-Identifier: GPL-2.0-only */
/* Import statements, counted in the kernel: a record for the first run alone. */
#ifndef BPF_IMPORTS_EDGE_BPF_H
#define BPF_IMPORTS_EDGE_BPF_H

#include "python/code.bpf.h"
#include "core/slots.bpf.h"
#include "imports/stack.bpf.h"

/* A statement's number before it has one. */
static __always_inline u64 edge_key(u64 globals, u64 name, u64 instr, u32 serial)
{
	return mix_key(globals, name, instr, serial);
}

DEFINE_SLOTS(edge_find, edge_value, edge_slots, EDGE_SLOT_CNT, edges)

static __always_inline bool edge_count(struct thread *t, u64 key)
{
	struct edge_value *edge = edge_find(key, false);

	t->edge_key = key;
	if (!edge)
		return false;
	__sync_fetch_and_add(&edge->count, 1);
	t->edge_id = edge->id;
	return true;
}

int edge_first(struct thread *t, const struct pyi_layout *lay, u64 addr);

#endif
