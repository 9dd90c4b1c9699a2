/* SPDX-License-Identifier: BSD-2-Clause */
/* --slow: a line on stderr as soon as an import that took long has ended. */
#ifndef TRACE_SLOW_H
#define TRACE_SLOW_H

#include <linux/types.h>

struct model;

/*
 * Call after each record: tells of the load it ended if that took @slow_ns or longer, and so much
 * beyond what was told of inside it, or if no other import was around it.
 */
void slow_tell(struct model *model, __u64 slow_ns);

#endif
