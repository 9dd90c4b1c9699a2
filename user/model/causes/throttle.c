// SPDX-License-Identifier: BSD-2-Clause
/* CPU quotas: looks at a cgroup's counters become what they grew by while a process started. */
#include <errno.h>

#include "model/causes/throttle.h"
#include "model/state/process_table.h"
#include "model/state/tap.h"
#include "model/state/text.h"

/* One quota of a process. */
struct quota_state {
	struct throttle_info first, last;
	struct quota_look {
		struct quota_look *next;
		__u64 ts_ns, cnt, wall_ns;
	} *looks, **looks_end;      /* behind the first, by time */
	struct quota_state *next;
};

static struct quota_state *find(struct process_state *state, const char *cgroup)
{
	for (struct quota_state *quota = state->quotas; quota; quota = quota->next)
		if (quota->first.cgroup == cgroup)
			return quota;
	return NULL;
}

static int add_quota(struct model *model, struct process_state *state, const char *cgroup,
		     const struct throttle_info *info)
{
	struct quota_state *quota = arena__alloc(&model->arena, sizeof(*quota));

	if (!quota)
		return -ENOMEM;
	quota->first = quota->last = *info;
	quota->first.cgroup = quota->last.cgroup = cgroup;
	quota->looks_end = &quota->looks;
	quota->next = state->quotas;
	state->quotas = quota;
	return 0;
}

int model__add_throttle(struct model *model, __u32 serial, const struct throttle_info *info)
{
	struct process_state *state = process_find(model, serial);
	const char *cgroup;
	struct quota_state *quota;
	struct quota_look *look;

	tap_fact(model, FACT_THROTTLE, serial, info);
	if (!state)
		return 0;
	state->is_quota_known = true;
	cgroup = model_keep(model, info->cgroup);
	if (!cgroup)
		return info->cgroup ? -ENOMEM : 0;
	quota = find(state, cgroup);
	if (!quota)
		return add_quota(model, state, cgroup, info);
	/* Counters grow; a replayed capture may hold anything. */
	if (info->ts_ns < quota->last.ts_ns || info->cnt < quota->last.cnt ||
	    info->wall_ns < quota->last.wall_ns)
		return 0;
	look = arena__alloc(&model->arena, sizeof(*look));
	if (!look)
		return -ENOMEM;
	*look = (struct quota_look){ NULL, info->ts_ns, info->cnt, info->wall_ns };
	*quota->looks_end = look;
	quota->looks_end = &look->next;
	quota->last.ts_ns = info->ts_ns;
	quota->last.cnt = info->cnt;
	quota->last.wall_ns = info->wall_ns;
	return 0;
}

/* Only growth is told: the first look at or behind the end of start-up has all before it. */
static void add_startup(struct throttle *out, const struct quota_state *quota, __u64 up_ns)
{
	const struct quota_look *look = quota->looks;

	if (up_ns == NS_UNKNOWN)
		return;
	while (look && look->ts_ns < up_ns && look->next)
		look = look->next;
	out->startup_cnt = look ? look->cnt - quota->first.cnt : 0;
	out->startup_ns = look ? look->wall_ns - quota->first.wall_ns : 0;
}

int throttle_finish(struct model *model, struct process_state *state)
{
	struct throttle *out;

	if (!state->is_quota_known)
		return 0;
	out = arena__alloc(&model->arena, sizeof(*out));
	if (!out)
		return -ENOMEM;
	out->startup_cnt = out->startup_ns = state->quotas ? NS_UNKNOWN : 0;
	for (const struct quota_state *quota = state->quotas; quota; quota = quota->next) {
		const struct throttle_info *first = &quota->first, *last = &quota->last;

		if (out->cgroup && last->wall_ns - first->wall_ns <= out->wall_ns)
			continue;
		*out = (struct throttle){
			.cgroup = first->cgroup, .quota_us = first->quota_us,
			.period_us = first->period_us, .cnt = last->cnt - first->cnt,
			.wall_ns = last->wall_ns - first->wall_ns,
			.startup_cnt = NS_UNKNOWN, .startup_ns = NS_UNKNOWN,
		};
		add_startup(out, quota, process_up_ns(&state->process));
	}
	state->process.throttle = out;
	return 0;
}
