/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hash tables of our own, in BPF arrays: adding to one costs a tenth of adding to a BPF hash. A
 * key of 64 bits is found within SLOT_PROBES slots of its place or goes into a BPF hash instead.
 * A slot never gets empty again, since that is where probing ends; one of an image that has ended
 * is given to another key.
 */
#ifndef BPF_CORE_SLOTS_BPF_H
#define BPF_CORE_SLOTS_BPF_H

#include "core/core.bpf.h"

/*
 * Defines @name: the place of a key (never 0), or NULL; with @want_new one is made, NULL when there
 * is no more room. @slots is an array of @slot_cnt (a power of two) of struct @type, which begins
 * with its key; @rest the hash; @recycle(key) gives the key one of its slots that an ended image
 * had, and returns its index + 1, 0 = there is none.
 */
#define DEFINE_SLOTS(name, type, slots, slot_cnt, rest, recycle)                                   \
	static __always_inline struct type *name(u64 key, bool want_new)                          \
	{                                                                                         \
		struct type fresh = {}, *slot;                                                    \
		u64 found;                                                                        \
		u32 index;                                                                        \
                                                                                                  \
		for (u32 i = 0; i < SLOT_PROBES; i++) {                                           \
			index = (key + i) & ((slot_cnt) - 1);                                     \
			slot = bpf_map_lookup_elem(&(slots), &index);                             \
			if (!slot)                                                                \
				return NULL;                                                      \
			found = slot->key;                                                        \
			if (!found && want_new)                                                   \
				found = __sync_val_compare_and_swap(&slot->key, 0, key) ?: key;   \
			if (found == key)                                                         \
				return slot;                                                      \
			if (!found)                                                               \
				return NULL;                                                      \
		}                                                                                 \
		slot = bpf_map_lookup_elem(&(rest), &key);                                        \
		if (slot || !want_new)                                                            \
			return slot;                                                              \
		index = recycle(key);                                                             \
		if (index--)                                                                      \
			return bpf_map_lookup_elem(&(slots), &index);                             \
		fresh.key = key;                                                                  \
		bpf_map_update_elem(&(rest), &key, &fresh, BPF_NOEXIST);                          \
		return bpf_map_lookup_elem(&(rest), &key);                                        \
	}

#define recycle_none(key) 0

/*
 * Defines @name for the above: @flush is given a slot before it is emptied. While a slot changes
 * hands its key is one that nobody has.
 */
#define DEFINE_RECYCLE(name, type, slots, slot_cnt, flush)                                        \
	__noinline u32 name(u64 key)                                                              \
	{                                                                                         \
		struct type *slot;                                                                \
		u64 found;                                                                        \
                                                                                                  \
		for (u32 i = 0; i < SLOT_PROBES; i++) {                                           \
			u32 index = (key + i) & ((slot_cnt) - 1);                                 \
                                                                                                  \
			slot = bpf_map_lookup_elem(&(slots), &index);                             \
			if (!slot)                                                                \
				return 0;                                                         \
			found = slot->key;                                                        \
			if (found == ~0ULL || is_serial_alive(slot->serial) ||                    \
			    __sync_val_compare_and_swap(&slot->key, found, ~0ULL) != found)       \
				continue;                                                         \
			flush(slot);                                                              \
			__builtin_memset((char *)slot + sizeof(slot->key), 0,                     \
					 sizeof(*slot) - sizeof(slot->key));                      \
			slot->key = key;                                                          \
			return index + 1;                                                         \
		}                                                                                 \
		return 0;                                                                         \
	}

#endif
