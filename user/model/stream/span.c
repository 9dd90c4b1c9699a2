// SPDX-License-Identifier: BSD-2-Clause
/*
 * Spans: what is open on each thread, which spans are parts of one load, which a load of their
 * own. A span whose end was lost goes with the span around it; where stacks are switched order
 * proves nothing, and it stays until its process ends.
 */
#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "event/event.h"
#include "model/causes/charge.h"
#include "model/state/code.h"
#include "model/state/module_names.h"
#include "model/state/process_table.h"
#include "model/state/span_table.h"
#include "model/state/text.h"
#include "model/stream/load.h"
#include "model/stream/span.h"
#include "model/stream/stmt.h"

#define LAZY_MAX_NS 20000000 /* from resolving a lazy import to the load that it causes, if any */

static void span_remove(struct model *model, struct span *span)
{
	charge_close(model, span);
	DL_DELETE(span->thread->open, span);
	keymap__remove(&model->spans, span->key);
	span->next = model->free_spans;
	model->free_spans = span;
}

/* Closes a span whose end was not seen; its load, if it has one of its own, stays unfinished. */
static void span_lose(struct model *model, struct span *span)
{
	if (span->is_own)
		load_leave(span->load);
	span_remove(model, span);
}

void spans_abandon(struct model *model, struct process_state *process, __u32 tid)
{
	struct thread_state *thread, *next;

	HASH_ITER(hh, process->threads, thread, next) {
		while ((!tid || thread->tid == tid) && thread->open)
			span_lose(model, thread->open);
		if (!tid || thread->tid == tid)
			thread->is_lazy = false;
	}
}

/* The child of a fork returns through the frames of the thread that forked: the same ids. */
int spans_inherit(struct model *model, struct process_state *child, struct thread_state *from)
{
	struct thread_state *thread = thread_get(model, child, child->process.tgid);
	struct span *origin = from->open ? from->open->prev : NULL, *span; /* the outermost */

	if (!thread)
		return -ENOMEM;
	for (; origin; origin = origin == from->open ? NULL : origin->prev) {
		span = span_add(model, child, thread, (__u32)origin->key);
		if (!span)
			return -ENOMEM;
		span->kind = origin->kind == PYI_SPAN_DLOPEN ? 0 : origin->kind;
		span->parent = origin->parent;
		span->start_ns = origin->start_ns;
		span->dlopen_ns = origin->dlopen_ns;
		span->is_own = origin->is_own;
		span->load = origin->load ? load_inherit(model, child, origin->load) : NULL;
		if ((origin->load && !span->load) || charge_open(model, span))
			return -ENOMEM;
	}
	return 0;
}

static int declare(struct model *model, struct load *load, const struct pyi_frame *frame)
{
	struct site *site = arena__alloc(&model->arena, sizeof(*site));

	if (!site)
		return -ENOMEM;
	*site = code_site(model, frame);
	if (site->module || site->file || site->line > 0)
		load->declared = site;
	return 0;
}

static int begin_search(struct model *model, struct span *span, const struct pyi_begin *rec,
			const struct span *parent, const char *name)
{
	struct thread_state *thread = span->thread;
	struct load_state *around = span->load;
	struct stmt *stmt;

	/* importlib locks the module inside the very call that is measured already. */
	if (rec->span == PYI_SPAN_SEARCH && parent && parent->kind == PYI_SPAN_FIND && around &&
	    around->load.module == name && !(around->evidence & SEEN_WORK))
		return 0;
	if (!load_begin(model, span, rec, around, name))
		return -ENOMEM;
	if (thread->is_lazy && rec->span == PYI_SPAN_FIND) {
		thread->is_lazy = false;
		if (thread->lazy_span == rec->parent && rec->hdr.ts_ns >= thread->lazy_ns &&
		    rec->hdr.ts_ns - thread->lazy_ns < LAZY_MAX_NS) {
			span->load->load.via = VIA_LAZY;
			if (declare(model, &span->load->load, &thread->lazy))
				return -ENOMEM;
		}
	}
	stmt = rec->edge ? stmt_find(model, rec->edge) : NULL;
	if (stmt && name)
		stmt_led_to(stmt, name);
	return 0;
}

/*
 * Code called <module> is evaluated: as the body of the load it is in, as a module loaded by hand,
 * or by exec() and eval(), which load nothing. The latter run in names that are known already, or
 * in ones of no module, or come from a string; the frames (span_frames) tell who runs them.
 */
static int begin_body(struct model *model, struct span *span, const struct pyi_begin *rec,
		      const struct span *parent, const char *name)
{
	struct load_state *around = span->load;
	struct code *code = code_find(model, rec->code);
	bool is_string = code && code->file && code->file[0] == '<' &&
			 strncmp(code->file, "<frozen ", 8) != 0, is_doubtful;

	if (code && code->is_module_cut && name) {
		code->module = name; /* this record had room for all of it */
		code->is_module_cut = false;
	}
	if (around && span_is_search(around->span) && !(around->evidence & SEEN_BODY) &&
	    (name == around->load.module || (!name && rec->hdr.flags & PYI_F_UNREADABLE))) {
		around->evidence |= SEEN_BODY;
		around->body_at_ns = rec->hdr.ts_ns;
		around->body_code = rec->code;
		return namespace_add(span->process, rec->globals, name);
	}
	is_doubtful = is_string || namespace_has(span->process, rec->globals, name);
	/* Nothing tells an exec() from a module's body: no load; its code counts as lost. */
	if (rec->hdr.flags & PYI_F_NO_ROOM && (!name || strcmp(name, "__main__") != 0)) {
		span->kind = 0;
		return 0;
	}
	if (!name || (is_doubtful && parent && parent->kind && parent->kind != PYI_SPAN_BODY)) {
		span->kind = 0;
		return 0;
	}
	if (!load_begin(model, span, rec, around, name))
		return -ENOMEM;
	span->load->is_tentative = is_doubtful;
	if (!span->process->main && !strcmp(name, "__main__"))
		span->process->main = span->load;
	return namespace_add(span->process, rec->globals, name);
}

static int begin_lib(struct model *model, struct span *span, const struct pyi_begin *rec,
		     const struct span *parent, const char *path)
{
	struct process *process = &span->process->process;
	struct lib *lib = arena__alloc(&model->arena, sizeof(*lib));

	if (!lib)
		return -ENOMEM;
	lib->path = path;
	lib->load = span->load ? &span->load->load : NULL;
	lib->tid = rec->hdr.tid;
	lib->start_ns = rec->hdr.ts_ns;
	lib->wall_ns = lib->bytes = NS_UNKNOWN;
	lib->open_ns = lib->map_ns = lib->relocate_ns = lib->constructors_ns = NS_UNKNOWN;
	lib->span = rec->id;
	span->lib = lib;
	if (span->load && parent &&
	    (span_is_search(parent->kind) || parent->kind == PYI_SPAN_DYNAMIC)) {
		span->load->evidence |= SEEN_DYNAMIC;
		span->load->load.file = path;
	} else {
		span->kind = 0; /* for a module made by hand: its execution will follow */
		span->thread->made = lib;
	}
	return array_push(&process->libs, &process->lib_cnt, &process->lib_cap, lib);
}

/*
 * A module of C is executed outside of any search: one of those that the interpreter makes before
 * it can import, or an extension that a program creates and executes by hand.
 */
static int begin_by_hand(struct model *model, struct span *span, const struct pyi_begin *rec,
			 const struct span *parent, const char *name)
{
	const struct lib *made = span->thread->made;

	if (!name || (parent && parent->kind != PYI_SPAN_BODY && parent->kind)) {
		span->kind = 0;
		return 0;
	}
	if (!load_begin(model, span, rec, span->load, name))
		return -ENOMEM;
	if (made) {
		span->load->evidence |= SEEN_DYNAMIC;
		span->load->load.file = made->path;
		span->load->load.dlopen_ns = made->wall_ns;
		span->thread->made = NULL;
	}
	return 0;
}

static int begin_kind(struct model *model, struct span *span, const struct pyi_begin *rec,
		      const struct span *parent, const char *name)
{
	switch (rec->span) {
	case PYI_SPAN_FIND:
	case PYI_SPAN_SEARCH:
		return begin_search(model, span, rec, parent, name);
	case PYI_SPAN_BODY:
		return begin_body(model, span, rec, parent, name);
	case PYI_SPAN_DLOPEN:
		return begin_lib(model, span, rec, parent, name);
	}
	if (span->load && parent && span_is_search(parent->kind)) {
		if (rec->span == PYI_SPAN_DYNAMIC)
			load_found(span->load, rec->hdr.ts_ns);
		span->load->evidence |= rec->span == PYI_SPAN_DYNAMIC ? SEEN_DYNAMIC : SEEN_EXECDEF;
		return 0;
	}
	if (rec->span == PYI_SPAN_EXECDEF)
		return begin_by_hand(model, span, rec, parent, name);
	span->kind = 0;
	return 0;
}

int span_begin(struct model *model, const struct pyi_begin *rec)
{
	struct process_state *process = process_get(model, &rec->hdr);
	struct thread_state *thread;
	struct span *parent, *span;
	const char *name;
	int err;

	if (!process)
		return -ENOMEM;
	if (span_find(model, rec->hdr.proc, rec->id)) {
		model->malformed++;
		return 0;
	}
	thread = thread_get(model, process, rec->hdr.tid);
	err = model_text(model, &rec->name, rec->text, &name);
	if (!thread || err)
		return -ENOMEM;
	parent = rec->parent ? span_find(model, rec->hdr.proc, rec->parent) : NULL;
	span = span_add(model, process, thread, rec->id);
	if (!span)
		return -ENOMEM;
	span->parent = rec->parent;
	span->kind = rec->span;
	span->start_ns = rec->hdr.ts_ns;
	span->load = parent ? parent->load : NULL;
	process->process.is_python = true;
	process->can_switch |= !!(rec->hdr.flags & PYI_F_SWITCHING);
	err = begin_kind(model, span, rec, parent, name);
	if (!err)
		err = charge_open(model, span);
	if (!err && span->is_own) {
		/* An own span has a load. NOLINTNEXTLINE(*-core.NullDereference) */
		span->load->above = parent ? parent->kind : 0;
		if (rec->parent && (!parent || parent->thread != thread))
			span->load->load.is_exact = false;
	}
	return err;
}

static void end_part(struct model *model, struct span *span, const struct pyi_end *rec,
		     __u64 wall_ns)
{
	struct load_state *state = span->load;
	struct load *load = &state->load;
	struct span *parent;

	switch (span->kind) {
	case PYI_SPAN_DLOPEN:
		parent = span_find(model, rec->hdr.proc, span->parent);
		if (parent)
			parent->dlopen_ns += wall_ns;
		load->dlopen_ns = wall_ns;
		return;
	case PYI_SPAN_DYNAMIC:
		load->init_ns = wall_ns > span->dlopen_ns ? wall_ns - span->dlopen_ns : 0;
		break;
	case PYI_SPAN_BODY:
	case PYI_SPAN_EXECDEF:
		load->exec_ns = wall_ns;
		break;
	default:
		return;
	}
	state->evidence &= ~SEEN_BODY_FAILED;
	if (rec->failed) {
		state->evidence |= SEEN_BODY_FAILED;
		state->body_error = rec->error[0] ?
			model_bytes(model, rec->error, sizeof(rec->error)) : NULL;
	}
}

/*
 * What stands above a span that ends began on another stack, if it is seen to end later: or else
 * its end was not seen, or it is an import_module, noticed late since a finder that was asked for
 * it imported something.
 */
static void see_switch(struct span *ended)
{
	ended->process->process.is_switching |= ended->is_overtaken;
	for (struct span *at = ended->thread->open; at != ended; at = at->next)
		at->is_overtaken = true;
}

int span_end(struct model *model, const struct pyi_end *rec)
{
	struct span *span = span_find(model, rec->hdr.proc, rec->id);
	__u64 wall_ns;

	if (!span)
		return 0; /* begun before we came, or its begin was lost, which BPF counts */
	if (span->process->can_switch) {
		see_switch(span);
	} else {
		while (span->thread->open != span) {
			if (span->load)
				span->load->load.is_exact = false;
			span_lose(model, span->thread->open);
		}
	}
	wall_ns = rec->hdr.ts_ns > span->start_ns ? rec->hdr.ts_ns - span->start_ns : 0;
	if (span->lib) {
		span->lib->wall_ns = wall_ns;
		span->lib->failed = rec->failed;
	}
	if (span->is_own)
		load_end(model, span->load, rec, wall_ns);
	else if (span->load)
		end_part(model, span, rec, wall_ns);
	span_remove(model, span);
	return 0;
}
