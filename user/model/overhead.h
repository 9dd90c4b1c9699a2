/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tracing took of the times that were measured. Part of model.h, which includes it.
 *
 * The kernel side counts, per thread, the probes that were hit, the system calls it looked at and
 * the time in its programs; begins and ends of loads carry these counts. What a probe and a look
 * cost by themselves is measured on the machine when tracing begins and when it ends. When the
 * trace is over, wall, self and CPU times of loads and the parts of start-ups have that taken off.
 *
 * It stays in the times of processes whose stacks are switched (greenlets), of loads inherited by a
 * fork, and of everything if the two prices of a probe differ by more than a factor of two. Not
 * taken off is what a thread waited for while another one was hit.
 */
#ifndef MODEL_OVERHEAD_H
#define MODEL_OVERHEAD_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include "pyimport_event.h"

struct load;
struct model;
struct process;

/* Nanoseconds; 0 = not known. */
struct price_info {
	__u64 trap_ns, step_ns;         /* an empty probe, emulated or single-stepped, before */
	__u64 end_trap_ns, end_step_ns; /* and after the trace */
	__u64 call_ns;                  /* what a system call takes longer */
};

/* What tracing had taken from the first thread at a moment. */
struct overhead_point {
	__u64 ts_ns, ns;
};

struct overhead {
	bool is_known, is_taken_off;
	__u64 total_ns; /* of the first thread, until its last import was done */
	__u64 own_ns;   /* of that, outside of imports */
	struct overhead_point *points; /* by time */
	size_t point_cnt;
};

void model__set_price(struct model *model, const struct price_info *info);
const struct price_info *model__price(const struct model *model); /* NULL: not told */

/* Times are to stay as they were measured. Before the trace is over. */
void model__set_as_measured(struct model *model);

/* Two prices of the same thing that leave open what it was. */
bool price_has_changed(const struct price_info *price);

/* What tracing took of the start-up; 0 = nothing, or not known. */
__u64 process_startup_overhead_ns(const struct process *process);

/* A time of a load with what was taken off it: @overhead_ns is the load's own, or in total. */
__u64 load_as_measured_ns(const struct load *load, __u64 ns, __u64 overhead_ns);
__u64 load_overhead_ns(const struct load *load, __u64 overhead_ns); /* NS_UNKNOWN: not known */
__u64 load_end_ns(const struct load *load); /* when it ended; NS_UNKNOWN */

#endif
