/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that lives as long as the model, and strings kept once however often they are met. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <linux/types.h>
#include <stddef.h>

struct interned;
struct arena_block;

struct arena { /* starts as {0} */
	struct arena_block *blocks;
	size_t sz;                /* of all blocks */
	struct interned **slots;  /* open addressing, a power of two */
	size_t slot_cnt, string_cnt;
};

/* Zeroed, aligned to 8; NULL when memory ran out. */
void *arena__alloc(struct arena *arena, size_t sz);
/* The one copy of a string; NULL when memory ran out. */
const char *arena__intern(struct arena *arena, const char *text, size_t len);
/* The same, but NULL for a string that is not there. */
const char *arena__find(const struct arena *arena, const char *text, size_t len);
void arena__free(struct arena *arena);

#endif
