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

#include "model/causes/charge.h"
#include "model/causes/stages.h"
#include "model/state/process_table.h"

#define WRONG_SHARE 10
#define WRONG_LEAST_NS 10000000ULL

const struct pyi_charge charge_none;

static struct account *account_of(struct model *model, __u64 key)
{
	return keymap__find(&model->accounts, key);
}

struct account *account_find(struct model *model, __u32 serial, __u32 span)
{
	return account_of(model, (__u64)serial << 32 | span);
}

int charge_open(struct model *model, const struct span *span)
{
	struct account *account = model->free_accounts;

	if (account) {
		model->free_accounts = account->next;
		memset(account, 0, sizeof(*account));
	} else {
		account = arena__alloc(&model->arena, sizeof(*account));
	}
	if (!account)
		return -ENOMEM;
	account->key = span->key;
	account->load = span->load;
	return keymap__set(&model->accounts, account->key, account);
}

int charge_move(struct model *model, const struct span *span, struct load_state *from)
{
	struct account *account = account_of(model, span->key);
	const struct pyi_charge *moved = from->load.charge;

	if (account)
		account->load = span->load;
	from->load.charge = &charge_none;
	return charge_put(model, span->load ? &span->load->load : NULL,
			  &span->process->process.outside, moved);
}

void charge_close(struct model *model, const struct span *span)
{
	struct account *account = account_of(model, span->key);

	if (!account || account->is_closed)
		return;
	account->is_closed = true;
	account->next = model->closed_accounts;
	model->closed_accounts = account;
}

void charge_add(struct pyi_charge *to, const struct pyi_charge *from)
{
	__u64 *sums = (__u64 *)to;
	const __u64 *more = (const __u64 *)from;

	for (size_t i = 0; i < sizeof(*to) / sizeof(*sums); i++)
		if (i < PYI_CHARGE_SUMS || i >= PYI_CHARGE_MORE_SUMS)
			sums[i] += more[i];
	if (from->rss_peak > to->rss_peak)
		to->rss_peak = from->rss_peak;
	if (from->last_io_ns > to->last_io_ns)
		to->last_io_ns = from->last_io_ns;
	to->flags |= from->flags;
}

/* Most loads of a trace without causes are charged nothing: it takes no room in them. */
static int charge_own(struct model *model, const struct pyi_charge **charge,
		      const struct pyi_charge *begin_with)
{
	struct pyi_charge *own = arena__alloc(&model->arena, sizeof(*own));

	if (!own)
		return -ENOMEM;
	*own = *begin_with;
	*charge = own;
	return 0;
}

int charge_put(struct model *model, struct load *load, struct pyi_charge *outside,
	       const struct pyi_charge *more)
{
	if (more == &charge_none)
		return 0;
	if (!load) {
		charge_add(outside, more);
		return 0;
	}
	if (load->charge == &charge_none)
		return charge_own(model, &load->charge, more);
	charge_add((struct pyi_charge *)load->charge, more); /* ours, and written by nobody else */
	return 0;
}

int charge_apply(struct model *model, const struct pyi_charge_record *rec)
{
	struct process_state *process = process_find(model, rec->hdr.proc);
	struct account *account;

	if (!process)
		return 0;
	if (rec->span == PYI_OUTSIDE_OTHERS) {
		charge_add(&process->process.outside_others, &rec->charge);
		return 0;
	}
	account = account_find(model, rec->hdr.proc, rec->span);
	if (!account)
		account = account_find(model, rec->hdr.proc, rec->below);
	return charge_put(model, account && account->load ? &account->load->load : NULL,
			  &process->process.outside, &rec->charge);
}

void charge_settled(struct model *model, const struct pyi_charged *rec)
{
	struct account *account = model->closed_accounts, *keep = NULL, *next;

	model->measured = charge_measured(rec);
	for (; account; account = next) {
		next = account->next;
		if (account->is_passed) {
			keymap__remove(&model->accounts, account->key);
			account->next = model->free_accounts;
			model->free_accounts = account;
		} else { /* it may have ended since: its last charges come with the next lot */
			account->is_passed = true;
			account->next = keep;
			keep = account;
		}
	}
	model->closed_accounts = keep;
}

int charge_drop(struct model *model, const struct load_state *state)
{
	const struct load *load = &state->load;
	struct process *process = load->process;

	return charge_put(model, load->parent, load->tid == process->tgid ?
			  &process->outside : &process->outside_others, load->charge);
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

/* Of a load that imports nothing the two charges are one. */
static int add_to_parent(struct model *model, const struct load *load)
{
	struct load *parent = load->parent;

	if (!parent || parent->tid != load->tid || load->charge_all == &charge_none)
		return 0;
	if (parent->charge_all == parent->charge &&
	    charge_own(model, &parent->charge_all, parent->charge))
		return -ENOMEM;
	charge_add((struct pyi_charge *)parent->charge_all, load->charge_all);
	return 0;
}

/* Parents come before their children: backwards, a load's sum is complete when it is reached. */
static int settle_loads(struct model *model, struct process *process)
{
	bool has_cpu = model->measured & PYI_GROUP_CPU;
	int err = 0;

	for (size_t i = 0; i < process->load_cnt; i++)
		process->loads[i]->charge_all = process->loads[i]->charge;
	for (size_t i = process->load_cnt; i-- > 0 && !err;) {
		struct load *load = process->loads[i];

		load->self_cpu_ns = load->cpu_ns = NS_UNKNOWN;
		if (has_cpu && !load->is_carried) { /* what it was charged is in other files, too */
			load->self_cpu_ns = rest(load->self_ns, charge_wait_ns(load->charge));
			load->cpu_ns = rest(load->wall_ns, charge_wait_ns(load->charge_all));
		}
		err = add_to_parent(model, load);
		stages_settle((struct load_state *)load);
	}
	return err;
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
	inside_ns += process->overhead.is_taken_off ? process->overhead.total_ns : 0;
	process->outside_ns = rest(end_ns - process->start_ns, inside_ns);
	if (model->measured & PYI_GROUP_CPU)
		process->outside_cpu_ns = rest(process->outside_ns,
					       charge_wait_ns(&process->outside));
}

int charge_finish(struct model *model, struct process *process)
{
	int err;

	process->measured = model->measured;
	err = settle_loads(model, process);
	settle_outside(model, process);
	process->total = process->outside;
	charge_add(&process->total, &process->outside_others);
	for (size_t i = 0; i < process->load_cnt; i++)
		charge_add(&process->total, process->loads[i]->charge);
	return err;
}

__u32 model__measured(const struct model *model)
{
	return model->measured;
}

__u32 charge_measured(const struct pyi_charged *rec)
{
	return ((rec->groups & ~MEASURED_TOLD) ^ PYI_GROUP_STATEMENTS) | MEASURED_TOLD;
}

__u32 process_lacks(const struct process *process, __u32 groups)
{
	__u32 measured = process->measured;

	/* Captures of old releases say nothing, and have all statements. */
	if (!process->is_log && !(measured & MEASURED_TOLD))
		measured |= PYI_GROUP_STATEMENTS;
	return groups & ~measured;
}

__u64 process_cached_cnt(const struct process *process)
{
	bool is_known = !process_lacks(process, PYI_GROUP_STATEMENTS);

	return process->cached_cnt || is_known ? process->cached_cnt : NS_UNKNOWN;
}

/*
 * Own work. Charges are sums over a span's life, and that of `__main__` goes on when the start-up
 * is over. Those of a service are read as soon as it is ready; of a program that ended with its
 * start-up all are taken. What came in between is the most by which they can be wrong: more than a
 * tenth of the own work, and they are unknown.
 */
/* The program's own code, its imports apart. A forked process goes on in what it inherited. */
static void sum_own(const struct process_state *state, __u64 sums[PYI_WAIT_CNT])
{
	const struct process *process = &state->process;

	memset(sums, 0, PYI_WAIT_CNT * sizeof(*sums));
	for (int wait = 0; state->forked_from && wait < PYI_WAIT_CNT; wait++)
		sums[wait] = process->outside.wait_ns[wait];
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		if (load->tid != process->tgid ||
		    ((const struct load_state *)load != state->main && !load->is_inherited))
			continue;
		for (int wait = 0; wait < PYI_WAIT_CNT; wait++)
			sums[wait] += load->charge->wait_ns[wait];
	}
}

void charge_note_own(struct model *model, __u64 at_ns)
{
	for (size_t i = 0; i < model->process_cnt; i++) {
		struct process_state *state = (struct process_state *)model->processes[i];

		if (state->waited_at_ns || state->process.ready_ns == NS_UNKNOWN ||
		    at_ns < state->process.ready_ns)
			continue;
		state->waited_at_ns = at_ns;
		sum_own(state, state->waited_ns);
	}
}

/* Takes @over_ns away, from the last kind on: being held counts as waiting for something else. */
static void take_off(__u64 waits[PYI_WAIT_CNT], __u64 over_ns)
{
	for (int wait = PYI_WAIT_CNT; wait-- > 0;) {
		__u64 part_ns = waits[wait] < over_ns ? waits[wait] : over_ns;

		waits[wait] -= part_ns;
		over_ns -= part_ns;
	}
}

void charge_finish_own(const struct model *model, struct process_state *state)
{
	const struct process *process = &state->process;
	struct startup *startup = &state->process.startup;
	__u64 waits[PYI_WAIT_CNT], at_ns = state->waited_at_ns, room_ns, off_ns, sum_ns = 0;

	if (startup->by == STARTUP_UNKNOWN || !(model->measured & PYI_GROUP_CPU) ||
	    (!state->main && !state->forked_from))
		return;
	memcpy(waits, state->waited_ns, sizeof(waits));
	if (startup->by != STARTUP_READY) {
		sum_own(state, waits);
		at_ns = process->end_ns == NS_UNKNOWN ? model->host.trace_end_ns : process->end_ns;
	}
	if (!at_ns || at_ns < startup->end_ns)
		return;
	room_ns = startup->own_ns - startup->program_ns;
	off_ns = at_ns - startup->end_ns;
	for (int wait = 0; wait < PYI_WAIT_CNT; wait++)
		sum_ns += waits[wait];
	/* Nothing at all is exact whenever it is read. */
	if (sum_ns && off_ns > WRONG_LEAST_NS && off_ns > room_ns / WRONG_SHARE)
		return;
	if (sum_ns > process->startup_measured.own_ns + off_ns + startup->held_ns)
		return;
	if (sum_ns > room_ns)
		take_off(waits, sum_ns - room_ns);
	memcpy(startup->own_wait_ns, waits, sizeof(waits));
}
