/* SPDX-License-Identifier: GPL-2.0-only */
/* Import statements, counted in the kernel: a record for the first run alone. */
#ifndef EDGE_BPF_H
#define EDGE_BPF_H

#include "code.bpf.h"
#include "stack.bpf.h"

/*
 * A statement's number before it has one: module dict, name, instruction and process mixed into 64
 * bits. Among a million statements two would collide once in 37 million traces.
 */
static __always_inline u64 edge_key(u64 globals, u64 name, u64 instr, u32 serial)
{
	u64 key = (globals ^ (u64)serial << 48) * 0x9e3779b97f4a7c15ULL;

	key = (key ^ key >> 29 ^ name) * 0xbf58476d1ce4e5b9ULL;
	key = (key ^ key >> 32 ^ instr) * 0x94d049bb133111ebULL;
	return key ^ key >> 31;
}

static __always_inline bool edge_count(struct thread *t, u64 key)
{
	struct edge_value *edge;

	t->edge_key = key;
	edge = bpf_map_lookup_elem(&edges, &t->edge_key);
	if (!edge)
		return false;
	__sync_fetch_and_add(&edge->count, 1);
	t->edge_id = edge->id;
	return true;
}

/* First run of a statement: number it and say where it stands. */
u32 edge_first(struct thread *t, const struct pyi_layout *lay, const struct pyframe *frame, u64 name, u64 fromlist_level);

#endif
