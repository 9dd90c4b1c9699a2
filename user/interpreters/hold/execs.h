/* SPDX-License-Identifier: BSD-2-Clause */
/* Execs that wait until it is their turn. Private to the holder; allocates nothing. */
#ifndef INTERPRETERS_HOLD_EXECS_H
#define INTERPRETERS_HOLD_EXECS_H

#include <linux/types.h>
#include <stdbool.h>
#include "interpreters/hold/readers.h"

#define EXECS_MAX 512

struct execs {
	struct exec_event items[EXECS_MAX]; /* a ring */
	unsigned int first, cnt;
};

void execs__collect(struct execs *execs, struct readers *readers);

/* The oldest; false = there is none. */
bool execs__take(struct execs *execs, struct exec_event *out);

/* When the oldest has waited long enough; ~0 = there is none. */
__u64 execs__due_ns(const struct execs *execs);

/* Milliseconds, rounded up, for poll: until then, and no longer than the oldest may wait. */
int execs__timeout_ms(const struct execs *execs, __u64 until_ns);

#endif
