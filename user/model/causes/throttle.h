/* SPDX-License-Identifier: BSD-2-Clause */
/* When the CPU quota of its cgroup stopped a process. */
#ifndef MODEL_CAUSES_THROTTLE_H
#define MODEL_CAUSES_THROTTLE_H

#include "model/state.h"

int throttle_finish(struct model *model, struct process_state *state);

#endif
