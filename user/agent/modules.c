// SPDX-License-Identifier: BSD-2-Clause
/*
 * See modules.h. When the table is full, the cheaper half goes: a name that comes back starts anew.
 */
#include "agent/modules.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "agent/labels.h"

#define MODULES_MAX 4096

struct item {
	struct module module;
	UT_hash_handle hh;
};

struct modules {
	struct item *items;
};

int modules__new(struct modules **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

static int cmp_dearest(const struct item *a, const struct item *b)
{
	return (a->module.self_ns < b->module.self_ns) - (a->module.self_ns > b->module.self_ns);
}

/* Those behind the first @cnt. */
static void drop_behind(struct modules *modules, size_t cnt)
{
	struct item *item, *next;

	HASH_SORT(modules->items, cmp_dearest);
	HASH_ITER(hh, modules->items, item, next) {
		if (cnt) {
			cnt--;
			continue;
		}
		HASH_DEL(modules->items, item);
		free(item);
	}
}

void modules__free(struct modules *modules)
{
	if (!modules)
		return;
	drop_behind(modules, 0);
	free(modules);
}

void modules__add(struct modules *modules, const char *name, __u64 self_ns)
{
	char label[LABEL_SZ];
	struct item *item;

	label_set(label, name);
	HASH_FIND_STR(modules->items, label, item);
	if (!item) {
		if (HASH_COUNT(modules->items) >= MODULES_MAX)
			drop_behind(modules, MODULES_MAX / 2);
		item = calloc(1, sizeof(*item));
		if (!item)
			return;
		memcpy(item->module.name, label, sizeof(label));
		HASH_ADD_STR(modules->items, module.name, item);
	}
	item->module.self_ns += self_ns;
	item->module.cnt++;
}

size_t modules__top(const struct modules *modules, struct module *out)
{
	const struct item *item;
	size_t cnt = 0;

	for (item = modules->items; item; item = item->hh.next) {
		size_t at = cnt < MODULES_TOP ? cnt++ : MODULES_TOP - 1;

		if (at == MODULES_TOP - 1 && cnt == MODULES_TOP &&
		    out[at].name[0] && out[at].self_ns >= item->module.self_ns)
			continue;
		for (; at && out[at - 1].self_ns < item->module.self_ns; at--)
			out[at] = out[at - 1];
		out[at] = item->module;
	}
	return cnt;
}
