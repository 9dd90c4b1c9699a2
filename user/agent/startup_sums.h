/* SPDX-License-Identifier: BSD-2-Clause */
/* From a start-up that is over to sums. */
#ifndef AGENT_STARTUP_SUMS_H
#define AGENT_STARTUP_SUMS_H

#include "agent/modules.h"
#include "agent/series.h"

struct model;

/* A start-up that somebody may want to look at. */
struct notable {
	enum notable_why why; /* NOTABLE_NO: none */
	const struct process *process; /* in the part */
	struct labels labels;
	__u64 startup_ns, end_ns;
};
const char *notable_word(enum notable_why why);

/* As model_lean.on_fold tells of them. @slow_ns: as in history_add. The last notable one. */
struct notable take_startup(const struct model *part, struct series_table *table,
			    struct modules *modules, __u64 slow_ns, __u64 now_ns);
void take_late(const struct model *part, struct series_table *table, __u64 now_ns);

#endif
