// SPDX-License-Identifier: BSD-2-Clause
/* See idmap.h: open addressing; sixteen ids in sequence lie together, each such group anywhere. */
#include "base/idmap.h"

#include <errno.h>
#include <stdlib.h>

#define SLOTS_MIN 1024
#define PROBES_MAX 4096 /* beyond, the ids are none that we gave */

struct idmap_slot {
	void *item; /* NULL = free */
	__u32 id;
};

void idmap__free(struct idmap *map)
{
	free(map->slots);
	*map = (struct idmap){};
}

static size_t home_of(__u32 id)
{
	__u64 group = (id >> 4) * 0x9e3779b97f4a7c15u;

	return (group >> 32 << 4) | (id & 15);
}

/* The slot of @id, or the free one where it would go; NULL after PROBES_MAX others. */
static struct idmap_slot *slot_of(const struct idmap *map, __u32 id)
{
	size_t mask = map->slot_cnt - 1, at = home_of(id) & mask;

	for (int i = 0; i < PROBES_MAX; i++, at = (at + 1) & mask)
		if (!map->slots[at].item || map->slots[at].id == id)
			return &map->slots[at];
	return NULL;
}

void *idmap__find(const struct idmap *map, __u32 id)
{
	const struct idmap_slot *slot = map->slot_cnt ? slot_of(map, id) : NULL;

	return slot ? slot->item : NULL;
}

static int grow(struct idmap *map)
{
	struct idmap larger = { .cnt = map->cnt,
				.slot_cnt = map->slot_cnt ? 2 * map->slot_cnt : SLOTS_MIN };

	larger.slots = calloc(larger.slot_cnt, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < map->slot_cnt; i++) {
		struct idmap_slot *slot;

		if (!map->slots[i].item)
			continue;
		slot = slot_of(&larger, map->slots[i].id);
		if (!slot) {
			free(larger.slots);
			return -E2BIG;
		}
		*slot = map->slots[i];
	}
	free(map->slots);
	*map = larger;
	return 0;
}

int idmap__add(struct idmap *map, __u32 id, void *item)
{
	struct idmap_slot *slot;
	int err = 2 * (map->cnt + 1) > map->slot_cnt ? grow(map) : 0;

	if (err)
		return err;
	slot = slot_of(map, id);
	if (!slot)
		return -E2BIG;
	*slot = (struct idmap_slot){ item, id };
	map->cnt++;
	return 0;
}
