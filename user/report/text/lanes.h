/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tracks on which slices of time nest, for the formats that insist on it. A thread is one track;
 * what overlaps on it (greenlets, ends that were not observed) goes to further ones.
 */
#ifndef REPORT_TEXT_LANES_H
#define REPORT_TEXT_LANES_H

#include <stddef.h>

#include "model/model.h"

/*
 * What begins and ends of slices are: other threads and processes are drawn on the same scale, so
 * nothing can be taken off. Documents say so; what tracing took of each load is beside it.
 */
#define LANES_TIMES "as measured, with tracing"

/* One of load, lib and wait is set. */
struct slice {
	const struct load *load;
	const struct lib *lib;
	const struct wait *wait;
	size_t index;           /* in the process's list of these; of a load its seq */
	__u32 tid;
	bool is_main;           /* of the main thread */
	__u32 lane;             /* of that thread, from 0 */
	__u32 depth;            /* on that lane: around it is the last one before with less */
	__u64 start_ns, end_ns; /* within the process's life; what did not end ends with it */
};

struct lanes {
	struct slice *slices; /* by thread (the main one first), lane, start; parents first */
	size_t cnt;
};

/* Empty ({0}) on failure: -ENOMEM. */
int lanes__new(const struct model *model, const struct process *process, struct lanes *out);
void lanes__free(struct lanes *lanes);

/* When @process was last seen: its end, or the end of the trace. */
__u64 lanes_end_ns(const struct model *model, const struct process *process);

static inline bool slice_begins_lane(const struct lanes *lanes, size_t i)
{
	return !i || lanes->slices[i].tid != lanes->slices[i - 1].tid ||
	       lanes->slices[i].lane != lanes->slices[i - 1].lane;
}

#endif
