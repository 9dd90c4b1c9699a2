/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU quotas of cgroups, v2 (cpu.max) and v1 (cpu.cfs_quota_us), and how often they were hit
 * (cpu.stat). A quota of any cgroup above a process stops it too, and is counted only there.
 */
#ifndef INTERPRETERS_CONTAINERS_CPU_QUOTA_H
#define INTERPRETERS_CONTAINERS_CPU_QUOTA_H

#include <linux/types.h>
#include <stddef.h>

#include "interpreters/containers/cgroup_mount.h"

#define CPU_QUOTAS_MAX 4 /* of one process: more nested quotas are not looked at */

/* A cgroup with a quota, kept open: it can be read as long as the cgroup exists. */
struct cpu_quota {
	char *path;        /* as in /proc/PID/cgroup */
	int fd;            /* its cpu.stat */
	__u64 quota_us, period_us;
};

/* Counters since the cgroup was made. */
struct cpu_throttled {
	__u64 cnt;         /* periods in which it had to stop */
	__u64 wall_ns;     /* stopped, summed over the CPUs it was stopped on */
};

/* The hierarchy that hands out CPUs: v1's where that is mounted, else v2. -ENODEV: none is. */
int cpu_quota_mount(struct cgroup_mount *out);

/*
 * Those that hold for a process, its own cgroup first. Their number; -ENOENT, -EACCES …: what
 * holds for it cannot be told. Each is to be closed by cpu_quota__close.
 */
int cpu_quotas__open(const struct cgroup_mount *mount, int proc_fd,
		     struct cpu_quota out[CPU_QUOTAS_MAX]);
void cpu_quota__close(struct cpu_quota *quota);

/* -ENODEV when the cgroup is gone, -EBADMSG when it does not count. */
int cpu_quota__read(const struct cpu_quota *quota, struct cpu_throttled *out);

/* The text of cpu.stat. -EBADMSG: no throttling in it. */
int cpu_quota_parse(const char *text, struct cpu_throttled *out);

#endif
