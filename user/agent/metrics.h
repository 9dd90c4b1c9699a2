/* SPDX-License-Identifier: BSD-2-Clause */
/* What the agent knows, as text that Prometheus reads. */
#ifndef AGENT_METRICS_H
#define AGENT_METRICS_H

#include <stdbool.h>
#include <stdio.h>

#include "agent/modules.h"
#include "agent/series.h"
#include "agent/spool.h"
#include "model/forget.h"

#define LOSSES_MAX 64

/* What a series has, by enum series_time and enum series_count. */
struct time_metric {
	const char *name, *help;
};
/* Counters with the same name are one family and follow one another; the first has the help. */
struct count_metric {
	const char *name, *unit, *result, *help;
};
extern const struct time_metric time_metrics[TIME_CNT];
extern const struct count_metric count_metrics[COUNT_CNT];

/* Of what is sent to a collector: documents, and traces that never arrived. */
struct push_stats {
	__u64 sent_cnt, failed_cnt, dropped_cnt, waiting_cnt;
};

/* Of the agent itself, as of one moment. */
struct agent_state {
	__u64 losses[LOSSES_MAX]; /* in the order of loss_counters (report/view.h) */
	bool is_complete;
	__u64 record_cnt, cpu_ns, holder_cpu_ns, resident_bytes, holder_resident_bytes;
	__u64 heap_bytes;         /* allocated: the rest of what is resident may be holes */
	struct model_memory memory;
	__u64 start_s;            /* since the epoch */
	__u64 scrape_cnt, reload_cnt;
	bool is_config_good;      /* the last time it was read */
	bool has_spool, has_push;
	struct push_stats push;
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
