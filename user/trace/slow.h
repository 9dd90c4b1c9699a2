/* SPDX-License-Identifier: BSD-2-Clause */
/* --slow: a line on stderr as soon as an import that took long has ended. */
#ifndef TRACE_SLOW_H
#define TRACE_SLOW_H

#include <linux/types.h>

struct model;

#define SLOW_OPEN_MAX 1024

/* Loads that are still open, and how much of each was told already. Zeros to begin with. */
struct slow {
	struct slow_open {
		__u32 id;
		__u64 told_ns;
	} opens[SLOW_OPEN_MAX]; /* what never ends is overwritten in time */
	unsigned int at;
};

/*
 * Call after each record: tells of the load it ended if that took @slow_ns or longer, and so much
 * beyond what was told of inside it, or if no other import was around it.
 */
void slow_tell(struct slow *slow, struct model *model, __u64 slow_ns);

#endif
