// SPDX-License-Identifier: BSD-2-Clause
/* The model's memory: blocks freed together, and a table of strings. */
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "model/arena.h"

#define BLOCK_SZ (64u << 10)

struct arena_block {
	struct arena_block *next;
	size_t used, sz;
	alignas(16) char data[];
};

struct interned {
	UT_hash_handle hh;
	char text[];
};

void *arena__alloc(struct arena *arena, size_t sz)
{
	struct arena_block *block = arena->blocks;
	size_t block_sz;
	void *at;

	sz = (sz + 15) & ~(size_t)15;
	if (!block || block->sz - block->used < sz) {
		block_sz = sz > BLOCK_SZ ? sz : BLOCK_SZ;
		block = malloc(sizeof(*block) + block_sz);
		if (!block)
			return NULL;
		block->next = arena->blocks;
		block->used = 0;
		block->sz = block_sz;
		arena->blocks = block;
	}
	at = block->data + block->used;
	block->used += sz;
	return memset(at, 0, sz);
}

const char *arena__intern(struct arena *arena, const char *text, size_t len)
{
	struct interned *found;

	HASH_FIND(hh, arena->strings, text, len, found);
	if (found)
		return found->text;
	found = arena__alloc(arena, sizeof(*found) + len + 1);
	if (!found)
		return NULL;
	memcpy(found->text, text, len);
	HASH_ADD_KEYPTR(hh, arena->strings, found->text, len, found);
	return found->text;
}

void arena__free(struct arena *arena)
{
	struct arena_block *block;

	HASH_CLEAR(hh, arena->strings);
	while ((block = arena->blocks)) {
		arena->blocks = block->next;
		free(block);
	}
}
