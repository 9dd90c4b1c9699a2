// SPDX-License-Identifier: BSD-2-Clause
/* The end of the trace: results, kinds, trees, self times and edges are settled. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/state.h"

static bool has_component(const char *file, const char *ending)
{
	const char *at = strstr(file, ending);

	return at && at[strlen(ending)] == '/';
}

static enum load_kind kind_of(const struct load_state *state, const struct code *code)
{
	__u32 seen = state->evidence;

	if (seen & SEEN_DYNAMIC)
		return KIND_EXTENSION;
	if (seen & (SEEN_BUILTIN | SEEN_EXECDEF))
		return KIND_BUILTIN;
	if (code && code->file) {
		if (!strncmp(code->file, "<frozen ", 8))
			return KIND_FROZEN;
		if (has_component(code->file, ".zip") || has_component(code->file, ".egg") ||
		    has_component(code->file, ".pyz") || has_component(code->file, ".whl"))
			return KIND_ZIP;
		if (seen & SEEN_COMPILE)
			return KIND_SOURCE;
		if (state->span == PYI_SPAN_BODY && state->load.module &&
		    !strcmp(state->load.module, "__main__"))
			return KIND_SOURCE;
		return seen & SEEN_BODY ? KIND_BYTECODE : KIND_UNKNOWN;
	}
	if (seen & SEEN_NEW_MODULE && !(seen & SEEN_BODY) && state->load.result == LOAD_LOADED)
		return KIND_NAMESPACE;
	return KIND_UNKNOWN;
}

static void settle_result(struct load_state *state)
{
	struct load *load = &state->load;
	__u32 seen = state->evidence;
	__u32 good = SEEN_BODY | SEEN_EXECDEF | SEEN_DYNAMIC | SEEN_BUILTIN | SEEN_NEW_MODULE;

	load->result = LOAD_LOADED;
	if (!(seen & SEEN_END)) {
		load->result = LOAD_UNFINISHED;
	} else if (state->span != PYI_SPAN_LOCK) {
		if (seen & SEEN_FAILURE)
			load->result = LOAD_FAILED;
	} else if (seen & SEEN_BODY_FAILED) {
		load->result = LOAD_FAILED;
		load->error = state->body_error;
	} else if (!(seen & good) || (seen & SEEN_COMPILE && !(seen & SEEN_BODY))) {
		/* Nothing was found, or what was found did not compile: then no type was seen. */
		load->result = LOAD_FAILED;
		load->error = seen & good ? NULL : state->made_error;
	}
	if (load->result != LOAD_FAILED)
		load->error = NULL;
}

/* import_module("a.b") fails with what its import of a failed with. */
static void settle_error(struct load *load)
{
	const struct load *last = load->child_cnt ? load->children[load->child_cnt - 1] : NULL;

	if (load->result == LOAD_FAILED && !load->error && last && last->result == LOAD_FAILED &&
	    ((struct load_state *)load)->span == PYI_SPAN_LOCK)
		load->error = last->error;
}

static bool is_lazy_module(struct model *model, const struct frames *frames)
{
	for (__u32 i = 0; frames && i < frames->cnt; i++) {
		struct code *code = code_find(model, frames->at[i].code);

		if (code && code->name && !strcmp(code->name, "__getattribute__") && code->file &&
		    is_importlib_file(code->file))
			return true;
	}
	return false;
}

static enum load_via via_of(struct model *model, const struct load_state *state,
			    const struct stmt *stmt)
{
	const char *name = state->load.module;

	if (state->load.via)
		return state->load.via;
	switch (state->span) {
	case PYI_SPAN_FIND:
		if (stmt)
			return stmt->has_from == 2 ? VIA_NATIVE : VIA_STATEMENT;
		return state->via != PYI_VIA_NATIVE && frames_site(model, state->frames).file ?
			       VIA_STATEMENT : VIA_NATIVE;
	case PYI_SPAN_LOCK:
		return state->via == PYI_VIA_RELOAD ? VIA_RELOAD :
		       state->via == PYI_VIA_IMPORT_MODULE ? VIA_IMPORT_MODULE : VIA_UNKNOWN;
	case PYI_SPAN_BODY:
		if (name && !strcmp(name, "__main__"))
			return VIA_MAIN;
		if (!state->frames)
			return VIA_NATIVE;
		return is_lazy_module(model, state->frames) ? VIA_LAZY : VIA_LOADER;
	case PYI_SPAN_EXECDEF:
		return VIA_NATIVE;
	}
	return VIA_UNKNOWN;
}

/* A package imported on the way to its submodule has the submodule's importer. */
static struct site importer_of(struct model *model, const struct load_state *state,
			       const struct stmt *stmt)
{
	struct site site = stmt ? code_site(model, &stmt->frame) :
				  frames_site(model, state->frames);
	const struct load *parent = state->load.parent;
	size_t len;

	if (site.file || site.module || !parent || !parent->module || !state->load.module)
		return site;
	len = strlen(state->load.module);
	if (!strncmp(parent->module, state->load.module, len) && parent->module[len] == '.')
		return parent->importer; /* settled before: parents come first */
	return site;
}

static void settle_load(struct model *model, struct load_state *state)
{
	struct load *load = &state->load;
	struct code *code = code_find(model, state->body_code);
	struct stmt *stmt = NULL;

	if (state->stmt)
		HASH_FIND(hh, model->stmts, &state->stmt, sizeof(state->stmt), stmt);
	settle_result(state);
	load->kind = kind_of(state, code);
	if (code && code->file && !load->file)
		load->file = code->file;
	load->via = via_of(model, state, stmt);
	if (load->via != VIA_MAIN)
		load->importer = importer_of(model, state, stmt);
}

/* Was the call only a wait for another thread that loaded the same module? */
static bool is_wait(const struct load_state *state)
{
	const __u32 work = SEEN_BODY | SEEN_EXECDEF | SEEN_DYNAMIC | SEEN_BUILTIN |
			   SEEN_NEW_MODULE | SEEN_FAILURE;

	return state->is_wait_candidate && !(state->evidence & work) &&
	       state->evidence & SEEN_END;
}

/* Takes waits out of the tree, then hangs every load under its parent. */
static int link_loads(struct process *process)
{
	size_t kept = 0;
	int err;

	for (size_t i = 0; i < process->load_cnt; i++)
		((struct load_state *)process->loads[i])->is_wait =
			is_wait((struct load_state *)process->loads[i]);
	for (size_t i = 0; i < process->load_cnt; i++) {
		struct load *load = process->loads[i];

		while (load->parent && ((struct load_state *)load->parent)->is_wait)
			load->parent = load->parent->parent;
		if (((struct load_state *)load)->is_wait) {
			process->lock_waits++;
			if (load->parent)
				load->parent->lock_wait_ns += load->wall_ns;
			continue;
		}
		load->seq = kept;
		process->loads[kept++] = load;
		err = load->parent ? array_push(&load->parent->children, &load->parent->child_cnt,
						&load->parent->child_cap, load) :
				     array_push(&process->roots, &process->root_cnt,
						&process->root_cap, load);
		if (err)
			return err;
	}
	process->load_cnt = kept;
	return 0;
}

static void settle_self(struct load *load)
{
	__u64 inside_ns = 0;

	if (load->wall_ns == NS_UNKNOWN)
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

/* Start-up ends with the last import that the main module's own body made at its top level. */
static void settle_startup(const struct model *model, struct process_state *state)
{
	struct process *process = &state->process;
	struct load_state *main_load = state->main;
	struct stmt *stmt;

	if (!main_load || process->is_late)
		return;
	process->startup_end_ns = main_load->load.start_ns;
	for (size_t i = 0; i < main_load->load.child_cnt; i++) {
		struct load *load = main_load->load.children[i];
		__u32 id = ((struct load_state *)load)->stmt;

		HASH_FIND(hh, model->stmts, &id, sizeof(id), stmt);
		if (stmt && stmt->frame.code == main_load->body_code && load->wall_ns != NS_UNKNOWN)
			process->startup_end_ns = load->start_ns + load->wall_ns;
	}
}

static int finish_process(struct model *model, struct process_state *state)
{
	struct process *process = &state->process;
	struct python_state *python;
	int err = link_loads(process);

	if (err)
		return err;
	for (size_t i = 0; i < process->load_cnt; i++) {
		struct load_state *load = (struct load_state *)process->loads[i];

		settle_load(model, load);
		settle_self(&load->load);
		if (load->load.is_inherited)
			continue;
		process->loaded_cnt += load->load.result == LOAD_LOADED;
		process->failed_cnt += load->load.result == LOAD_FAILED;
		process->unfinished_cnt += load->load.result == LOAD_UNFINISHED;
	}
	for (size_t i = process->load_cnt; i-- > 0;)
		settle_error(process->loads[i]);
	settle_startup(model, state);
	HASH_FIND(hh, model->pythons, &process->layout, sizeof(process->layout), python);
	if (process->is_python && python)
		process->python = &python->info;
	return 0;
}

static int cmp_start(const void *a, const void *b)
{
	const struct process *x = *(struct process *const *)a, *y = *(struct process *const *)b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x->serial < y->serial ? -1 : x->serial > y->serial;
}

int model__finish(struct model *model, __u64 end_ns)
{
	int err;

	if (model->is_finished)
		return -EALREADY;
	model->is_finished = true;
	if (!model->host.trace_end_ns)
		model->host.trace_end_ns = end_ns;
	for (size_t i = 0; i < model->process_cnt; i++) {
		struct process_state *state = (struct process_state *)model->processes[i];

		spans_abandon(model, state, 0);
		err = finish_process(model, state);
		if (err)
			return err;
	}
	err = edges_finish(model);
	if (model->process_cnt)
		qsort(model->processes, model->process_cnt, sizeof(*model->processes), cmp_start);
	return err;
}
