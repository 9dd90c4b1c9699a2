/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interpreters that were mapped and wait to be probed, with the threads stopped that mapped them.
 * From the mapping to the first import it takes some milliseconds, and probing another takes
 * longer: so each is stopped at once, and probed when its turn comes. Only what a look into the
 * file has shown to be a Python is stopped. Private to the holder process; allocates nothing.
 */
#ifndef INTERPRETERS_HOLD_MAPPED_PYTHONS_H
#define INTERPRETERS_HOLD_MAPPED_PYTHONS_H

#include <linux/types.h>
#include <stdbool.h>
#include "interpreters/hold/holder.h"
#include "interpreters/hold/mapped.h"
#include "interpreters/hold/stop.h"

#define CAUGHT_MAX 256 /* what comes then waits in the kernel's buffers, unstopped */

struct caught_item {
	struct mapped_event event; /* its path in @path */
	char path[HOLDER_PATH_SZ]; /* "" = none, or too long */
	__u64 since_ns;            /* stopped since */
	bool is_stopped;
};

struct caught {
	struct mapped *mapped;
	bool can_stop;
	/* What to do about a mapping: a set of enum holder_want. */
	unsigned int (*scout)(void *ctx, const struct mapped_event *event);
	/* The same after HOLDER_WANT_TIME, which it may say again. */
	unsigned int (*recall)(void *ctx);
	void *ctx;
	struct caught_item items[CAUGHT_MAX]; /* a ring */
	unsigned int first, cnt;
	unsigned int running_cnt; /* of these run on */
	struct caught_item asked; /* the answer is still to come */
	__u64 asked_ns;           /* 0 = there is none */
	struct stops stops; /* let go, but not gone yet */
};

/* Takes what the kernel has to tell, stopping what is an interpreter that must be probed. */
void caught__collect(struct caught *caught, __u64 now_ns);

/* The oldest one. Only the thread that maps is stopped; no other can have got hold of it yet. */
bool caught__take(struct caught *caught, struct caught_item *out);

void caught__let_go(struct caught *caught, const struct caught_item *item);

/* What is left then runs. */
void caught__let_go_all(struct caught *caught);

#endif
