// SPDX-License-Identifier: BSD-2-Clause
/* Process images: exec and fork begin one, exec and exit end one; a pid may stand for several. */
#include <errno.h>
#include <string.h>

#include "event/event.h"
#include "model/state/module_names.h"
#include "model/state/process_table.h"
#include "model/state/text.h"
#include "model/stream/process.h"
#include "model/stream/span.h"

/* Whatever is open in it stays unfinished. */
static void end_image(struct model *model, struct process_state *state, __u64 ts_ns)
{
	spans_abandon(model, state, 0);
	state->process.end_ns = ts_ns;
	process_forget(model, state);
}

static int set_args(struct model *model, struct process *process, const struct pyi_exec *rec)
{
	size_t cnt = 0, at = 0, sz;
	char **argv;

	for (size_t i = 0; i < rec->args_sz; i++)
		cnt += !rec->args[i];
	cnt += rec->args_sz && rec->args[rec->args_sz - 1]; /* cut in the middle of one */
	if (!cnt)
		return 0;
	argv = arena__alloc(&model->arena, (cnt + 1) * sizeof(*argv));
	if (!argv)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++) {
		sz = strnlen(rec->args + at, rec->args_sz - at);
		argv[i] = (char *)model_bytes(model, rec->args + at, sz);
		if (!argv[i])
			return -ENOMEM;
		at += sz + 1;
	}
	process->argv = argv;
	process->argc = cnt;
	return 0;
}

int process_exec(struct model *model, const struct pyi_exec *rec)
{
	struct process_state *state = process_find(model, rec->hdr.proc);
	struct process_state *old = process_living(model, rec->hdr.tgid), *parent;
	struct process *process;

	if (old && old != state)
		end_image(model, old, rec->hdr.ts_ns);
	if (!state)
		state = process_add(model, rec->hdr.proc, rec->hdr.tgid, rec->hdr.ts_ns);
	if (!state)
		return -ENOMEM;
	if (old != state)
		state->replaced = old;
	process = &state->process;
	process->exec_ns = process->start_ns = rec->hdr.ts_ns;
	process->is_carried = rec->hdr.flags & PYI_F_CARRIED;
	process->is_late = process->is_carried;
	process->ppid = rec->ppid;
	process->nspid = rec->nspid;
	process->uid = rec->uid;
	memcpy(process->comm, rec->comm, sizeof(process->comm) - 1);
	parent = process_living(model, rec->ppid);
	if (old && old != state && old->process.parent)
		process->parent = old->process.parent;
	else if (parent != state)
		process->parent = parent ? &parent->process : NULL;
	if (rec->filename_sz && !process->exe) {
		process->exe = model_bytes(model, rec->filename, rec->filename_sz);
		if (!process->exe)
			return -ENOMEM;
	}
	return set_args(model, process, rec);
}

int process_fork(struct model *model, const struct pyi_fork *rec)
{
	struct process_state *parent = process_get(model, &rec->hdr), *child;
	struct thread_state *thread;
	struct process *process;

	if (!parent)
		return -ENOMEM;
	if (!rec->child_proc || process_find(model, rec->child_proc)) {
		model->malformed++;
		return 0;
	}
	child = process_add(model, rec->child_proc, rec->child_tgid, rec->hdr.ts_ns);
	if (!child)
		return -ENOMEM;
	process = &child->process;
	process->parent = &parent->process;
	process->ppid = rec->hdr.tgid;
	process->nspid = rec->child_nspid;
	process->uid = parent->process.uid;
	process->layout = parent->process.layout;
	process->checks = parent->process.checks;
	process->exe = parent->process.exe;
	process->cwd = parent->process.cwd;
	process->argv = parent->process.argv;
	process->argc = parent->process.argc;
	child->can_switch = parent->can_switch;
	memcpy(process->comm, rec->comm, sizeof(process->comm) - 1);
	if (rec->hdr.flags & PYI_F_VFORK)
		return 0; /* it only lives to exec */
	process->is_python = parent->process.is_python;
	child->forked_from = parent;
	process->inherited_cnt = modules_at_fork(parent);
	child->has_frames = parent->has_frames;
	HASH_FIND(hh, parent->threads, &rec->hdr.tid, sizeof(rec->hdr.tid), thread);
	return thread ? spans_inherit(model, child, thread) : 0;
}

void process_exit(struct model *model, const struct pyi_exit *rec)
{
	struct process_state *state = process_find(model, rec->hdr.proc);

	if (!state)
		return;
	end_image(model, state, rec->hdr.ts_ns);
	state->process.has_exit = true;
	state->process.exit_signal = rec->exit_code & 0x7f;
	if (!state->process.exit_signal)
		state->process.exit_code = rec->exit_code >> 8 & 0xff;
}

int process_python(struct model *model, const struct pyi_python *rec)
{
	struct process_state *state = process_get(model, &rec->hdr);

	if (!state)
		return -ENOMEM;
	state->process.is_python = true;
	state->process.is_carried |= !!(rec->hdr.flags & PYI_F_CARRIED);
	state->process.layout = rec->layout;
	state->process.checks = rec->checks;
	if (!state->process.comm[0])
		memcpy(state->process.comm, rec->comm, sizeof(state->process.comm) - 1);
	return 0;
}

int process_log(struct model *model, const struct pyi_hdr *hdr)
{
	struct process_state *state = process_get(model, hdr);

	if (!state)
		return -ENOMEM;
	state->process.is_python = state->process.is_log = true;
	return 0;
}

int process_namespace(struct model *model, const struct pyi_namespace *rec)
{
	struct process_state *state = process_get(model, &rec->hdr);
	const char *name;

	if (!state || model_text(model, &rec->name, rec->text, &name))
		return -ENOMEM;
	return namespace_add(state, rec->globals, name);
}
