/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mappings that wait to be looked at, with the threads stopped that made them. From the mapping
 * of an interpreter to its first import it takes some milliseconds, and looking at another takes
 * longer: so what looks like one is stopped at once, and looked at when its turn comes. Private
 * to the holder process; allocates nothing.
 */
#ifndef TARGET_CAUGHT_H
#define TARGET_CAUGHT_H

#include <linux/types.h>
#include <stdbool.h>
#include "target/mapped.h"
#include "target/stop.h"

#define CAUGHT_MAX 256 /* what comes then waits in the kernel's buffers, unstopped */

struct caught_item {
	struct mapped_event event;
	__u64 since_ns;  /* stopped since */
	bool is_stopped;
};

struct caught {
	struct mapped *mapped;
	bool can_stop;
	bool (*wants)(void *ctx, pid_t tgid);
	void *ctx;
	struct caught_item items[CAUGHT_MAX]; /* a ring */
	unsigned int first, cnt;
	unsigned int running_cnt; /* of these look like interpreters, and run on */
	struct stops stops; /* let go, but not gone yet */
};

/* Takes what the kernel has to tell, stopping what looks like an interpreter. */
void caught__collect(struct caught *caught, __u64 now_ns);

/* The oldest one. Only the thread that maps is stopped; no other can have got hold of it yet. */
bool caught__take(struct caught *caught, struct caught_item *out);

/* Stops the thread of an item that did not look like one. */
void caught__stop(struct caught *caught, struct caught_item *item, __u64 now_ns);

void caught__let_go(struct caught *caught, const struct caught_item *item);

#endif
