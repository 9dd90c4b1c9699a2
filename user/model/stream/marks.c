// SPDX-License-Identifier: BSD-2-Clause
/* What happened inside a span: marks, and the Python stack that it began on. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "event/event.h"
#include "model/causes/charge.h"
#include "model/state/code.h"
#include "model/state/process_table.h"
#include "model/state/span_table.h"
#include "model/state/text.h"
#include "model/stream/marks.h"
#include "model/stream/load.h"
#include "model/stream/stmt.h"

static int mark_load(struct model *model, struct load_state *state, const struct pyi_mark *rec)
{
	switch (rec->mark) {
	case PYI_MARK_IMPORT_ERROR:
		/* A directory on the path is no zip file: made and caught by importlib. */
		if (rec->name.sz == 14 && !memcmp(rec->text, "ZipImportError", 14))
			return 0;
		return model_text(model, &rec->name, rec->text, &state->made_error);
	case PYI_MARK_NEW_MODULE:
		state->evidence |= SEEN_NEW_MODULE;
		break;
	case PYI_MARK_LAZY_MODULE:
		state->evidence |= SEEN_LAZY;
		break;
	case PYI_MARK_CREATE_BUILTIN:
		state->evidence |= SEEN_BUILTIN;
		break;
	case PYI_MARK_COMPILE:
		state->evidence |= SEEN_COMPILE;
		if (!state->compile_at_ns)
			state->compile_at_ns = rec->hdr.ts_ns;
		break;
	default:
		return 0;
	}
	load_found(state, rec->hdr.ts_ns);
	return 0;
}

static int declare_lazy(struct model *model, struct process *process, const struct pyi_mark *rec)
{
	struct lazy_name *lazy, *last;
	const char *module;
	int err = model_text(model, &rec->name, rec->text, &module);

	if (err || !module || event_is_cut(&rec->name))
		return err;
	lazy = arena__alloc(&model->arena, sizeof(*lazy));
	if (!lazy)
		return -ENOMEM;
	*lazy = (struct lazy_name){ .module = module, .declared = code_site(model, &rec->frame),
				    .seq = (__u32)process->lazy_cnt };
	/* `lazy from a import b, c` makes a name for a, for b and for c. */
	last = process->lazy_cnt ? process->lazies[process->lazy_cnt - 1] : NULL;
	if (last && last->module == module && last->declared.line == lazy->declared.line &&
	    last->declared.file == lazy->declared.file)
		return 0;
	return array_push(&process->lazies, &process->lazy_cnt, &process->lazy_cap, lazy);
}

int span_mark(struct model *model, const struct pyi_mark *rec)
{
	struct process_state *process = process_get(model, &rec->hdr);
	struct span *span = rec->id ? span_find(model, rec->hdr.proc, rec->id) : NULL;
	struct thread_state *thread;

	if (!process)
		return -ENOMEM;
	if (rec->mark == PYI_MARK_RUN_MAIN) {
		if (process->process.run_main_ns == NS_UNKNOWN)
			process->process.run_main_ns = rec->hdr.ts_ns;
		return 0;
	}
	if (rec->mark == PYI_MARK_LAZY_DECLARE)
		return declare_lazy(model, &process->process, rec);
	if (rec->mark == PYI_MARK_LAZY_RESOLVE) {
		thread = thread_get(model, process, rec->hdr.tid);
		if (!thread)
			return -ENOMEM;
		thread->is_lazy = true;
		thread->lazy_span = rec->id;
		thread->lazy_ns = rec->hdr.ts_ns;
		thread->lazy = rec->frame;
		return 0;
	}
	if (!span || !span->load || !span_is_search(span->kind) || span->load->evidence & SEEN_BODY)
		return 0;
	return mark_load(model, span->load, rec);
}

/* A string run by somebody's exec() or eval(): not a load after all. */
static int demote(struct model *model, struct span *span)
{
	struct load_state *state = span->load;

	state->drop = DROP_EXEC;
	load_leave(state);
	if (span->process->main == state)
		span->process->main = NULL;
	span->load = (struct load_state *)state->load.parent;
	span->is_own = false;
	span->kind = 0;
	model->load_cnt--;
	if (charge_move(model, span, state))
		return -ENOMEM;
	load_recycle(model, state);
	return 0;
}

int span_frames(struct model *model, const struct pyi_frames *rec)
{
	struct span *span = span_find(model, rec->hdr.proc, rec->span);

	if (!rec->cnt)
		return 0;
	if (rec->edge)
		return stmt_callers(model, rec);
	if (!span)
		return 0;
	span->process->has_frames = true;
	if (!span->is_own || span->load->frames)
		return 0;
	if (span->load->is_tentative &&
	    !code_is_machinery(code_find(model, rec->frames[0].code)))
		return demote(model, span);
	span->load->frames = frames_of(model, rec);
	return span->load->frames ? 0 : -ENOMEM;
}
