// SPDX-License-Identifier: BSD-2-Clause
/* What one load was, from what was seen inside it: result, kind, way in, importer. */
#include <string.h>

#include "model/state/code.h"
#include "model/stream/stmt.h"
#include "model/tree/load_result.h"

static bool has_component(const char *file, const char *ending)
{
	size_t len = strlen(ending);

	for (const char *at = strstr(file, ending); at; at = strstr(at + len, ending))
		if (at[len] == '/')
			return true;
	return false;
}

static bool is_archive(const char *file)
{
	return has_component(file, ".zip") || has_component(file, ".egg") ||
	       has_component(file, ".pyz") || has_component(file, ".whl");
}

static enum load_kind kind_of_body(const struct load_state *state, const char *file)
{
	const char *dot = strrchr(file, '.');

	if (!strncmp(file, "<frozen ", 8))
		return KIND_FROZEN;
	if (is_archive(file))
		return KIND_ZIP;
	if (state->evidence & SEEN_COMPILE)
		return KIND_SOURCE;
	if (state->load.via == VIA_MAIN) /* a script; compiled before anything is seen of it */
		return dot && !strcmp(dot, ".pyc") ? KIND_BYTECODE : KIND_SOURCE;
	/* Compiling is seen in searches only; what a string or a loader was made of is not. */
	return state->span == PYI_SPAN_BODY || file[0] == '<' ? KIND_UNKNOWN : KIND_BYTECODE;
}

static enum load_kind kind_of(const struct load_state *state, const struct code *code)
{
	__u32 seen = state->evidence;

	if (seen & SEEN_DYNAMIC)
		return KIND_EXTENSION;
	if (state->span == PYI_SPAN_EXECDEF && state->above)
		return KIND_UNKNOWN; /* by hand, and its file was not seen to be opened */
	if (seen & SEEN_BUILTIN || (seen & SEEN_EXECDEF && !(seen & SEEN_BODY)))
		return KIND_BUILTIN;
	if (code && code->file)
		return kind_of_body(state, code->file);
	if (seen & SEEN_COMPILE)
		return KIND_SOURCE;
	if (seen & SEEN_LAZY)
		return KIND_LAZY;
	if (seen & SEEN_NEW_MODULE && !(seen & SEEN_BODY) && state->load.result == LOAD_LOADED)
		return KIND_NAMESPACE;
	return KIND_UNKNOWN;
}

bool load_is_lazy_find(struct model *model, const struct load_state *state)
{
	return state->evidence & SEEN_LAZY &&
	       kind_of(state, code_find(model, state->body_code)) == KIND_LAZY;
}

bool load_has_failed(const struct load *load)
{
	return load->result == LOAD_FAILED && !(load->error && !strcmp(load->error, "SystemExit"));
}

/*
 * The import function's call says itself whether it failed. Of a call whose end was not seen, and
 * of import_module in captures of older releases, only what happened inside tells.
 */
static enum load_result result_of(const struct load_state *state, const char **error)
{
	__u32 seen = state->evidence;

	*error = state->load.error;
	if (!(seen & SEEN_END))
		return LOAD_UNFINISHED;
	if (seen & SEEN_FAILURE) {
		/* Not that of an ImportError made inside: it may have been caught. */
		if (!*error && seen & SEEN_BODY_FAILED)
			*error = state->body_error;
		return LOAD_FAILED;
	}
	if (seen & SEEN_RESULT || (state->span != PYI_SPAN_SEARCH && !(seen & SEEN_UNOBSERVED)))
		return LOAD_LOADED;
	*error = state->body_error;
	if (seen & SEEN_BODY_FAILED)
		return LOAD_FAILED;
	*error = NULL; /* found, but not to be compiled: no type was seen */
	if (seen & SEEN_COMPILE && !(seen & SEEN_BODY))
		return LOAD_FAILED;
	if (seen & SEEN_WORK)
		return LOAD_LOADED;
	*error = state->made_error;
	if (seen & SEEN_UNOBSERVED && !state->made_error)
		return LOAD_UNFINISHED;
	return LOAD_FAILED;
}

static bool has_function(struct model *model, const struct frames *frames, const char *name)
{
	for (__u32 i = 0; frames && i < frames->cnt; i++) {
		const struct code *code = code_find(model, frames->at[i].code);

		if (code && code->name && !strcmp(code->name, name) && code_is_machinery(code))
			return true;
	}
	return false;
}

bool load_is_lazy_run(struct model *model, const struct load_state *state)
{
	return state->span == PYI_SPAN_BODY && has_function(model, state->frames, "__getattribute__");
}

static bool is_on_the_way(const struct load *load)
{
	const struct load *parent = load->parent;
	size_t len;

	if (!parent || !parent->module || !load->module)
		return false;
	len = strlen(load->module);
	return !strncmp(parent->module, load->module, len) && parent->module[len] == '.';
}

/* On the way to what the body of an extension module asks for? The stack does not show it. */
static bool is_on_the_way_of_c(const struct load_state *state, const struct stmt *stmt)
{
	return !stmt && state->above == PYI_SPAN_FIND && is_on_the_way(&state->load) &&
	       !state->load.parent->importer.file;
}

/* In the body of an extension module, or of a built-in one: that has no span of its own. */
static bool is_in_c_body(const struct load_state *state)
{
	const struct load_state *parent = (const struct load_state *)state->load.parent;

	return state->above == PYI_SPAN_EXECDEF || state->above == PYI_SPAN_DYNAMIC ||
	       (state->above == PYI_SPAN_FIND && parent && parent->evidence & SEEN_BUILTIN);
}

static enum load_via via_of_find(struct model *model, const struct process_state *process,
				 const struct load_state *state, const struct stmt *stmt)
{
	if (state->via == PYI_VIA_NATIVE)
		return VIA_NATIVE;
	if (stmt) /* PyImport_Import() passes an empty list as fromlist */
		return stmt->has_from == 2 || !stmt->frame.code ? VIA_NATIVE : VIA_STATEMENT;
	if (state->stmt) /* its record was lost */
		return VIA_STATEMENT;
	if (!state->frames) /* from C, unless frames cannot be read at all */
		return process->has_frames && !model->stats.ring_full ? VIA_NATIVE : VIA_UNKNOWN;
	if (is_in_c_body(state) && code_is_importlib(code_find(model, state->frames->at[0].code)))
		return VIA_NATIVE; /* an extension's own code: no Python between */
	if (is_on_the_way_of_c(state, stmt))
		return state->load.parent->via;
	/* Nobody but importlib: the interpreter sets itself up. */
	return import_site(model, state->frames).file ? VIA_STATEMENT : VIA_NATIVE;
}

static enum load_via via_of(struct model *model, const struct process_state *process,
			    const struct load_state *state, const struct stmt *stmt)
{
	if (state->load.via)
		return state->load.via;
	switch (state->span) {
	case PYI_SPAN_FIND:
		return via_of_find(model, process, state, stmt);
	case PYI_SPAN_SEARCH:
		if (state->via == PYI_VIA_RELOAD)
			return !state->frames || has_function(model, state->frames, "reload") ?
			       VIA_RELOAD : VIA_LOADER;
		return state->via == PYI_VIA_IMPORT_MODULE ? VIA_IMPORT_MODULE : VIA_UNKNOWN;
	case PYI_SPAN_BODY:
		if (state->load.module && !strcmp(state->load.module, "__main__"))
			return VIA_MAIN;
		if (!state->frames && !state->above && process->has_frames)
			return VIA_NATIVE;
		return has_function(model, state->frames, "__getattribute__") ? VIA_LAZY :
									  VIA_LOADER;
	case PYI_SPAN_EXECDEF:
		return state->above ? VIA_LOADER : VIA_NATIVE;
	}
	return VIA_UNKNOWN;
}

/*
 * Has the body of an extension module called import_module()? Then what loads that one stands
 * right behind it.
 */
static bool is_call_of_c(struct model *model, const struct frames *frames)
{
	const struct code *code;
	bool is_behind = false;

	for (__u32 i = 0; i < frames->cnt; i++) {
		code = code_find(model, frames->at[i].code);
		if (is_behind || !code_is_importlib(code))
			return is_behind && code_is_importlib(code);
		is_behind = code->name && (!strcmp(code->name, "import_module") ||
					   !strcmp(code->name, "reload"));
	}
	return false;
}

/* Does the body of an extension module ask, with no Python between? It has no lines. */
static bool is_of_c_body(struct model *model, const struct load_state *state,
			 const struct stmt *stmt)
{
	if (!is_in_c_body(state))
		return false;
	if (state->stmt)
		return stmt && !stmt->frame.code;
	if (!state->frames)
		return false;
	return state->span == PYI_SPAN_FIND ?
		       code_is_importlib(code_find(model, state->frames->at[0].code)) :
		       is_call_of_c(model, state->frames);
}

/* A package imported on the way to its submodule has the submodule's importer. */
static struct site importer_of(struct model *model, const struct load_state *state,
			       const struct stmt *stmt)
{
	const struct code *code = stmt ? code_find(model, stmt->frame.code) : NULL;
	const struct load *parent = state->load.parent; /* settled before: parents come first */
	struct site site;

	if (parent && is_of_c_body(model, state, stmt))
		return (struct site){ .module = parent->module };
	if (parent && is_on_the_way_of_c(state, stmt))
		return parent->importer;
	site = code && !code_is_importlib(code) ? code_site(model, &stmt->frame) :
	       state->span == PYI_SPAN_BODY ? body_site(model, state->frames) :
					      import_site(model, state->frames);
	if (site.file || site.module || !parent || !is_on_the_way(&state->load))
		return site;
	return parent->importer;
}

static __u8 unknown_of(const struct process_state *process, const struct load_state *state)
{
	const struct load *load = &state->load;
	__u8 unknown = load->result == LOAD_FAILED && !load->error ? UNKNOWN_ERROR : 0;

	if (load->via == VIA_MAIN)
		return unknown;
	if (load->importer.file || load->importer.module)
		return unknown | (load->importer.line > 0 ? 0 : UNKNOWN_LINE);
	/* The interpreter itself: C without any Python, or frames of importlib alone. */
	if (load->via == VIA_NATIVE && process->has_frames &&
	    !(state->frames && state->frames->is_cut))
		return unknown;
	return unknown | UNKNOWN_IMPORTER;
}

static void settle(struct model *model, struct process_state *process, struct load_state *state,
		   const struct stmt *stmt)
{
	struct load *load = &state->load;
	struct code *code = code_find(model, state->body_code);

	load->result = result_of(state, &load->error);
	if (load->result != LOAD_FAILED)
		load->error = NULL;
	load->via = via_of(model, process, state, stmt);
	load->kind = kind_of(state, code);
	if (!load->file && code)
		load->file = code->file;
	/* The interpreter itself runs the first main module; tools that run another ask for it. */
	if (state != process->main || load->parent)
		load->importer = importer_of(model, state, stmt);
	load->unknown = unknown_of(process, state);
}

void load_settle(struct model *model, struct process_state *process, struct load_state *state)
{
	struct stmt *stmt = state->stmt ? stmt_find(model, state->stmt) : NULL;

	settle(model, process, state, stmt);
	if (stmt && !stmt->load && stmt->module == state->load.module && !state->load.is_inherited)
		stmt->load = state;
}

bool model__ended(struct model *model, struct load *out)
{
	struct load_state *ended, state;
	struct process_state *process;

	if (model->lean)
		model = model->lean_ops->last(model);
	ended = model ? model->ended : NULL;
	if (!ended)
		return false;
	process = (struct process_state *)ended->load.process;
	if (ended == process->main)
		return false;
	state = *ended; /* more may become known of the load itself: it is not touched */
	settle(model, process, &state, state.stmt ? stmt_find(model, state.stmt) : NULL);
	*out = state.load;
	return true;
}
