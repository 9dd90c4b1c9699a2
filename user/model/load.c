// SPDX-License-Identifier: BSD-2-Clause
/* Spans become loads: which spans are one load, which a load of their own, what was seen inside. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "event/event.h"
#include "model/state.h"

static struct span *span_find(struct model *model, __u32 id)
{
	struct span *span;

	HASH_FIND(hh, model->spans, &id, sizeof(id), span);
	return span;
}

static void span_remove(struct model *model, struct span *span)
{
	DL_DELETE(span->process->open, span);
	HASH_DEL(model->spans, span);
	free(span);
}

void spans_abandon(struct model *model, struct process_state *process, __u32 tid)
{
	struct span *span, *next;

	DL_FOREACH_SAFE(process->open, span, next)
		if (!tid || span->tid == tid)
			span_remove(model, span);
}

static const char *text_of(struct model *model, const struct pyi_str *str, const char *text)
{
	char small[512], *big = small;
	size_t max = event_utf8_max(str);
	const char *kept;

	if (!str->sz)
		return NULL;
	if (max > sizeof(small))
		big = malloc(max);
	if (!big)
		return NULL;
	kept = arena__intern(&model->arena, big, event_utf8(str, text, big));
	if (big != small)
		free(big);
	return kept;
}

static bool is_same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

static struct open_name *name_get(struct model *model, struct process_state *process,
				  const char *name)
{
	struct open_name *open;

	HASH_FIND_STR(process->names, name, open);
	if (!open) {
		open = arena__alloc(&model->arena, sizeof(*open));
		if (!open)
			return NULL;
		open->name = name;
		HASH_ADD_KEYPTR(hh, process->names, open->name, strlen(open->name), open);
	}
	return open;
}

/*
 * Of the threads that ask for one module at a time, one loads it and the others wait; who does
 * shows at the end only, so all that overlap are candidates for having waited.
 */
static void name_open(struct model *model, struct process_state *process,
		      struct load_state *state)
{
	const char *name = state->load.module;
	struct open_name *open = name ? name_get(model, process, name) : NULL;

	if (!open)
		return;
	if (!open->cnt) {
		open->first = state;
	} else if (open->first->load.tid != state->load.tid) {
		open->first->is_wait_candidate = true;
		state->is_wait_candidate = true;
	}
	open->cnt++;
}

static void name_close(struct model *model, struct process_state *process, const char *name)
{
	struct open_name *open = name ? name_get(model, process, name) : NULL;

	if (open && open->cnt)
		open->cnt--;
}

static struct load_state *load_add(struct model *model, struct process_state *process,
				   struct load_state *parent, __u32 id, const char *name)
{
	struct load_state *state = arena__alloc(&model->arena, sizeof(*state));
	struct process *owner = &process->process;
	struct load *load;

	if (!state)
		return NULL;
	load = &state->load;
	load->id = id;
	load->parent = parent ? &parent->load : NULL;
	load->process = owner;
	load->seq = owner->load_cnt;
	load->module = name;
	load->wall_ns = load->self_ns = NS_UNKNOWN;
	load->find_ns = load->dlopen_ns = load->init_ns = load->exec_ns = NS_UNKNOWN;
	load->is_exact = true;
	if (array_push(&owner->loads, &owner->load_cnt, &owner->load_cap, load))
		return NULL;
	return state;
}

/*
 * A load that was under way when the process forked, as the child sees it: context for what the
 * child imports inside, with its ancestors, and without times.
 */
struct load_state *load_inherited(struct model *model, struct process_state *process,
				  struct load_state *origin)
{
	struct load_state *clone, *below = NULL, *result = NULL;

	for (; origin; origin = (struct load_state *)origin->load.parent) {
		HASH_FIND(hh_clone, process->clones, &origin->load.id, sizeof(__u32), clone);
		if (!clone) {
			clone = load_add(model, process, NULL, origin->load.id,
					 origin->load.module);
			if (!clone)
				return result;
			HASH_ADD(hh_clone, process->clones, load.id, sizeof(__u32), clone);
			clone->load.id = 0x80000000u | ++model->clone_cnt;
			clone->load.start_ns = origin->load.start_ns;
			clone->load.tid = process->process.tgid;
			clone->load.is_inherited = true;
			clone->load.is_exact = false;
			clone->stmt = origin->stmt;
			clone->frames = origin->frames;
			clone->span = origin->span;
		} else if (below) {
			below->load.parent = &clone->load;
			return result;
		}
		if (below)
			below->load.parent = &clone->load;
		result = result ?: clone;
		below = clone;
		if (!origin->load.parent)
			break;
	}
	return result;
}

/* `exec()` of a string or of a file inside a module that runs: no import. */
static bool is_plain_exec(struct process_state *process, const struct code *code,
			  const struct load_state *around, const char *name)
{
	if (!name)
		return true;
	if (process->main && is_same(name, "__main__"))
		return true;
	if (!code || !code->file || code->file[0] != '<')
		return around && is_same(around->load.module, name) &&
		       (around->evidence & SEEN_BODY);
	return strncmp(code->file, "<frozen ", 8) != 0 && strcmp(name, "__main__") != 0;
}

static int begin_load(struct model *model, struct span *span, const struct pyi_begin *rec,
		      struct load_state *around, const char *name)
{
	struct load_state *state = load_add(model, span->process, around, rec->id, name);

	if (!state)
		return -ENOMEM;
	state->span = rec->span;
	state->via = rec->via;
	state->stmt = rec->edge;
	state->body_code = rec->span == PYI_SPAN_BODY ? rec->code : 0;
	state->load.tid = rec->hdr.tid;
	state->load.interp = rec->interp;
	state->load.start_ns = rec->hdr.ts_ns;
	if (rec->hdr.flags & (PYI_F_APPROX | PYI_F_OVERFLOW) || (rec->parent && !around))
		state->load.is_exact = false;
	name_open(model, span->process, state);
	span->load = state;
	span->is_own = true;
	if (rec->span == PYI_SPAN_BODY)
		state->evidence |= SEEN_BODY;
	if (rec->span == PYI_SPAN_EXECDEF)
		state->evidence |= SEEN_EXECDEF;
	model->load_cnt++;
	model->current = name;
	return 0;
}

static int begin_find(struct model *model, struct span *span, const struct pyi_begin *rec,
		      struct load_state *around, const char *name)
{
	struct thread_state *thread = thread_get(model, span->process, rec->hdr.tid);
	struct stmt *stmt;
	int err;

	/* importlib locks the module inside the very call that is measured already. */
	if (rec->span == PYI_SPAN_LOCK && around && around->span == PYI_SPAN_FIND &&
	    !(around->evidence & SEEN_BODY) && is_same(around->load.module, name)) {
		span->load = around;
		return 0;
	}
	err = begin_load(model, span, rec, around, name);
	if (err || !thread)
		return err ?: -ENOMEM;
	if (thread->is_lazy) {
		thread->is_lazy = false;
		span->load->load.via = VIA_LAZY;
		span->load->load.declared = code_site(model, &thread->lazy);
	}
	if (!rec->edge)
		return 0;
	HASH_FIND(hh, model->stmts, &rec->edge, sizeof(rec->edge), stmt);
	if (stmt) {
		stmt->module = name ?: stmt->module; /* what importlib was told beats our guess */
		if (!stmt->load)
			stmt->load = span->load;
	}
	return 0;
}

static int begin_body(struct model *model, struct span *span, const struct pyi_begin *rec,
		      struct load_state *around, const char *name)
{
	struct code *code = code_find(model, rec->code);
	int err = code_learn_name(model, span->process, code, name);

	if (err)
		return err;

	if (around && around->span != PYI_SPAN_BODY && !(around->evidence & SEEN_BODY) &&
	    (!name || is_same(around->load.module, name))) {
		around->evidence |= SEEN_BODY;
		around->body_code = rec->code;
		span->load = around;
		return 0;
	}
	if (is_plain_exec(span->process, code, around, name)) {
		span->load = around;
		span->kind = 0; /* transparent */
		return 0;
	}
	err = begin_load(model, span, rec, around, name);
	if (!err && is_same(name, "__main__"))
		span->process->main = span->load;
	return err;
}

static int begin_lib(struct model *model, struct span *span, const struct pyi_begin *rec,
		     const char *path)
{
	struct process *process = &span->process->process;
	struct lib *lib = arena__alloc(&model->arena, sizeof(*lib));

	if (!lib)
		return -ENOMEM;
	lib->path = path;
	lib->load = span->load ? &span->load->load : NULL;
	lib->tid = rec->hdr.tid;
	lib->start_ns = rec->hdr.ts_ns;
	lib->wall_ns = NS_UNKNOWN;
	span->lib = lib;
	return array_push(&process->libs, &process->lib_cnt, &process->lib_cap, lib);
}

/* The search is over: what follows is loading. */
static void found(struct load_state *state, __u64 ts_ns)
{
	__u64 spent_ns = ts_ns - state->load.start_ns;

	if (state->load.find_ns == NS_UNKNOWN && !state->load.is_inherited)
		state->load.find_ns = spent_ns > state->children_ns ?
					      spent_ns - state->children_ns : 0;
}

int span_begin(struct model *model, const struct pyi_begin *rec)
{
	struct process_state *process = process_get(model, &rec->hdr);
	const char *name = text_of(model, &rec->name, rec->text);
	struct span *parent = rec->parent ? span_find(model, rec->parent) : NULL, *span;
	struct load_state *around = parent ? parent->load : NULL;

	if (!process || span_find(model, rec->id)) {
		model->malformed += process != NULL;
		return process ? 0 : -ENOMEM;
	}
	span = calloc(1, sizeof(*span));
	if (!span)
		return -ENOMEM;
	span->id = rec->id;
	span->parent = rec->parent;
	span->tid = rec->hdr.tid;
	span->kind = rec->span;
	span->process = process;
	span->start_ns = rec->hdr.ts_ns;
	HASH_ADD(hh, model->spans, id, sizeof(span->id), span);
	DL_PREPEND(process->open, span);
	process->process.is_python = true;
	process->process.is_switching |= !!(rec->hdr.flags & PYI_F_SWITCHING);
	if (parent && parent->process != process)
		around = load_inherited(model, process, around);
	span->load = around;
	switch (rec->span) {
	case PYI_SPAN_FIND:
	case PYI_SPAN_LOCK:
		return begin_find(model, span, rec, around, name);
	case PYI_SPAN_BODY:
		return begin_body(model, span, rec, around, name);
	case PYI_SPAN_EXECDEF:
		if (!around || around->evidence & (SEEN_BODY | SEEN_EXECDEF))
			return begin_load(model, span, rec, around, name);
		around->evidence |= SEEN_EXECDEF;
		return 0;
	case PYI_SPAN_DYNAMIC:
		if (around && !(around->evidence & SEEN_BODY)) {
			found(around, rec->hdr.ts_ns);
			around->evidence |= SEEN_DYNAMIC;
		} else {
			span->kind = 0;
		}
		return 0;
	case PYI_SPAN_DLOPEN:
		return begin_lib(model, span, rec, name);
	}
	return 0;
}

static void end_lib(struct model *model, struct span *span, const struct pyi_end *rec, __u64 wall)
{
	struct span *parent = span_find(model, span->parent);

	span->lib->wall_ns = wall;
	span->lib->failed = rec->failed;
	if (!parent || parent->kind != PYI_SPAN_DYNAMIC || !span->load)
		return;
	parent->dlopen_ns += wall;
	span->load->load.dlopen_ns = wall;
	if (!span->load->load.file)
		span->load->load.file = span->lib->path;
}

static void end_own(struct model *model, struct span *span, const struct pyi_end *rec, __u64 wall)
{
	struct load_state *state = span->load;
	struct load *load = &state->load;

	load->wall_ns = wall;
	state->evidence |= SEEN_END | (rec->failed ? SEEN_FAILURE : 0);
	if (rec->failed && rec->error[0])
		load->error = arena__intern(&model->arena, rec->error, strlen(rec->error));
	if (rec->hdr.flags & (PYI_F_UNOBSERVED | PYI_F_APPROX))
		load->is_exact = false;
	if (load->parent)
		((struct load_state *)load->parent)->children_ns += wall;
	name_close(model, span->process, load->module);
	if (span->kind == PYI_SPAN_BODY || span->kind == PYI_SPAN_EXECDEF)
		load->exec_ns = wall;
}

static void end_part(struct model *model, struct span *span, const struct pyi_end *rec,
		     __u64 wall)
{
	struct load_state *state = span->load;

	if (!state)
		return;
	if (span->kind == PYI_SPAN_DYNAMIC) {
		state->load.init_ns = wall > span->dlopen_ns ? wall - span->dlopen_ns : 0;
		if (rec->failed)
			state->evidence &= ~SEEN_DYNAMIC;
	} else if (span->kind == PYI_SPAN_BODY || span->kind == PYI_SPAN_EXECDEF) {
		state->load.exec_ns = wall;
		if (rec->failed) {
			state->evidence |= SEEN_BODY_FAILED;
			if (rec->error[0])
				state->body_error = arena__intern(&model->arena, rec->error,
								  strlen(rec->error));
		}
	}
}

int span_end(struct model *model, const struct pyi_end *rec)
{
	struct span *span = span_find(model, rec->id);
	__u64 wall;

	if (!span || span->process->process.serial != rec->hdr.proc) {
		model->orphan_ends++; /* begun before us, or in the parent before a fork */
		return 0;
	}
	wall = rec->hdr.ts_ns > span->start_ns ? rec->hdr.ts_ns - span->start_ns : 0;
	if (span->lib)
		end_lib(model, span, rec, wall);
	else if (span->is_own)
		end_own(model, span, rec, wall);
	else
		end_part(model, span, rec, wall);
	span_remove(model, span);
	return 0;
}

int span_mark(struct model *model, const struct pyi_mark *rec)
{
	struct process_state *process = process_get(model, &rec->hdr);
	struct span *span = span_find(model, rec->id);
	struct load_state *state = span ? span->load : NULL;
	struct thread_state *thread;

	if (!process)
		return -ENOMEM;
	if (state && state->load.process != &process->process)
		state = NULL;
	switch (rec->mark) {
	case PYI_MARK_RUN_MAIN:
		process->process.run_main_ns = rec->hdr.ts_ns;
		break;
	case PYI_MARK_LAZY_RESOLVE:
		thread = thread_get(model, process, rec->hdr.tid);
		if (!thread)
			return -ENOMEM;
		thread->is_lazy = true;
		thread->lazy = rec->frame;
		break;
	case PYI_MARK_IMPORT_ERROR:
		if (state)
			state->made_error = text_of(model, &rec->name, rec->text);
		break;
	case PYI_MARK_NEW_MODULE:
	case PYI_MARK_CREATE_BUILTIN:
	case PYI_MARK_COMPILE:
		if (!state || state->evidence & SEEN_BODY)
			break;
		found(state, rec->hdr.ts_ns);
		state->evidence |= rec->mark == PYI_MARK_NEW_MODULE ? SEEN_NEW_MODULE :
				   rec->mark == PYI_MARK_COMPILE ? SEEN_COMPILE : SEEN_BUILTIN;
		break;
	}
	return 0;
}
