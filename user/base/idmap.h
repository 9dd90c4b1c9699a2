/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the ids that the kernel side hands out to what they stand for. Ids are given in sequence, so
 * neighbours lie side by side: a tenth of the cache misses of a hash table with handles, and a
 * quarter of its memory. Ids of a stream made to hurt may collide; then adding fails.
 */
#ifndef BASE_IDMAP_H
#define BASE_IDMAP_H

#include <linux/types.h>
#include <stddef.h>

struct idmap_slot;

/* Starts as {0}. */
struct idmap {
	struct idmap_slot *slots;
	size_t cnt, slot_cnt;
};

void idmap__free(struct idmap *map);
void *idmap__find(const struct idmap *map, __u32 id); /* NULL: not there */

/* @id must not be there, @item not be NULL. -ENOMEM; -E2BIG: too many ids for one place. */
int idmap__add(struct idmap *map, __u32 id, void *item);

#endif
