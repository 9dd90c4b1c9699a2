/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Late imports: made when the program was up, while somebody may be waiting for an answer. The
 * thread that first waited for a connection is the one that runs the event loop, or accepts: what
 * it imports holds up everybody.
 */
#ifndef MODEL_TREE_LATE_IMPORTS_H
#define MODEL_TREE_LATE_IMPORTS_H

#include "model/model.h"

struct late_imports {
	bool is_service;          /* it waited for connections; else all is since start-up's end */
	__u64 since_ns;
	__u32 cnt;                /* late imports with no other late one around them */
	__u32 module_cnt;         /* with what these loaded */
	__u64 wall_ns, measured_ns; /* of those, summed over threads; the latter with tracing */
	__u32 waiter_tid;         /* 0 = unknown */
	__u32 waiter_cnt;         /* of cnt, in that thread */
	__u64 waiter_ns, waiter_measured_ns; /* for so long it could not wait for connections */
	const struct load *longest; /* in that thread if it made any; NULL = none has ended */
};

/* False: it is not known when the program was up. */
bool late_find(const struct process *process, struct late_imports *out);

/* Did it begin when the program was up? False also where that is unknown. */
bool load_is_late(const struct load *load);

/* And did none of the loads around it? */
bool load_is_late_top(const struct load *load);

#endif
