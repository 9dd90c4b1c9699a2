/* SPDX-License-Identifier: BSD-2-Clause */
/* The start-up of each process is settled. */
#ifndef MODEL_TREE_STARTUP_H
#define MODEL_TREE_STARTUP_H

#include "model/state.h"

/* The processes before it have been, loads are linked. */
int startup_finish(struct model *model, struct process_state *state);

/*
 * While tracing: it is ready, or its run of imports has been over for so long that nobody waits for
 * it to be ready any more.
 */
bool startup_is_over(struct model *model, const struct process_state *state, __u64 now_ns);

#endif
