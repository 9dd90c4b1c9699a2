// SPDX-License-Identifier: BSD-2-Clause
/* See ../overhead.h. */
#include "model/tree/overhead.h"

#include <errno.h>
#include <stdlib.h>

#include "model/causes/charge.h"
#include "model/state/tap.h"

#define CHANGE_MAX 2 /* times as much: another machine, in effect */

void model__set_price(struct model *model, const struct price_info *info)
{
	tap_fact(model, FACT_PRICE, 0, info);
	model->price = *info;
	model->has_price = true;
}

const struct price_info *model__price(const struct model *model)
{
	return model->has_price ? &model->price : NULL;
}

void model__set_as_measured(struct model *model)
{
	model->is_as_measured = true;
}

static bool has_changed(__u64 a, __u64 b)
{
	__u64 low = a < b ? a : b, high = a < b ? b : a;

	return low && high / CHANGE_MAX >= low && high > low * CHANGE_MAX;
}

bool price_has_changed(const struct price_info *price)
{
	return has_changed(price->trap_ns, price->end_trap_ns);
}

/* A trace that was cut has no price of its end. */
static __u64 mean(__u64 begin_ns, __u64 end_ns)
{
	return end_ns ? begin_ns / 2 + end_ns / 2 : begin_ns;
}

static __u64 price_of(const struct price_info *price, const struct pyi_spent *spent)
{
	return spent->bpf_ns + spent->traps * mean(price->trap_ns, price->end_trap_ns) +
	       spent->steps * mean(price->step_ns, price->end_step_ns) +
	       spent->calls * price->call_ns;
}

static const struct load_state *state_of(const struct load *load)
{
	return (const struct load_state *)load;
}

static bool is_counted(const struct load *load)
{
	const struct pyi_spent *ended = &state_of(load)->ended;

	return load->wall_ns != NS_UNKNOWN && !load->is_inherited &&
	       (ended->traps || ended->steps);
}

static int cmp_point(const void *a, const void *b)
{
	const struct overhead_point *x = a, *y = b;

	return (x->ts_ns > y->ts_ns) - (x->ts_ns < y->ts_ns);
}

static void add_points(const struct model *model, const struct process *process,
		       struct overhead *overhead)
{
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];
		const struct load_state *state = state_of(load);

		if (load->tid != process->tgid || !is_counted(load))
			continue;
		overhead->points[overhead->point_cnt++] = (struct overhead_point){
			load->start_ns, price_of(&model->price, &state->begun) };
		overhead->points[overhead->point_cnt++] = (struct overhead_point){
			load->start_ns + load->wall_ns, price_of(&model->price, &state->ended) };
	}
	qsort(overhead->points, overhead->point_cnt, sizeof(*overhead->points), cmp_point);
	/* Counts only grow; a load whose end was found out later may have a smaller one. */
	for (size_t i = 1; i < overhead->point_cnt; i++)
		if (overhead->points[i].ns < overhead->points[i - 1].ns)
			overhead->points[i].ns = overhead->points[i - 1].ns;
}

int overhead_prepare(struct model *model, struct process_state *state)
{
	struct process *process = &state->process;
	struct overhead *overhead = &process->overhead;

	if (!model->has_price || !model->price.trap_ns || price_has_changed(&model->price) ||
	    process->is_switching || !process->load_cnt)
		return 0;
	overhead->points = arena__alloc(&model->arena,
					2 * process->load_cnt * sizeof(*overhead->points));
	if (!overhead->points)
		return -ENOMEM;
	add_points(model, process, overhead);
	if (!overhead->point_cnt)
		return 0;
	overhead->is_known = true;
	overhead->is_taken_off = !model->is_as_measured;
	overhead->total_ns = overhead->points[overhead->point_cnt - 1].ns;
	return 0;
}

/* Until the last moment at which it is known. */
static __u64 taken_until(const struct overhead *overhead, __u64 ts_ns)
{
	size_t low = 0, high = overhead->point_cnt;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (overhead->points[middle].ts_ns <= ts_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? overhead->points[low - 1].ns : 0;
}

__u64 overhead_between(const struct process *process, __u64 from_ns, __u64 to_ns)
{
	const struct overhead *overhead = &process->overhead;

	if (!overhead->is_taken_off)
		return 0;
	return taken_until(overhead, to_ns) - taken_until(overhead, from_ns);
}

/*
 * Its children come before it and are settled. Never more than the load took by itself on a CPU:
 * the clock goes on while one of our programs is preempted, and that is counted as a wait.
 */
static void settle_load(const struct model *model, struct load *load)
{
	const struct load_state *state = state_of(load);
	__u64 all_ns = 0, inside_ns = 0, wait_ns = charge_wait_ns(load->charge), room_ns;

	if (is_counted(load))
		all_ns = price_of(&model->price, &state->ended) -
			 price_of(&model->price, &state->begun);
	for (size_t i = 0; i < load->child_cnt; i++)
		if (load->children[i]->tid == load->tid)
			inside_ns += load->children[i]->overhead_total_ns;
	load->overhead_ns = all_ns > inside_ns ? all_ns - inside_ns : 0;
	room_ns = load->self_ns > wait_ns ? load->self_ns - wait_ns : 0;
	if (load->overhead_ns > room_ns)
		load->overhead_ns = room_ns;
	load->overhead_total_ns = load->overhead_ns + inside_ns;
}

static void take_off(struct load *load)
{
	if (load->wall_ns == NS_UNKNOWN)
		return;
	if (load->overhead_total_ns > load->wall_ns) { /* imports that overlap */
		load->overhead_ns = load->overhead_total_ns = 0;
		return;
	}
	load->wall_ns -= load->overhead_total_ns;
	if (load->self_ns != NS_UNKNOWN)
		load->self_ns -= load->overhead_ns;
}

void overhead_settle(struct model *model, struct process *process)
{
	struct overhead *overhead = &process->overhead;
	__u64 inside_ns = 0;

	if (!overhead->is_known)
		return;
	for (size_t i = process->load_cnt; i-- > 0;)
		if (process->loads[i]->wall_ns != NS_UNKNOWN)
			settle_load(model, process->loads[i]);
	for (size_t i = 0; overhead->is_taken_off && i < process->load_cnt; i++)
		take_off(process->loads[i]);
	for (size_t i = 0; i < process->root_cnt; i++)
		if (process->roots[i]->tid == process->tgid)
			inside_ns += process->roots[i]->overhead_total_ns;
	overhead->own_ns = overhead->total_ns > inside_ns ? overhead->total_ns - inside_ns : 0;
}

__u64 process_startup_overhead_ns(const struct process *process)
{
	if (process->startup.by == STARTUP_UNKNOWN || !process->overhead.is_known)
		return 0;
	return taken_until(&process->overhead, process->startup.end_ns);
}

__u64 load_as_measured_ns(const struct load *load, __u64 ns, __u64 overhead_ns)
{
	return ns == NS_UNKNOWN || !load->process->overhead.is_taken_off ? ns : ns + overhead_ns;
}

__u64 load_overhead_ns(const struct load *load, __u64 overhead_ns)
{
	return load->wall_ns == NS_UNKNOWN || !load->process->overhead.is_known ? NS_UNKNOWN :
										  overhead_ns;
}

__u64 load_end_ns(const struct load *load)
{
	__u64 wall_ns = load_as_measured_ns(load, load->wall_ns, load->overhead_total_ns);

	return wall_ns == NS_UNKNOWN ? NS_UNKNOWN : load->start_ns + wall_ns;
}
