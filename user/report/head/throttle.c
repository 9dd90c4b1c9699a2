// SPDX-License-Identifier: BSD-2-Clause
/* The cgroup's CPU quota in words: how often it stopped the process's cgroup. */
#include "report/view.h"
#include "report/head/lines.h"
#include "report/text/ranking.h"
#include "report/text/wording.h"

#define NOTABLE_PCT 1 /* of start-up */

/* "The CPU quota of /web (0.50 CPUs) stopped it 12 times, for 612 ms in all, during start-up." */
static void put_stops(const struct view *view, const struct throttle *throttle)
{
	bool is_startup = throttle->startup_ns != NS_UNKNOWN;
	__u64 cnt = is_startup ? throttle->startup_cnt : throttle->cnt;
	__u64 ns = is_startup ? throttle->startup_ns : throttle->wall_ns;
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	text_buf__add(&buf, "The CPU quota of cgroup ");
	text_buf__escape(&buf, throttle->cgroup, view_escape_flags(view));
	text_buf__printf(&buf, " (%.2f CPUs) ",
			 (double)throttle->quota_us / (double)throttle->period_us);
	if (cnt)
		text_buf__printf(&buf, "stopped it %s time%s%s, for %s summed over CPUs: part of "
				 "waiting for a CPU.", text_count(num, cnt), cnt == 1 ? "" : "s",
				 is_startup ? " during start-up" : "",
				 text_ns((char[TEXT_NUM_SZ]){ 0 }, ns));
	else
		text_buf__printf(&buf, "did not stop it%s.", is_startup ? " during start-up" : "");
	put_para(view, 2, cnt ? TABLE_RED : TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

/* Did it cost more than a trifle? */
static bool is_notable(const struct process *process)
{
	const struct throttle *throttle = process->throttle;
	__u64 base_ns = process_base_ns(process);

	if (!throttle || !throttle->cgroup || !throttle->period_us)
		return false;
	if (throttle->startup_ns == NS_UNKNOWN || process->startup_end_ns == NS_UNKNOWN ||
	    process->startup_end_ns < base_ns)
		return throttle->cnt != 0;
	return throttle->startup_cnt && throttle->startup_ns * 100 >=
	       (process->startup_end_ns - base_ns) * NOTABLE_PCT;
}

void throttle_head(const struct view *view, const struct process *process)
{
	if (is_notable(process))
		put_stops(view, process->throttle);
}

/* Where the head is silent. */
void throttle_write(const struct view *view, const struct process *process)
{
	const struct throttle *throttle = process->throttle;

	if (process->is_log || is_notable(process))
		return;
	if (!throttle)
		put_para(view, 2, TABLE_PLAIN,
			 "Whether a CPU quota of its cgroup stopped it could not be read.");
	else if (throttle->cgroup && throttle->period_us)
		put_stops(view, throttle);
}
