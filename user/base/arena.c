// SPDX-License-Identifier: BSD-2-Clause
/* The model's memory: blocks freed together, and a table of strings. */
#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define BLOCK_LEAST (4u << 10) /* a model of one process that does nothing more needs no more */
#define BLOCK_SZ (64u << 10)
#define BLOCK_MAX (1u << 20) /* blocks grow with what is there: a sixteenth of it */
#define SLOTS_LEAST 64

struct arena_block {
	struct arena_block *next;
	size_t used, sz;
	alignas(16) char data[];
};

/* A string of the table; with a hash handle of uthash it would take twice the memory. */
struct interned {
	__u32 hash, len;
	char text[];
};

/* What is large gets a block of its own, behind the one that is being filled. */
static struct arena_block *block_for(struct arena *arena, size_t sz)
{
	struct arena_block *block = arena->blocks, **link = &arena->blocks;
	size_t block_sz = arena->sz < BLOCK_LEAST ? BLOCK_LEAST :
			  arena->sz < BLOCK_SZ ? arena->sz :
			  arena->sz / 16 < BLOCK_SZ ? BLOCK_SZ : arena->sz / 16;

	if (block && block->sz - block->used >= sz)
		return block;
	if (block && sz > BLOCK_SZ / 4)
		link = &block->next;
	else if (sz < block_sz)
		sz = block_sz < BLOCK_MAX ? block_sz : BLOCK_MAX;
	block = malloc(sizeof(*block) + sz);
	if (!block)
		return NULL;
	block->next = *link;
	block->used = 0;
	block->sz = sz;
	arena->sz += sz;
	*link = block;
	return block;
}

static void *take(struct arena *arena, size_t sz, size_t align)
{
	struct arena_block *block = arena->blocks;
	void *at;

	if (block)
		block->used = (block->used + align - 1) & ~(align - 1);
	if (block && block->used > block->sz)
		block->used = block->sz;
	block = block_for(arena, sz);
	if (!block)
		return NULL;
	at = block->data + block->used;
	block->used += sz;
	return memset(at, 0, sz);
}

void *arena__alloc(struct arena *arena, size_t sz)
{
	return take(arena, sz, 8);
}

/* Eight bytes at a time: line tables have thousands. */
static __u32 hash_of(const char *text, size_t len)
{
	__u64 hash = len, word;

	for (; len >= sizeof(word); text += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 32;
	}
	word = 0;
	memcpy(&word, text, len);
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 32;
}

/* Where the string is, or where it would go. The table is never full. */
static struct interned **slot_of(struct interned **slots, size_t slot_cnt, __u32 hash,
				 const char *text, size_t len)
{
	size_t at = hash & (slot_cnt - 1);

	while (slots[at] && (slots[at]->hash != hash || slots[at]->len != len ||
			     memcmp(slots[at]->text, text, len) != 0))
		at = (at + 1) & (slot_cnt - 1);
	return &slots[at];
}

static int make_room(struct arena *arena)
{
	size_t slot_cnt = arena->slot_cnt ? 2 * arena->slot_cnt : SLOTS_LEAST;
	struct interned **slots;

	if (4 * (arena->string_cnt + 1) < 3 * arena->slot_cnt)
		return 0;
	slots = calloc(slot_cnt, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < arena->slot_cnt; i++) {
		struct interned *old = arena->slots[i];

		if (old)
			*slot_of(slots, slot_cnt, old->hash, old->text, old->len) = old;
	}
	free(arena->slots);
	arena->slots = slots;
	arena->slot_cnt = slot_cnt;
	return 0;
}

const char *arena__find(const struct arena *arena, const char *text, size_t len)
{
	struct interned **slot;

	if (!arena->slot_cnt)
		return NULL;
	slot = slot_of(arena->slots, arena->slot_cnt, hash_of(text, len), text, len);
	return *slot ? (*slot)->text : NULL;
}

const char *arena__intern(struct arena *arena, const char *text, size_t len)
{
	__u32 hash = hash_of(text, len);
	struct interned **slot;

	if (len > UINT32_MAX || make_room(arena))
		return NULL;
	slot = slot_of(arena->slots, arena->slot_cnt, hash, text, len);
	if (*slot)
		return (*slot)->text;
	*slot = take(arena, sizeof(**slot) + len + 1, 4);
	if (!*slot)
		return NULL;
	(*slot)->hash = hash;
	(*slot)->len = len;
	memcpy((*slot)->text, text, len);
	arena->string_cnt++;
	return (*slot)->text;
}

void arena__free(struct arena *arena)
{
	struct arena_block *block;

	free(arena->slots);
	arena->slots = NULL;
	arena->slot_cnt = arena->string_cnt = arena->sz = 0;
	while ((block = arena->blocks)) {
		arena->blocks = block->next;
		free(block);
	}
}
