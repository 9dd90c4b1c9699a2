// SPDX-License-Identifier: BSD-2-Clause
/* See execs.h. */
#include "interpreters/hold/execs.h"

void execs__collect(struct execs *execs, struct readers *readers)
{
	struct exec_event event;

	while (execs->cnt < EXECS_MAX && readers__next(readers, &event))
		execs->items[(execs->first + execs->cnt++) % EXECS_MAX] = event;
}

bool execs__take(struct execs *execs, struct exec_event *out)
{
	if (!execs->cnt)
		return false;
	*out = execs->items[execs->first];
	execs->first = (execs->first + 1) % EXECS_MAX;
	execs->cnt--;
	return true;
}

__u64 execs__due_ns(const struct execs *execs)
{
	return execs->cnt ? execs->items[execs->first].since_ns + EXEC_LIMIT_NS : ~0ULL;
}
