// SPDX-License-Identifier: BSD-2-Clause
/* See keymap.h. Never more than three quarters full; removing closes the gap it leaves. */
#include "base/keymap.h"

#include <errno.h>
#include <stdlib.h>

#define SLOTS_MIN 16

struct keymap_slot {
	__u64 key;
	void *item; /* NULL = free */
};

void keymap__free(struct keymap *map)
{
	free(map->slots);
	*map = (struct keymap){};
}

/* Addresses differ in the middle bits only: all of them have a say (the mixer of splitmix64). */
static size_t home_of(const struct keymap *map, __u64 key)
{
	key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9u;
	key = (key ^ key >> 27) * 0x94d049bb133111ebu;
	return (key ^ key >> 31) & (map->slot_cnt - 1);
}

/* Where @key is, or the free slot where it would go. */
static size_t slot_of(const struct keymap *map, __u64 key)
{
	size_t at = home_of(map, key);

	while (map->slots[at].item && map->slots[at].key != key)
		at = (at + 1) & (map->slot_cnt - 1);
	return at;
}

void *keymap__find(const struct keymap *map, __u64 key)
{
	return map->slot_cnt ? map->slots[slot_of(map, key)].item : NULL;
}

static int grow(struct keymap *map)
{
	struct keymap larger = { .cnt = map->cnt,
				 .slot_cnt = map->slot_cnt ? 2 * map->slot_cnt : SLOTS_MIN };

	larger.slots = calloc(larger.slot_cnt, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < map->slot_cnt; i++)
		if (map->slots[i].item)
			larger.slots[slot_of(&larger, map->slots[i].key)] = map->slots[i];
	free(map->slots);
	*map = larger;
	return 0;
}

int keymap__set(struct keymap *map, __u64 key, void *item)
{
	struct keymap_slot *slot;

	if (4 * (map->cnt + 1) > 3 * map->slot_cnt && grow(map))
		return -ENOMEM;
	slot = &map->slots[slot_of(map, key)];
	map->cnt += !slot->item;
	*slot = (struct keymap_slot){ key, item };
	return 0;
}

void keymap__remove(struct keymap *map, __u64 key)
{
	size_t mask = map->slot_cnt - 1, gap, at;

	if (!keymap__find(map, key))
		return;
	gap = at = slot_of(map, key);
	for (;;) {
		at = (at + 1) & mask;
		if (!map->slots[at].item)
			break;
		/* It may move into the gap unless its own place lies behind that. */
		if (((at - home_of(map, map->slots[at].key)) & mask) >= ((at - gap) & mask)) {
			map->slots[gap] = map->slots[at];
			gap = at;
		}
	}
	map->slots[gap] = (struct keymap_slot){};
	map->cnt--;
}
