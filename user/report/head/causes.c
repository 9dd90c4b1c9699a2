// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where time goes: the causes, and the sentence about them in the head of each text view.
 */
#include <string.h>

#include "report/head/causes.h"
#include "report/text/ranking.h"
#include "report/text/wording.h"

#define HEAD_MIN_NS 1000000ULL
#define NOTABLE_PCT 10 /* a wait that gets more than this of the time is worth the sentence */
#define BUSY_PCT 25    /* so much waiting for a CPU makes every figure longer */

const struct cause causes[CAUSE_CNT] = {
	[CAUSE_CPU] = { "cpu", '#', "CPU", "on the CPU" },
	[CAUSE_WAITS + PYI_WAIT_DISK] = { "disk", 'd', "disk", "waiting for disk" },
	[CAUSE_WAITS + PYI_WAIT_LOCK] = { "lock", 'l', "lock", "waiting for locks" },
	[CAUSE_WAITS + PYI_WAIT_RUNQUEUE] = { "runqueue", 'r', "run queue", "waiting for a CPU" },
	[CAUSE_WAITS + PYI_WAIT_NETWORK] = { "network", 'n', "network", "waiting for the network" },
	[CAUSE_WAITS + PYI_WAIT_SLEEP] = { "sleep", 's', "sleep", "sleeping" },
	[CAUSE_WAITS + PYI_WAIT_CHILD] = { "child", 'c', "child process",
					   "waiting for child processes" },
	[CAUSE_WAITS + PYI_WAIT_OTHER] = { "other", 'o', "other", "waiting for something else" },
};

void causes_split(const struct pyi_charge *charge, __u64 cpu_ns, __u64 parts[CAUSE_CNT])
{
	parts[CAUSE_CPU] = cpu_ns == NS_UNKNOWN ? 0 : cpu_ns;
	memcpy(parts + CAUSE_WAITS, charge->wait_ns, sizeof(charge->wait_ns));
}

static __u64 part_of(const struct load *load, int cause)
{
	__u64 parts[CAUSE_CNT];

	causes_split(load->charge_all, load->cpu_ns, parts);
	return parts[cause];
}

/* The deepest load that still holds half of what all imports spent on @cause. */
static const struct load *find_under(const struct process *process, int cause, __u64 half_ns)
{
	const struct load *found = NULL;

	/* A load stands behind those around it: the last one that holds enough is the deepest. */
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		if (load->via != VIA_MAIN && load_is_startup(load) &&
		    part_of(load, cause) >= half_ns)
			found = load;
	}
	return found;
}

/* Not a quota of its own: that it meets anywhere. */
static bool was_busy(const struct process *process, __u64 runqueue_ns, __u64 whole_ns)
{
	return runqueue_ns * 100 >= whole_ns * BUSY_PCT &&
	       !(process->throttle && process->throttle->cnt);
}

/* "62% of the imports' 8.4 s waiting for disk, 71% of it under torch". */
void causes_head(const struct view *view, const struct process *process,
		 const struct headline *headline)
{
	__u64 sums[CAUSE_CNT] = { 0 }, whole_ns = headline->imports_ns;
	const struct load *under;
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];
	int top = CAUSE_CPU;

	if (!(process->measured & PYI_GROUP_CPU) || whole_ns == NS_UNKNOWN ||
	    whole_ns < HEAD_MIN_NS)
		return;
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		if (!load_is_top(load) || !load_is_startup(load))
			continue;
		for (int cause = 0; cause < CAUSE_CNT; cause++)
			sums[cause] += part_of(load, cause);
	}
	for (int i = CAUSE_WAITS; i < CAUSE_CNT; i++) /* a wait says more than that it computes */
		if (sums[i] * 100 > whole_ns * NOTABLE_PCT &&
		    (top == CAUSE_CPU || sums[i] > sums[top]))
			top = i;
	/* An import may have gone on when the start-up was over. */
	sums[top] = sums[top] < whole_ns ? sums[top] : whole_ns;
	text_buf__printf(&buf, "%.0f%% of the imports' %s %s", sums[top] * 100.0 / whole_ns,
			 text_ns(num, whole_ns), causes[top].doing);
	if (top == CAUSE_WAITS + PYI_WAIT_RUNQUEUE && was_busy(process, sums[top], whole_ns))
		text_buf__add(&buf, " (the machine was busy)");
	under = find_under(process, top, sums[top] / 2 + 1);
	if (under && under->module) {
		text_buf__printf(&buf, ", %.0f%% of it under ",
				 part_of(under, top) * 100.0 / sums[top]);
		text_buf__escape(&buf, under->module, view_escape_flags(view));
	}
	put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}
