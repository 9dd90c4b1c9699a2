/* SPDX-License-Identifier: BSD-2-Clause */
/* What the agent knows, as text that Prometheus reads. */
#ifndef AGENT_METRICS_H
#define AGENT_METRICS_H

#include <stdbool.h>
#include <stdio.h>

#include "agent/modules.h"
#include "agent/series.h"
#include "agent/spool.h"

#define LOSSES_MAX 64

/* Of the agent itself, as of one moment. */
struct agent_state {
	__u64 losses[LOSSES_MAX]; /* in the order of loss_counters (report/view.h) */
	bool is_complete;
	__u64 record_cnt, cpu_ns, holder_cpu_ns, resident_bytes, holder_resident_bytes;
	__u64 start_s;            /* since the epoch */
	__u64 scrape_cnt;
	bool has_spool;
	struct spool_stats spool;
};

/* A copy, so that nobody waits for whoever reads it. */
struct snapshot {
	struct series_table table;
	struct module top[MODULES_TOP];
	size_t top_cnt;
	struct agent_state state;
};

/* OpenMetrics 1.0, or the text format 0.0.4 that came before it. */
void metrics_write(const struct snapshot *snapshot, bool is_openmetrics, FILE *out);

#endif
