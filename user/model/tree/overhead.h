/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to user/model; ../overhead.h has what it means. */
#ifndef MODEL_TREE_OVERHEAD_H
#define MODEL_TREE_OVERHEAD_H

#include "model/state.h"

/* Before anything asks for what was taken until a moment. -ENOMEM. */
int overhead_prepare(struct model *model, struct process_state *state);

/* What was taken from the first thread between the two; 0 when that is not to be taken off. */
__u64 overhead_between(const struct process *process, __u64 from_ns, __u64 to_ns);

/* Takes it off the loads, whose moments were all settled before. */
void overhead_settle(struct model *model, struct process *process);

#endif
