// SPDX-License-Identifier: BSD-2-Clause
/*
 * Loads while they run: who loads which module now, which calls turn out to be none. A call that
 * did no work of its own while another thread had the same module's load open has waited for the
 * import lock; an import_module() that did none had its module in sys.modules already.
 */
#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "model/causes/charge.h"
#include "model/state/module_names.h"
#include "model/state/text.h"
#include "model/stream/load.h"
#include "model/stream/stmt.h"

#define RIVALS_MAX 16    /* open loads of one module that are looked at */

static bool is_below(const struct load_state *state, const struct load_state *above)
{
	const struct load *load = &state->load;

	while (load && load != &above->load)
		load = load->parent;
	return load != NULL;
}

/* Greenlets load side by side on one thread; else what is open on it is around us. */
static bool is_rival(const struct load_state *state, const struct load_state *other)
{
	if (state->load.interp != other->load.interp || other->via == PYI_VIA_WAIT)
		return false;
	if (state->load.tid != other->load.tid)
		return true;
	return ((struct process_state *)state->load.process)->can_switch && !is_below(state, other);
}

static int name_enter(struct model *model, struct process_state *process, struct load_state *state)
{
	struct load_state *other;
	int left = RIVALS_MAX;

	if (!state->load.module)
		return 0;
	state->name = name_get(model, process, state->load.module);
	if (!state->name)
		return -ENOMEM;
	DL_FOREACH2(state->name->open, other, open_next) {
		if (is_rival(state, other)) // cppcheck-suppress uninitvar
			state->is_shared = other->is_shared = true;
		if (!--left)
			break;
	}
	DL_PREPEND2(state->name->open, state, open_prev, open_next);
	return 0;
}

/* Did the rival do the work, or is it at it? */
static bool is_wait(const struct load_state *state)
{
	const struct module_name *name = state->name;

	return name && state->is_shared &&
	       !(state->evidence & (SEEN_WORK | SEEN_COMPILE | SEEN_FAILURE | SEEN_BODY_FAILED |
				    SEEN_RESULT)) &&
	       !state->made_error && !state->load.is_inherited &&
	       (name->has_worked || name->open != state || state->open_next);
}

static void name_leave(struct load_state *state)
{
	struct module_name *name = state->name;

	if (!name)
		return;
	state->name = NULL;
	DL_DELETE2(name->open, state, open_prev, open_next);
	if (state->evidence & (SEEN_WORK | SEEN_FAILURE) && !state->drop)
		name->has_worked = true;
	if (!name->open)
		name->has_worked = false;
}

static bool is_module_loaded(const struct load_state *state)
{
	const struct process_state *process = (struct process_state *)state->load.process;
	const struct module_name *name;
	const struct load *load;

	for (load = state->load.parent; load; load = load->parent)
		if (load->module == state->load.module)
			return true; /* it is being loaded, and imports itself */
	for (int i = 0; process && i < ANCESTORS_MAX; i++, process = process->forked_from) {
		name = name_find(process, state->load.module);
		/* What ran before we came may have loaded anything. */
		if ((name && name->is_loaded) || process->process.is_late)
			return true;
	}
	return false;
}

/*
 * Of a call of importlib by the import function that did nothing: the program has replaced
 * sys.modules, and importlib found there what the interpreter, which knows the first one, did not.
 */
static bool is_found_elsewhere(const struct load_state *state)
{
	const struct load *load = &state->load;
	const struct module_name *name =
		name_find((const struct process_state *)load->process, load->module);

	/* A log of -X importtime does not tell what was done. */
	return name && name->is_loaded && !load->process->is_log &&
	       !(state->evidence & (SEEN_LAZY | SEEN_UNOBSERVED));
}

static bool is_cached(const struct load_state *state)
{
	if (!state->load.module || state->made_error || state->has_failed_child ||
	    state->load.is_inherited ||
	    state->evidence & (SEEN_WORK | SEEN_COMPILE | SEEN_FAILURE | SEEN_RESULT))
		return false;
	return state->span == PYI_SPAN_SEARCH ? is_module_loaded(state) :
	       state->span == PYI_SPAN_FIND && is_found_elsewhere(state);
}

/*
 * `import p.q` loads p first, whose body may import p.q itself: that is the load. Loads around it
 * that ask for the same module find it then. That it is a namespace package is no work of theirs:
 * it is seen of what stands in sys.modules.
 */
static bool is_served(const struct load_state *state)
{
	return state->is_served && !(state->evidence & ((SEEN_WORK & ~SEEN_NEW_MODULE) |
							SEEN_COMPILE | SEEN_FAILURE));
}

static void serve(const struct load_state *state, const struct module_name *name)
{
	struct load_state *other; /* names are a process's own */
	int left = RIVALS_MAX;

	DL_FOREACH2(name->open, other, open_next) {
		if (other->load.tid == state->load.tid && // cppcheck-suppress uninitvar
		    other->load.interp == state->load.interp)
			other->is_served = true;
		if (!--left)
			break;
	}
}

/* What it was, if it was no load. */
static enum drop drop_of(const struct load_state *state)
{
	if (is_wait(state))
		return DROP_WAIT;
	if (is_served(state))
		return DROP_SERVED;
	/* A thread blocked on the lock of a module that no other one loads: for a moment. */
	return state->via == PYI_VIA_WAIT ? DROP_CACHED : DROP_NO;
}

/* The load ends unseen: it stays unfinished. */
void load_leave(struct load_state *state)
{
	state->load.is_exact = false;
	if (!state->drop)
		state->drop = drop_of(state);
	name_leave(state);
}

void load_end(struct model *model, struct load_state *state, const struct pyi_end *rec,
	      __u64 wall_ns)
{
	struct load *load = &state->load;
	struct load_state *parent = (struct load_state *)load->parent;
	struct module_name *name = state->name;
	struct stmt *stmt;

	load->wall_ns = wall_ns;
	state->ended = rec->spent;
	state->evidence |= SEEN_END | (rec->failed ? SEEN_FAILURE : 0);
	if (rec->failed && rec->error[0])
		load->error = model_bytes(model, rec->error, sizeof(rec->error));
	if (rec->hdr.flags & (PYI_F_UNOBSERVED | PYI_F_APPROX))
		load->is_exact = false;
	if (rec->hdr.flags & PYI_F_UNOBSERVED)
		state->evidence |= SEEN_UNOBSERVED;
	if (rec->hdr.flags & PYI_F_RESULT)
		state->evidence |= SEEN_RESULT;
	if (state->span == PYI_SPAN_BODY || state->span == PYI_SPAN_EXECDEF)
		load->exec_ns = wall_ns;
	state->drop = drop_of(state);
	if (!state->drop && is_cached(state))
		state->drop = DROP_CACHED;
	name_leave(state);
	model->ended = state->drop ? NULL : state;
	if (state->drop) {
		/* The kernel has counted what passed the import function as a load. */
		stmt = state->span == PYI_SPAN_FIND && state->stmt ?
			       stmt_find(model, state->stmt) : NULL;
		if (stmt)
			stmt->found++;
		model->load_cnt--;
	} else if (rec->failed || state->evidence & SEEN_BODY_FAILED ||
		   (state->made_error && !(state->evidence & SEEN_WORK))) {
		if (parent)
			parent->has_failed_child = true;
	} else if (name) {
		module_loaded((struct process_state *)load->process, name);
		serve(state, name);
	}
	if (parent && parent->load.tid == load->tid)
		parent->children_ns += state->drop ? state->children_ns : wall_ns;
}

struct load_state *load_begin(struct model *model, struct span *span, const struct pyi_begin *rec,
			      struct load_state *around, const char *name)
{
	struct load_state *state = model->free_loads;
	struct process *process = &span->process->process;
	struct load *load;

	if (state) {
		model->free_loads = state->open_next;
		memset(state, 0, sizeof(*state));
	} else {
		state = arena__alloc(&model->arena, sizeof(*state));
	}
	if (!state)
		return NULL;
	load = &state->load;
	load->id = rec->id;
	load->parent = around ? &around->load : NULL;
	load->process = process;
	load->module = name;
	load->tid = rec->hdr.tid;
	load->interp = rec->interp;
	load->start_ns = rec->hdr.ts_ns;
	load->wall_ns = load->self_ns = NS_UNKNOWN;
	load->find_ns = load->dlopen_ns = load->init_ns = load->exec_ns = NS_UNKNOWN;
	load->charge = load->charge_all = &charge_none;
	load->is_carried = rec->hdr.flags & PYI_F_CARRIED;
	load->is_inherited = rec->hdr.flags & PYI_F_INHERITED;
	load->is_exact = !(rec->hdr.flags & (PYI_F_APPROX | PYI_F_OVERFLOW | PYI_F_UNOBSERVED));
	state->begun = rec->spent;
	state->span = rec->span;
	state->via = rec->via;
	state->stmt = rec->edge;
	state->body_code = rec->span == PYI_SPAN_BODY ? rec->code : 0;
	state->evidence = rec->span == PYI_SPAN_BODY ? SEEN_BODY :
			  rec->span == PYI_SPAN_EXECDEF ? SEEN_EXECDEF : 0;
	if (array_push(&process->loads, &process->load_cnt, &process->load_cap, load) ||
	    name_enter(model, span->process, state))
		return NULL;
	span->load = state;
	span->is_own = true;
	model->load_cnt++;
	model->current = name;
	return state;
}

/* Of one that turned out to be none right after its begin: programs may eval() for hours. */
void load_recycle(struct model *model, struct load_state *state)
{
	struct process *process = state->load.process;

	if (process->loads[process->load_cnt - 1] != &state->load)
		return; /* other threads began some meanwhile */
	process->load_cnt--;
	state->open_next = model->free_loads;
	model->free_loads = state;
}

/*
 * A load that was under way when the process forked, as the child sees it: context for what the
 * child loads inside. The parent's own record is not touched by what the child does.
 */
struct load_state *load_inherit(struct model *model, struct process_state *child,
				struct load_state *origin)
{
	struct load_state *state = origin->clone, *parent;
	struct load *load;

	if (state && state->load.process == &child->process)
		return state;
	state = arena__alloc(&model->arena, sizeof(*state));
	if (!state)
		return NULL;
	*state = *origin;
	load = &state->load;
	parent = origin->load.parent ? ((struct load_state *)origin->load.parent)->clone : NULL;
	load->id = 0x80000000u | ++model->clone_cnt;
	load->parent = parent && parent->load.process == &child->process ? &parent->load : NULL;
	load->children = NULL;
	load->child_cnt = 0;
	load->process = &child->process;
	load->tid = child->process.tgid;
	load->lock_wait_ns = 0;
	load->charge = load->charge_all = &charge_none; /* what it was charged is the parent's */
	load->is_exact = false;
	load->is_inherited = true;
	state->before_ns = origin->children_ns;
	state->clone = NULL;
	state->stmt = 0;
	state->is_shared = false;
	load->importer = (struct site){};
	if (origin->stmt) { /* the statement is the parent's; the place is the same */
		const struct stmt *stmt = stmt_find(model, origin->stmt);

		state->frames = arena__alloc(&model->arena, sizeof(*state->frames) +
							    sizeof(struct pyi_frame));
		if (!state->frames)
			return NULL;
		state->frames->cnt = stmt ? 1 : 0;
		state->frames->is_cut = false;
		state->frames->at[0] = stmt ? stmt->frame : (struct pyi_frame){ 0, -1 };
	}
	origin->clone = state;
	if (array_push(&child->process.loads, &child->process.load_cnt, &child->process.load_cap,
		       load) ||
	    name_enter(model, child, state))
		return NULL;
	return state;
}

/* The search is over: what follows is loading. */
void load_found(struct load_state *state, __u64 ts_ns)
{
	__u64 start_ns = state->load.start_ns;
	__u64 spent_ns = ts_ns > start_ns ? ts_ns - start_ns : 0;

	if (!state->found_at_ns)
		state->found_at_ns = ts_ns;
	if (state->load.find_ns == NS_UNKNOWN)
		state->load.find_ns = spent_ns > state->children_ns ?
					      spent_ns - state->children_ns : 0;
}
