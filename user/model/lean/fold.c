// SPDX-License-Identifier: BSD-2-Clause
/*
 * Start-ups told one by one, as soon as they are over: that of a process that runs on, too. Then
 * its part is settled as the whole model is at the end of a trace, told, and replaced by an empty
 * one, a tail, that knows who the process is and takes its late imports.
 */
#include <errno.h>
#include <string.h>

#include "model/lean/lean.h"
#include "model/state/process_table.h"
#include "model/state/text.h"
#include "model/tree/startup.h"

#define LOOK_NS 1000000000ULL
#define TAIL_NS 10000000000ULL /* late imports are told this late at most */
#define LOADS_MAX 100000u      /* of a start-up that does not end, and of a tail */

struct model *part_model_new(struct model *whole)
{
	struct model *model = NULL;

	if (model__new(&model))
		return NULL;
	model->whole = whole;
	model->measured = whole->measured;
	return model;
}

static struct process_state *state_of(const struct part *part, __u32 serial)
{
	return process_find(part->model, serial);
}

static int carry_args(const struct process *from, struct process *to, struct model *model)
{
	to->argv = arena__alloc(&model->arena, (from->argc + 1) * sizeof(*to->argv));
	if (!to->argv)
		return -ENOMEM;
	for (size_t i = 0; i < from->argc; i++) {
		to->argv[i] = (char *)model_keep(model, from->argv[i]);
		if (from->argv[i] && !to->argv[i])
			return -ENOMEM;
	}
	to->argc = from->argc;
	return 0;
}

static int carry(const struct process_state *state, struct model *to)
{
	const struct process *from = &state->process;
	bool is_known = from->startup.by != STARTUP_UNKNOWN;
	struct process_state *kept;
	struct process *process;

	kept = process_add(to, from->serial, from->tgid,
			   is_known ? from->startup.begin_ns : from->start_ns);
	if (!kept)
		return -ENOMEM;
	process = &kept->process;
	process->is_late = true;
	process->is_python = from->is_python;
	process->exec_ns = from->exec_ns;
	process->ready_ns = from->ready_ns;
	process->ready_tid = from->ready_tid;
	process->startup_end_ns = from->ready_ns != NS_UNKNOWN ? from->ready_ns :
				  from->startup_end_ns;
	process->uid = from->uid;
	process->ppid = from->ppid;
	process->nspid = from->nspid;
	process->layout = from->layout;
	process->checks = from->checks;
	memcpy(process->comm, from->comm, sizeof(process->comm));
	process->exe = model_keep(to, from->exe);
	process->cgroup = model_keep(to, from->cgroup);
	process->unit = model_keep(to, from->unit);
	process->container.id = model_keep(to, from->container.id);
	process->container.name = model_keep(to, from->container.name);
	process->container.runtime = model_keep(to, from->container.runtime);
	process->container.image = model_keep(to, from->container.image);
	kept->can_switch = state->can_switch;
	kept->has_frames = state->has_frames;
	return carry_args(from, process, to);
}

int fold_carry(const struct member *member, struct model *to)
{
	const struct process_state *state = state_of(member->part, member->serial);

	return state ? carry(state, to) : 0;
}

static void tell(struct model *model, struct part *part, __u64 now_ns)
{
	model->truncated += part->model->truncated;
	model->malformed += part->model->malformed;
	part->model->price = model->price; /* what tracing took is taken off, as in a report */
	part->model->has_price = model->has_price;
	part->model->is_as_measured = model->is_as_measured;
	if (!model__finish(part->model, now_ns))
		model->lean->opts.on_fold(model->lean->opts.ctx, part->model, part->is_tail);
}

void fold_ended(struct model *model, struct part *part)
{
	bool is_python = false;

	for (const struct member *member = part->members; member; member = member->next)
		is_python |= member->is_python;
	if (is_python)
		tell(model, part, part->ended_ns);
}

/* A model for what it does from now on takes the place of the one that is told. */
static void fold(struct model *model, struct part *part, __u32 serial, __u64 now_ns)
{
	struct model *rest = part_model_new(model);

	tell(model, part, now_ns);
	if (rest && carry(state_of(part, serial), rest)) {
		model__free(rest);
		rest = NULL;
	}
	if (!rest) /* without memory for that the process has no late imports */
		return;
	kept_end(part->model);
	model__free(part->model);
	part->model = rest;
	part->is_tail = true;
	part->over_ns = 0;
}

/* Late imports, or that it is ready after all. */
static bool has_news(const struct part *part, const struct process *process)
{
	return part->model->load_cnt || (process->ready_ns != NS_UNKNOWN &&
					 process->ready_ns != process->startup_end_ns);
}

static void look(struct model *model, struct part *part, const struct member *member,
		 __u64 now_ns)
{
	const struct process_state *state = state_of(part, member->serial);
	bool is_full = part->model->load_cnt > LOADS_MAX;

	if (!state || part->model->is_finished)
		return;
	if (!part->over_ns && (part->is_tail ? has_news(part, &state->process) :
			       startup_is_over(part->model, state, now_ns)))
		part->over_ns = now_ns;
	if (is_full || (part->over_ns && now_ns > part->over_ns +
					 (part->is_tail ? TAIL_NS : LINGER_NS)))
		fold(model, part, member->serial, now_ns);
}

void fold_living(struct model *model, __u64 now_ns)
{
	struct part *part;

	DL_FOREACH2(model->lean->parts, part, next_part) {
		const struct member *member = part->members;

		if (!part->living_cnt || now_ns < part->looked_ns + LOOK_NS)
			continue;
		part->looked_ns = now_ns;
		while (member && member->is_ended)
			member = member->next;
		if (member && member->is_python)
			look(model, part, member, now_ns);
	}
}
