/* SPDX-License-Identifier: BSD-2-Clause */
/* The time of start-ups by module: as many names as there is room for, the dearest stay. */
#ifndef AGENT_MODULES_H
#define AGENT_MODULES_H

#include <linux/types.h>
#include <stddef.h>

#include "agent/series.h"

#define MODULES_TOP 20   /* that are told */

struct module {
	char name[LABEL_SZ]; /* harmless */
	__u64 self_ns, cnt;
};

struct modules;

int modules__new(struct modules **out);
void modules__free(struct modules *modules); /* NULL-safe */

/* One import of @name, any text. What memory is missing for is not counted. */
void modules__add(struct modules *modules, const char *name, __u64 self_ns);

/* The dearest into @out, which has room for MODULES_TOP; how many. */
size_t modules__top(const struct modules *modules, struct module *out);

#endif
