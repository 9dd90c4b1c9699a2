// SPDX-License-Identifier: BSD-2-Clause
/* Records in, in the order in which the kernel reserved them: processes and dispatch. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "model/state.h"

int array_push(void *array_ptr, size_t *cnt, size_t *cap, void *item)
{
	void ***array = array_ptr, **bigger;
	size_t new_cap;

	if (*cnt == *cap) {
		new_cap = *cap ? *cap * 2 : 4;
		bigger = realloc(*array, new_cap * sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		*array = bigger;
		*cap = new_cap;
	}
	(*array)[(*cnt)++] = item;
	return 0;
}

static struct process_state *process_add(struct model *model, __u32 serial, __u32 tgid,
					 __u64 start_ns)
{
	struct process_state *state = arena__alloc(&model->arena, sizeof(*state));
	struct process *process;

	if (!state)
		return NULL;
	process = &state->process;
	process->serial = serial;
	process->tgid = tgid;
	process->start_ns = start_ns;
	process->end_ns = process->exec_ns = NS_UNKNOWN;
	process->run_main_ns = process->startup_end_ns = NS_UNKNOWN;
	if (array_push(&model->processes, &model->process_cnt, &model->process_cap, process))
		return NULL;
	HASH_ADD(hh, model->by_serial, process.serial, sizeof(process->serial), state);
	return state;
}

static struct process_state *process_find(struct model *model, __u32 serial)
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

static char **split_args(struct model *model, const struct pyi_exec *rec, size_t *argc)
{
	struct pyi_str str = {};
	size_t cnt = 0, at = 0, len;
	char text[3 * PYI_ARGS_SZ + 8];
	char **argv;

	for (size_t i = 0; i < rec->args_sz; i++)
		cnt += !rec->args[i];
	cnt += rec->args_sz && rec->args[rec->args_sz - 1]; /* cut in the middle of one */
	argv = arena__alloc(&model->arena, (cnt + 1) * sizeof(*argv));
	if (!argv)
		return NULL;
	for (size_t i = 0; i < cnt && at < rec->args_sz; i++) {
		str.sz = strnlen(rec->args + at, rec->args_sz - at);
		len = event_utf8(&str, rec->args + at, text);
		argv[i] = (char *)arena__intern(&model->arena, text, len);
		if (!argv[i])
			return NULL;
		at += str.sz + 1;
		*argc = i + 1;
	}
	return argv;
}

static int on_exec(struct model *model, const struct pyi_exec *rec)
{
	struct process_state *state = process_find(model, rec->hdr.proc);
	char text[3 * sizeof(rec->filename) + 8];
	struct pyi_str str = {};
	struct process *process;

	/* The image before ended here, whatever was open in it stays unfinished. */
	for (size_t i = model->process_cnt; i-- > 0;) {
		process = model->processes[i];
		if (process->tgid == rec->hdr.tgid && process->end_ns == NS_UNKNOWN &&
		    process->serial != rec->hdr.proc) {
			process->end_ns = rec->hdr.ts_ns;
			spans_abandon(model, (struct process_state *)process, 0);
			break;
		}
	}
	if (!state)
		state = process_add(model, rec->hdr.proc, rec->hdr.tgid, rec->hdr.ts_ns);
	if (!state)
		return -ENOMEM;
	process = &state->process;
	process->exec_ns = process->start_ns = rec->hdr.ts_ns;
	process->is_late = false;
	process->ppid = rec->ppid;
	process->nspid = rec->nspid;
	process->uid = rec->uid;
	memcpy(process->comm, rec->comm, sizeof(process->comm) - 1);
	if (rec->filename_sz && !process->exe) {
		str.sz = strnlen(rec->filename, rec->filename_sz);
		process->exe = arena__intern(&model->arena, text,
					     event_utf8(&str, rec->filename, text));
	}
	process->argv = split_args(model, rec, &process->argc);
	return process->argv ? 0 : -ENOMEM;
}

static int on_fork(struct model *model, const struct pyi_fork *rec)
{
	struct process_state *parent = process_get(model, &rec->hdr), *child;

	if (!parent || process_find(model, rec->child_proc))
		return parent ? 0 : -ENOMEM;
	child = process_add(model, rec->child_proc, rec->child_tgid, rec->hdr.ts_ns);
	if (!child)
		return -ENOMEM;
	child->process.parent = &parent->process;
	child->process.ppid = rec->hdr.tgid;
	child->process.nspid = rec->child_nspid;
	child->process.uid = parent->process.uid;
	child->process.is_python = parent->process.is_python && !(rec->hdr.flags & PYI_F_VFORK);
	child->process.layout = parent->process.layout;
	child->process.checks = parent->process.checks;
	child->process.exe = parent->process.exe;
	child->process.argv = parent->process.argv;
	child->process.argc = parent->process.argc;
	memcpy(child->process.comm, rec->comm, sizeof(child->process.comm) - 1);
	return 0;
}

static int on_process_exit(struct model *model, const struct pyi_exit *rec)
{
	struct process_state *state = process_find(model, rec->hdr.proc);

	if (!state)
		return 0;
	state->process.end_ns = rec->hdr.ts_ns;
	state->process.has_exit = true;
	state->process.exit_code = rec->exit_code >> 8 & 0xff;
	state->process.exit_signal = rec->exit_code & 0x7f;
	spans_abandon(model, state, 0);
	return 0;
}

static int on_python(struct model *model, const struct pyi_python *rec)
{
	struct process_state *state = process_get(model, &rec->hdr);

	if (!state)
		return -ENOMEM;
	state->process.is_python = true;
	state->process.layout = rec->layout;
	state->process.checks = rec->checks;
	if (!state->process.comm[0])
		memcpy(state->process.comm, rec->comm, sizeof(state->process.comm) - 1);
	return 0;
}

static int add_frames(struct model *model, const struct pyi_frames *rec)
{
	struct frames *frames;
	struct span *span;

	HASH_FIND(hh, model->spans, &rec->span, sizeof(rec->span), span);
	if (!span || !span->is_own || !span->load || span->load->frames)
		return 0;
	frames = arena__alloc(&model->arena, sizeof(*frames));
	if (!frames)
		return -ENOMEM;
	frames->cnt = rec->cnt;
	memcpy(frames->at, rec->frames, rec->cnt * sizeof(frames->at[0]));
	span->load->frames = frames;
	return 0;
}

int model__apply(struct model *model, const void *record, size_t size)
{
	const struct pyi_hdr *hdr = record;
	struct process_state *state;

	if (model->is_finished || !event_is_valid(record, size)) {
		model->malformed++;
		return 0;
	}
	switch (hdr->kind) {
	case PYI_EV_EXEC: return on_exec(model, record);
	case PYI_EV_FORK: return on_fork(model, record);
	case PYI_EV_EXIT: return on_process_exit(model, record);
	case PYI_EV_PYTHON: return on_python(model, record);
	case PYI_EV_BEGIN: return span_begin(model, record);
	case PYI_EV_END: return span_end(model, record);
	case PYI_EV_MARK: return span_mark(model, record);
	case PYI_EV_EDGE: return stmt_first(model, record);
	case PYI_EV_CODE: return code_add(model, record);
	case PYI_EV_FRAMES: return add_frames(model, record);
	case PYI_EV_FROM: return stmt_from(model, record);
	case PYI_EV_EDGE_COUNT: return stmt_count(model, record);
	case PYI_EV_THREAD_EXIT:
		state = process_find(model, hdr->proc);
		if (state)
			spans_abandon(model, state, hdr->tid);
		return 0;
	}
	return 0;
}
