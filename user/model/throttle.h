/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU quotas and how often they stopped a process's cgroup. Part of model.h, which includes it.
 * The counters are the cgroup's: of all its processes, on all CPUs.
 */
#ifndef MODEL_THROTTLE_H
#define MODEL_THROTTLE_H

#include <linux/types.h>

/* One look at the counters. The first one of a process is what it began with. */
struct throttle_info {
	const char *cgroup;         /* that has the quota; NULL: none has, the rest is 0 */
	__u64 quota_us, period_us;
	__u64 ts_ns;
	__u64 cnt, wall_ns;         /* since the cgroup was made */
};

/* What became of a process: of nested quotas the one that stopped it longest. */
struct throttle {
	const char *cgroup;         /* NULL: no quota */
	__u64 quota_us, period_us;
	__u64 cnt, wall_ns;         /* while the process was seen */
	__u64 startup_cnt, startup_ns; /* of that, until it was up; NS_UNKNOWN */
};

#endif
