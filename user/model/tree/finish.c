// SPDX-License-Identifier: BSD-2-Clause
/* The end of the trace: trees, self times, counts and the end of start-up are settled. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/causes/charge.h"
#include "model/causes/files.h"
#include "model/causes/net.h"
#include "model/causes/phases.h"
#include "model/causes/throttle.h"
#include "model/causes/import_waits.h"
#include "model/state/code.h"
#include "model/stream/identity.h"
#include "model/stream/inventory.h"
#include "model/stream/span.h"
#include "model/stream/stmt.h"
#include "model/tree/edges.h"
#include "model/tree/lazy_names.h"
#include "model/tree/load_result.h"
#include "model/tree/overhead.h"
#include "model/tree/startup.h"
#include "model/tree/unprobed.h"
#include "model/tree/workers.h"

static struct load_state *state_of(struct load *load)
{
	return (struct load_state *)load;
}

/* Inherited loads are there for what the child loaded below them; the others say nothing. */
static void drop_context(struct process *process)
{
	for (size_t i = process->load_cnt; i-- > 0;) {
		struct load_state *state = state_of(process->loads[i]);

		if (state->load.is_inherited && !state->is_needed)
			state->drop = DROP_CONTEXT;
		if ((!state->drop || state->is_needed) && state->load.parent)
			state_of(state->load.parent)->is_needed = true;
	}
}

static int account_drop(struct model *model, struct process *process,
			const struct load_state *state)
{
	const struct load *load = &state->load;

	if (state->drop != DROP_WAIT)
		return 0;
	process->lock_waits++;
	if (load->parent && load->wall_ns != NS_UNKNOWN)
		load->parent->lock_wait_ns += load->wall_ns;
	return wait_add(model, process, load);
}

/* Counted before: all lists of a process lie one behind the other. */
static int list_children(struct model *model, struct process *process)
{
	struct load **room = arena__alloc(&model->arena, process->load_cnt * sizeof(*room));
	int err = room ? 0 : -ENOMEM;

	for (size_t i = 0; i < process->load_cnt && !err; i++) {
		struct load *load = process->loads[i], *parent = load->parent;

		load->children = room;
		room += load->child_cnt;
		load->child_cnt = 0;
		if (parent)
			parent->children[parent->child_cnt++] = load;
		else
			err = array_push(&process->roots, &process->root_cnt, &process->root_cap,
					 load);
	}
	return err;
}

/*
 * A package on the way to a module that its body has loaded: who asked for the module asked for it.
 * The stack shows that, unless it was the body of an extension.
 */
static void inherit_asker(struct load_state *state, const struct load_state *served)
{
	if (state->stmt || state->above != PYI_SPAN_FIND ||
	    (served->above != PYI_SPAN_EXECDEF && served->above != PYI_SPAN_DYNAMIC))
		return;
	state->above = served->above;
	state->stmt = served->stmt;
	state->frames = served->frames;
}

/* Takes what is no load out of the tree, then hangs every load under its parent. */
static int link_loads(struct model *model, struct process *process)
{
	size_t kept = 0;
	int err;

	drop_context(process);
	for (size_t i = 0; i < process->load_cnt; i++) {
		struct load *load = process->loads[i];

		/* Parents come first, and are right already: one step suffices. */
		if (load->parent && state_of(load->parent)->drop) {
			if (state_of(load->parent)->drop == DROP_SERVED)
				inherit_asker(state_of(load), state_of(load->parent));
			if (state_of(load->parent)->runs)
				load->finding = &state_of(load->parent)->runs->load;
			load->parent = load->parent->parent;
		}
		if (state_of(load)->drop) {
			err = account_drop(model, process, state_of(load));
			if (err)
				return err;
			err = charge_drop(model, state_of(load));
			if (err)
				return err;
			continue;
		}
		load->seq = kept;
		process->loads[kept++] = load;
		if (load->parent)
			load->parent->child_cnt++;
	}
	process->load_cnt = kept;
	return list_children(model, process);
}

static void settle_self(struct load *load)
{
	__u64 inside_ns = state_of(load)->before_ns;

	if (load->wall_ns == NS_UNKNOWN || load->is_carried) /* some may be in other files */
		return;
	for (size_t i = 0; i < load->child_cnt; i++) {
		const struct load *child = load->children[i];

		if (child->tid == load->tid && child->wall_ns != NS_UNKNOWN)
			inside_ns += child->wall_ns;
	}
	if (inside_ns > load->wall_ns) { /* children that overlap: stacks were switched inside */
		load->is_exact = false;
		load->self_ns = 0;
	} else {
		load->self_ns = load->wall_ns - inside_ns;
	}
}

/* import_module("a.b") fails with what its import of a failed with. */
static void settle_error(struct load *load)
{
	const struct load *last = load->child_cnt ? load->children[load->child_cnt - 1] : NULL;
	const struct load_state *state = state_of(load);

	if (load->result == LOAD_FAILED && !load->error && last && last->result == LOAD_FAILED &&
	    state->span == PYI_SPAN_SEARCH && !(state->evidence & (SEEN_WORK | SEEN_COMPILE)))
		load->error = last->error;
	if (load->error)
		load->unknown &= ~UNKNOWN_ERROR;
}

/* The statement that found it has loaded what was executed. */
static void settle_found(struct model *model, struct process_state *state, struct load *load)
{
	struct load_state *found = state_of(load->found);
	struct stmt *stmt = found->stmt ? stmt_find(model, found->stmt) : NULL;

	load_settle(model, state, found);
	if (stmt && stmt->load == found)
		stmt->load = state_of(load);
}

static int finish_process(struct model *model, struct process_state *state)
{
	struct process *process = &state->process;
	struct python_state *python;
	int err;

	spans_abandon(model, state, 0);
	lazy_join(model, state);
	err = link_loads(model, process);
	if (err)
		return err;
	for (size_t i = 0; i < process->load_cnt; i++) {
		struct load *load = process->loads[i];

		load_settle(model, state, state_of(load));
		if (load->found)
			settle_found(model, state, load);
		settle_self(load);
		if (load->is_inherited)
			continue;
		/* Found, and not executed. */
		process->loaded_cnt += load->result == LOAD_LOADED && load->kind != KIND_LAZY;
		if (load->via == VIA_MAIN) /* that the program itself fails is no failed import */
			continue;
		process->failed_cnt += load_has_failed(load);
		process->unfinished_cnt += load->result == LOAD_UNFINISHED;
	}
	for (size_t i = process->load_cnt; i-- > 0;)
		settle_error(process->loads[i]);
	waits_finish(process);
	err = overhead_prepare(model, state);
	if (!err)
		err = startup_finish(model, state);
	if (err)
		return err;
	phases_finish(process);
	inventory_finish(state);
	err = files_finish(model, state);
	if (!err)
		err = net_finish(model, state);
	if (!err)
		err = throttle_finish(model, state);
	if (err)
		return err;
	overhead_settle(model, process);
	err = charge_finish(model, process);
	if (err)
		return err;
	charge_finish_own(model, state);
	HASH_FIND(hh, model->pythons, &process->layout, sizeof(process->layout), python);
	if (process->is_python && python)
		process->python = &python->info;
	/* Or these records were lost, which is told as such. */
	if (!model->is_cut && !model->stats.ring_full && !model->stats.thread_state)
		model->begun_unseen_cnt += process_has_begun_unseen(state);
	lazy_names_finish(state);
	return edges_finish(model, state);
}

static int cmp_start(const void *a, const void *b)
{
	const struct process *x = *(struct process *const *)a, *y = *(struct process *const *)b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x->serial < y->serial ? -1 : x->serial > y->serial;
}

int model__finish(struct model *model, __u64 trace_end_ns)
{
	int err = 0;

	if (model->is_finished)
		return -EALREADY;
	model->is_finished = true;
	if (!model->host.trace_end_ns)
		model->host.trace_end_ns = trace_end_ns;
	if (model->lean) {
		model->lean_ops->finish(model);
		return 0;
	}
	for (size_t i = 0; i < model->process_cnt && !err; i++)
		err = finish_process(model, (struct process_state *)model->processes[i]);
	identity_inherit(model);
	if (model->process_cnt)
		qsort(model->processes, model->process_cnt, sizeof(*model->processes), cmp_start);
	return err ? err : groups_finish(model);
}
