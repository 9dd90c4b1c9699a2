/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hash tables of our own, in BPF arrays: adding to one costs a tenth of adding to a BPF hash. A
 * key of 64 bits is found within some slots of its place, or of the one that is made of the key
 * itself, or goes into a BPF hash instead. What is used together has places side by side: a slot
 * that is in no cache costs more than the rest of a look-up. A slot never gets empty again, since
 * that is where probing ends; one of an image that has ended is given to another key.
 */
#ifndef BPF_CORE_SLOTS_BPF_H
#define BPF_CORE_SLOTS_BPF_H

#include "core/core.bpf.h"

/* Index of the slot that is looked at as the @i-th. */
#define SLOT_AT(key, place, i, slot_cnt)                                                           \
	((((i) < SLOT_PROBES / 2 ? (place) : (key)) + (i)) & ((slot_cnt) - 1))

#define SLOT_NONE ~0U /* the key is neither in a slot nor in the hash */

/*
 * Defines @name, which looks for the slot of a key: its index + 1, SLOT_NONE, or 0: look in the
 * hash. With @want_new a free slot becomes its. A function of its own, for the verifier.
 */
#define DEFINE_SLOT_SEARCH(name, type, slots, slot_cnt)                                            \
	__noinline u32 name(u64 key, u64 place, u32 want_new)                                     \
	{                                                                                         \
		struct type *slot;                                                                \
		u64 found;                                                                        \
		u32 index;                                                                        \
                                                                                                  \
		for (u32 i = 0; i < SLOT_PROBES; i++) {                                           \
			index = SLOT_AT(key, place, i, slot_cnt);                                 \
			slot = bpf_map_lookup_elem(&(slots), &index);                             \
			if (!slot)                                                                \
				return SLOT_NONE;                                                 \
			found = slot->key;                                                        \
			if (!found && want_new)                                                   \
				found = __sync_val_compare_and_swap(&slot->key, 0, key) ?: key;   \
			if (found == key)                                                         \
				return index + 1;                                                 \
			if (!found)                                                               \
				return SLOT_NONE;                                                 \
		}                                                                                 \
		return 0;                                                                         \
	}

/*
 * Defines @name: the slot of a key (never 0), or NULL; with @want_new one is made, NULL when there
 * is no more room. @slots is an array of @slot_cnt (a power of two) of struct @type, which begins
 * with its key; @rest the hash; @search as above; @recycle(key, place) gives the key one of its
 * slots that an ended image had, and returns its index + 1, 0 = there is none.
 */
#define DEFINE_SLOTS(name, type, slots, search, rest, recycle)                                     \
	static __always_inline struct type *name(u64 key, u64 place, bool want_new)               \
	{                                                                                         \
		u32 index = search(key, place, want_new);                                         \
		struct type fresh = {}, *slot;                                                    \
                                                                                                  \
		if (index == SLOT_NONE)                                                           \
			return NULL;                                                              \
		if (index--)                                                                      \
			return bpf_map_lookup_elem(&(slots), &index);                             \
		slot = bpf_map_lookup_elem(&(rest), &key);                                        \
		if (slot || !want_new)                                                            \
			return slot;                                                              \
		index = recycle(key, place);                                                      \
		if (index--)                                                                      \
			return bpf_map_lookup_elem(&(slots), &index);                             \
		fresh.key = key;                                                                  \
		bpf_map_update_elem(&(rest), &key, &fresh, BPF_NOEXIST);                          \
		return bpf_map_lookup_elem(&(rest), &key);                                        \
	}

#define recycle_none(key, place) 0

/*
 * Defines @name for the above: @flush is given a slot before it is emptied. While a slot changes
 * hands its key is one that nobody has.
 */
#define DEFINE_RECYCLE(name, type, slots, slot_cnt, flush)                                        \
	__noinline u32 name(u64 key, u64 place)                                                   \
	{                                                                                         \
		struct type *slot;                                                                \
		u64 found;                                                                        \
                                                                                                  \
		for (u32 i = 0; i < SLOT_PROBES; i++) {                                           \
			u32 index = SLOT_AT(key, place, i, slot_cnt);                             \
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
