/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a process belongs: cgroup, unit, container. */
#ifndef MODEL_STREAM_IDENTITY_H
#define MODEL_STREAM_IDENTITY_H

#include "model/state.h"

void identity_set(struct model *model, struct process *process, const struct process_info *info);
/* When the trace is over: a fork is where its parent is. */
void identity_inherit(struct model *model);

#endif
