// SPDX-License-Identifier: BSD-2-Clause
/*
 * Threads that waited for each other's imports: what looked like a load and turned out to be a
 * wait is kept as such, and the load that was waited for is found when all loads are settled.
 */
#include <errno.h>
#include <stdlib.h>

#include "model/causes/import_waits.h"

int wait_add(struct model *model, struct process *process, const struct load *load)
{
	struct wait *wait = arena__alloc(&model->arena, sizeof(*wait));

	if (!wait)
		return -ENOMEM;
	*wait = (struct wait){
		.module = load->module, .load = load->parent, .tid = load->tid,
		.start_ns = load->start_ns, .wall_ns = load->wall_ns,
	};
	return array_push(&process->waits, &process->wait_cnt, &process->wait_cap, wait);
}

static int cmp_number(__u64 a, __u64 b)
{
	return a < b ? -1 : a > b;
}

/* Names are interned: equal ones have equal addresses. */
static int cmp_module(const void *a, const void *b)
{
	const struct wait *x = *(struct wait *const *)a, *y = *(struct wait *const *)b;
	int order = cmp_number((uintptr_t)x->module, (uintptr_t)y->module);

	return order ? order : cmp_number(x->start_ns, y->start_ns);
}

static int cmp_start(const void *a, const void *b)
{
	const struct wait *x = *(struct wait *const *)a, *y = *(struct wait *const *)b;
	int order = cmp_number(x->start_ns, y->start_ns);

	return order ? order : cmp_number(x->tid, y->tid);
}

/* First wait for the module of @load that began when or after @load did. */
static size_t first_wait(const struct process *process, const struct load *load)
{
	size_t low = 0, high = process->wait_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct wait *wait = process->waits[mid];
		int order = cmp_number((uintptr_t)wait->module, (uintptr_t)load->module);

		if (order < 0 || (!order && wait->start_ns < load->start_ns))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void find_waits(struct process *process, struct load *load)
{
	for (size_t i = first_wait(process, load); i < process->wait_cnt; i++) {
		struct wait *wait = process->waits[i];

		if (wait->module != load->module ||
		    (load->wall_ns != NS_UNKNOWN &&
		     wait->start_ns > load->start_ns + load->wall_ns))
			return;
		if (wait->tid != load->tid)
			wait->owner = load;
	}
}

void waits_finish(struct process *process)
{
	if (!process->wait_cnt)
		return;
	qsort(process->waits, process->wait_cnt, sizeof(struct wait *), cmp_module);
	for (size_t i = 0; i < process->load_cnt; i++)
		if (process->loads[i]->module)
			find_waits(process, process->loads[i]);
	qsort(process->waits, process->wait_cnt, sizeof(struct wait *), cmp_start);
}
