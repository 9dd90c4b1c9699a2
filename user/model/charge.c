// SPDX-License-Identifier: BSD-2-Clause
/*
 * Charges: from spans to loads, from exclusive to inclusive. A charge comes after its span's end,
 * by seconds in a long trace, so who a span was part of is remembered until the stream says that
 * nothing more will come for it.
 *
 * CPU time is what is left of a load's own time when its waits are taken off: each wait began and
 * ended under one span, while a time slice can see many of them.
 */
#include <errno.h>
#include <string.h>

#include "model/state.h"

static struct home *home_of(struct model *model, __u64 key)
{
	struct home *home;

	HASH_FIND(hh, model->homes, &key, sizeof(key), home);
	return home;
}

struct home *home_find(struct model *model, __u32 serial, __u32 span)
{
	return home_of(model, (__u64)serial << 32 | span);
}

int charge_open(struct model *model, const struct span *span)
{
	struct home *home = model->free_homes;

	if (home) {
		model->free_homes = home->next;
		memset(home, 0, sizeof(*home));
	} else {
		home = arena__alloc(&model->arena, sizeof(*home));
	}
	if (!home)
		return -ENOMEM;
	home->key = span->key;
	home->load = span->load;
	HASH_ADD(hh, model->homes, key, sizeof(home->key), home);
	return 0;
}

void charge_move(struct model *model, const struct span *span, const struct load_state *from)
{
	struct home *home = home_of(model, span->key);

	if (home)
		home->load = span->load;
	charge_add(span->load ? &span->load->load.charge : &span->process->process.outside,
		   &from->load.charge);
}

void charge_close(struct model *model, const struct span *span)
{
	struct home *home = home_of(model, span->key);

	if (!home || home->is_closed)
		return;
	home->is_closed = true;
	home->next = model->closed_homes;
	model->closed_homes = home;
}

void charge_add(struct pyi_charge *to, const struct pyi_charge *from)
{
	__u64 *sums = (__u64 *)to;
	const __u64 *more = (const __u64 *)from;

	for (size_t i = 0; i < PYI_CHARGE_SUMS; i++)
		sums[i] += more[i];
	if (from->rss_peak > to->rss_peak)
		to->rss_peak = from->rss_peak;
	if (from->last_io_ns > to->last_io_ns)
		to->last_io_ns = from->last_io_ns;
	to->flags |= from->flags;
}

void charge_apply(struct model *model, const struct pyi_charge_record *rec)
{
	struct process_state *process = process_find(model, rec->hdr.proc);
	struct home *home;

	if (!process)
		return;
	if (rec->span == PYI_OUTSIDE_OTHERS) {
		charge_add(&process->process.outside_others, &rec->charge);
		return;
	}
	home = home_find(model, rec->hdr.proc, rec->span);
	if (!home)
		home = home_find(model, rec->hdr.proc, rec->below);
	charge_add(home && home->load ? &home->load->load.charge : &process->process.outside,
		   &rec->charge);
}

void charge_settled(struct model *model, const struct pyi_charged *rec)
{
	struct home *home = model->closed_homes, *keep = NULL, *next;

	model->measured = rec->groups;
	for (; home; home = next) {
		next = home->next;
		if (home->is_passed) {
			/* It is in the table. */
			/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
			HASH_DEL(model->homes, home);
			home->next = model->free_homes;
			model->free_homes = home;
		} else { /* it may have ended since: its last charges come with the next lot */
			home->is_passed = true;
			home->next = keep;
			keep = home;
		}
	}
	model->closed_homes = keep;
}

void charge_drop(const struct load_state *state)
{
	const struct load *load = &state->load;
	struct process *process = load->process;

	charge_add(load->parent ? &load->parent->charge :
		   load->tid == process->tgid ? &process->outside : &process->outside_others,
		   &load->charge);
}

__u64 charge_wait_ns(const struct pyi_charge *charge)
{
	__u64 sum_ns = 0;

	for (int i = 0; i < PYI_WAIT_CNT; i++)
		sum_ns += charge->wait_ns[i];
	return sum_ns;
}

static __u64 rest(__u64 whole_ns, __u64 part_ns)
{
	return whole_ns == NS_UNKNOWN ? NS_UNKNOWN : whole_ns > part_ns ? whole_ns - part_ns : 0;
}

/* Parents come before their children: backwards, a load's sum is complete when it is reached. */
static void settle_loads(const struct model *model, struct process *process)
{
	bool has_cpu = model->measured & PYI_GROUP_CPU;

	for (size_t i = 0; i < process->load_cnt; i++)
		process->loads[i]->charge_all = process->loads[i]->charge;
	for (size_t i = process->load_cnt; i-- > 0;) {
		struct load *load = process->loads[i];

		load->self_cpu_ns = load->cpu_ns = NS_UNKNOWN;
		if (has_cpu) {
			load->self_cpu_ns = rest(load->self_ns, charge_wait_ns(&load->charge));
			load->cpu_ns = rest(load->wall_ns, charge_wait_ns(&load->charge_all));
		}
		if (load->parent && load->parent->tid == load->tid)
			charge_add(&load->parent->charge_all, &load->charge_all);
		stages_settle((struct load_state *)load);
	}
}

/* What the first thread's life has besides its loads. */
static void settle_outside(const struct model *model, struct process *process)
{
	__u64 end_ns = process->end_ns == NS_UNKNOWN ? model->host.trace_end_ns : process->end_ns;
	__u64 inside_ns = 0;

	process->outside_ns = process->outside_cpu_ns = NS_UNKNOWN;
	if (process->is_late || end_ns < process->start_ns)
		return;
	for (size_t i = 0; i < process->root_cnt; i++) {
		const struct load *root = process->roots[i];

		if (root->tid != process->tgid)
			continue;
		if (root->wall_ns == NS_UNKNOWN || root->is_inherited)
			return;
		inside_ns += root->wall_ns;
	}
	process->outside_ns = rest(end_ns - process->start_ns, inside_ns);
	if (model->measured & PYI_GROUP_CPU)
		process->outside_cpu_ns = rest(process->outside_ns,
					       charge_wait_ns(&process->outside));
}

void charge_finish(const struct model *model, struct process *process)
{
	process->measured = model->measured;
	settle_loads(model, process);
	settle_outside(model, process);
	process->total = process->outside;
	charge_add(&process->total, &process->outside_others);
	for (size_t i = 0; i < process->load_cnt; i++)
		charge_add(&process->total, &process->loads[i]->charge);
}

__u32 model__measured(const struct model *model)
{
	return model->measured;
}
