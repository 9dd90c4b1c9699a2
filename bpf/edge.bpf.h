/* SPDX-License-Identifier: GPL-2.0-only */
/* Import statements, counted in the kernel: a record for the first run alone. */
#ifndef EDGE_BPF_H
#define EDGE_BPF_H

#include "code.bpf.h"
#include "stack.bpf.h"

/* A statement's number before it has one. */
static __always_inline u64 edge_key(u64 globals, u64 name, u64 instr, u32 serial)
{
	return mix_key(globals, name, instr, serial);
}

/* The statement's place: with @want_new one is made, NULL when there is no more room. */
static __always_inline struct edge_value *edge_find(u64 key, bool want_new)
{
	struct edge_value fresh = {}, *slot;
	u64 found;

	for (u32 i = 0; i < SLOT_PROBES; i++) {
		u32 index = (key + i) & (EDGE_SLOT_CNT - 1);

		slot = bpf_map_lookup_elem(&edge_slots, &index);
		if (!slot)
			return NULL;
		found = slot->key;
		if (!found && want_new)
			found = __sync_val_compare_and_swap(&slot->key, 0, key) ?: key;
		if (found == key)
			return slot;
		if (!found)
			return NULL;
	}
	slot = bpf_map_lookup_elem(&edges, &key);
	if (slot || !want_new)
		return slot;
	fresh.key = key;
	bpf_map_update_elem(&edges, &key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&edges, &key);
}

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
