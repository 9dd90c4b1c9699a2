// SPDX-License-Identifier: BSD-2-Clause
/* See execs.h. */
#include "interpreters/hold/execs.h"

#include "base/clock.h"
#include "interpreters/hold/hold.h"

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
	return execs->cnt ? execs->items[execs->first].since_ns + HOLD_EXEC_LIMIT_NS : ~0ULL;
}

int execs__timeout_ms(const struct execs *execs, __u64 until_ns)
{
	__u64 now = clock_ns(), due_ns = execs__due_ns(execs);

	until_ns = due_ns < until_ns ? due_ns : until_ns;
	return now < until_ns ? (until_ns - now) / 1000000 + 1 : 0;
}
