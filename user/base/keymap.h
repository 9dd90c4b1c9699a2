/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From 64-bit keys (addresses, hashes, pairs of numbers) to what they stand for: open addressing,
 * sixteen bytes a slot. A hash table with handles takes 56 bytes more in every item.
 */
#ifndef BASE_KEYMAP_H
#define BASE_KEYMAP_H

#include <linux/types.h>
#include <stddef.h>

struct keymap_slot;

/* Starts as {0}. */
struct keymap {
	struct keymap_slot *slots;
	size_t cnt, slot_cnt;
};

void keymap__free(struct keymap *map);
void *keymap__find(const struct keymap *map, __u64 key); /* NULL: not there */

/* @item (not NULL) takes the place of what stands under @key. -ENOMEM. */
int keymap__set(struct keymap *map, __u64 key, void *item);
void keymap__remove(struct keymap *map, __u64 key); /* nothing if it is not there */

#endif
