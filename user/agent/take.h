/* SPDX-License-Identifier: BSD-2-Clause */
/* From a start-up that is over to sums. */
#ifndef AGENT_TAKE_H
#define AGENT_TAKE_H

#include "agent/modules.h"
#include "agent/series.h"

struct model;

/* As model_lean.on_fold tells of them. */
void take_startup(const struct model *part, struct series_table *table, struct modules *modules,
		  __u64 now_ns);
void take_late(const struct model *part, struct series_table *table, __u64 now_ns);

#endif
