// SPDX-License-Identifier: BSD-2-Clause
/* See late_imports.h. */
#include "model/tree/late_imports.h"

bool load_is_late(const struct load *load)
{
	__u64 up_ns = process_up_ns(load->process);

	return up_ns != NS_UNKNOWN && load->via != VIA_MAIN && !load->is_inherited &&
	       load->start_ns > up_ns;
}

bool load_is_late_top(const struct load *load)
{
	return load_is_late(load) && (!load->parent || !load_is_late(load->parent));
}

static bool is_longer(const struct late_imports *late, const struct load *load)
{
	bool is_waiter = load->tid == late->waiter_tid;

	if (!late->longest)
		return true;
	if (is_waiter != (late->longest->tid == late->waiter_tid))
		return is_waiter;
	return load->wall_ns > late->longest->wall_ns;
}

bool late_find(const struct process *process, struct late_imports *out)
{
	*out = (struct late_imports){ .since_ns = process_up_ns(process) };
	if (out->since_ns == NS_UNKNOWN)
		return false;
	out->is_service = process->ready_ns != NS_UNKNOWN;
	out->waiter_tid = process->ready_tid;
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		out->module_cnt += load_is_late(load) && load->result == LOAD_LOADED;
		if (!load_is_late_top(load))
			continue;
		out->cnt++;
		out->waiter_cnt += load->tid == out->waiter_tid;
		if (load->wall_ns == NS_UNKNOWN)
			continue;
		out->wall_ns += load->wall_ns;
		out->measured_ns += load_as_measured_ns(load, load->wall_ns,
							load->overhead_total_ns);
		if (load->tid == out->waiter_tid)
			out->waiter_ns += load->wall_ns;
		if (load->tid == out->waiter_tid)
			out->waiter_measured_ns += load_as_measured_ns(load, load->wall_ns,
								       load->overhead_total_ns);
		if (is_longer(out, load))
			out->longest = load;
	}
	return true;
}
