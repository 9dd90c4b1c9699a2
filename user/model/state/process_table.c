// SPDX-License-Identifier: BSD-2-Clause
/* Process images by serial and by pid, and their threads. */
#include "model/state/process_table.h"

/* The one that lives under this pid now. */
struct process_state *process_living(struct model *model, __u32 tgid)
{
	struct process_state *state;

	HASH_FIND(hh_tgid, model->by_tgid, &tgid, sizeof(tgid), state);
	return state;
}

void process_forget(struct model *model, struct process_state *state)
{
	if (process_living(model, state->process.tgid) == state)
		HASH_DELETE(hh_tgid, model->by_tgid, state);
}

struct process_state *process_add(struct model *model, __u32 serial, __u32 tgid,
				  __u64 start_ns)
{
	struct process_state *state = arena__alloc(&model->arena, sizeof(*state)), *old;
	struct process *process;

	if (!state)
		return NULL;
	process = &state->process;
	process->serial = serial;
	process->tgid = tgid;
	process->start_ns = start_ns;
	process->end_ns = process->exec_ns = NS_UNKNOWN;
	process->run_main_ns = process->startup_end_ns = NS_UNKNOWN;
	process->listen_ns = process->ready_ns = process->accept_ns = NS_UNKNOWN;
	process->inherited_cnt = INHERITED_UNKNOWN;
	state->stmts_end = &state->stmts;
	if (array_push(&model->processes, &model->process_cnt, &model->process_cap, process))
		return NULL;
	HASH_ADD(hh, model->by_serial, process.serial, sizeof(process->serial), state);
	old = process_living(model, tgid);
	if (old)
		process_forget(model, old);
	HASH_ADD(hh_tgid, model->by_tgid, process.tgid, sizeof(process->tgid), state);
	return state;
}

struct process_state *process_find(struct model *model, __u32 serial)
{
	struct process_state *state;

	HASH_FIND(hh, model->by_serial, &serial, sizeof(serial), state);
	return state;
}

struct process_state *process_get(struct model *model, const struct pyi_hdr *hdr)
{
	struct process_state *state = process_find(model, hdr->proc);

	if (!state) {
		state = process_add(model, hdr->proc, hdr->tgid, hdr->ts_ns);
		if (state)
			state->process.is_late = true;
	}
	return state;
}

struct thread_state *thread_get(struct model *model, struct process_state *process, __u32 tid)
{
	struct thread_state *thread;

	HASH_FIND(hh, process->threads, &tid, sizeof(tid), thread);
	if (!thread) {
		thread = arena__alloc(&model->arena, sizeof(*thread));
		if (!thread)
			return NULL;
		thread->tid = tid;
		HASH_ADD(hh, process->threads, tid, sizeof(thread->tid), thread);
	}
	return thread;
}
