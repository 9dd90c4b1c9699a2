// SPDX-License-Identifier: BSD-2-Clause
/*
 * Edges: statements with their counts as a reader sees them. A statement that was compiled twice
 * (reload, a nested function made anew) is one edge, two in one line are two; `from p import m` is
 * an edge to m as well where m is a module; a load that no statement record names has an edge from
 * its importer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/lazy.h"
#include "model/state/code.h"
#include "model/state/module_names.h"
#include "model/stream/stmt.h"
#include "model/tree/edges.h"
#include "model/tree/pth.h"

struct edges {
	struct model *model;
	struct process_state *process;
	struct edge **slots; /* by importer and module: open addressing, a power of two */
	size_t slot_cnt;
	struct pth pth;
};

/* All texts are interned: addresses are enough to tell them apart. */
static bool is_same_site(const struct site *a, const struct site *b)
{
	return a->line == b->line && a->file == b->file && a->module == b->module &&
	       a->code == b->code && a->lasti == b->lasti;
}

static size_t edge_hash(const struct site *importer, const char *module)
{
	size_t hash = (size_t)importer->module * 31 + (size_t)importer->file * 17 +
		      (size_t)module * 7 + importer->line + importer->code * 13 +
		      (__u32)importer->lasti * 3;

	hash *= 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

static struct edge **edge_slot(struct edges *edges, const struct site *importer,
			       const char *module)
{
	size_t at = edge_hash(importer, module) & (edges->slot_cnt - 1);
	struct edge *edge;

	while ((edge = edges->slots[at]) &&
	       (edge->module != module || !is_same_site(&edge->importer, importer)))
		at = (at + 1) & (edges->slot_cnt - 1);
	return &edges->slots[at];
}

static int edges_make_room(struct edges *edges)
{
	size_t edge_cnt = edges->process->process.edge_cnt;
	struct edge *edge;

	if (2 * (edge_cnt + 1) < edges->slot_cnt)
		return 0;
	free(edges->slots);
	edges->slot_cnt = edges->slot_cnt ? 2 * edges->slot_cnt : 256;
	edges->slots = calloc(edges->slot_cnt, sizeof(struct edge *));
	if (!edges->slots)
		return -ENOMEM;
	for (size_t i = 0; i < edge_cnt; i++) {
		edge = edges->process->process.edges[i];
		*edge_slot(edges, &edge->importer, edge->module) = edge;
	}
	return 0;
}

static struct edge *edge_get(struct edges *edges, const struct site *importer, const char *module,
			     const char *asked)
{
	struct process *process = &edges->process->process;
	struct edge **slot, *edge;

	if (edges_make_room(edges))
		return NULL;
	slot = edge_slot(edges, importer, module);
	edge = *slot;
	if (edge)
		return edge;
	edge = arena__alloc(&edges->model->arena, sizeof(*edge));
	if (!edge || array_push(&process->edges, &process->edge_cnt, &process->edge_cap, edge))
		return NULL;
	edge->importer = *importer;
	edge->module = module;
	edge->asked = asked;
	edge->first_ns = NS_UNKNOWN;
	*slot = edge;
	return edge;
}

/*
 * Loads that turned out to be none stand for their parents, which are loads, and LazyLoader's find
 * for the load that executes the module: what it imports goes with that.
 */
static void edge_ran_in(struct edge *edge, const struct load_state *state, bool is_inside)
{
	struct load *load = state ? (struct load *)&state->load : NULL;

	if (load && state->drop)
		load = state->runs ? &state->runs->load : load->parent;
	if (!edge->count)
		edge->around = load;
	edge->is_elsewhere |= !is_inside || edge->around != load;
}

static bool is_inside(const struct stmt *stmt)
{
	return !stmt->is_carried && (stmt->count == 1 || stmt->is_inside);
}

static void edge_count(struct edge *edge, __u32 count, __u32 cached, __u64 first_ns,
		       struct load_state *load)
{
	edge->count += count;
	edge->cached += cached;
	if (first_ns < edge->first_ns)
		edge->first_ns = first_ns;
	if (!load)
		return;
	load->has_edge = true;
	if (!edge->load)
		edge->load = &load->load;
}

static bool is_body(struct model *model, __u32 code_id)
{
	const struct code *code = code_find(model, code_id);

	return code && code->name && !strcmp(code->name, "<module>");
}

static struct site stmt_site(const struct edges *edges, const struct stmt *stmt)
{
	struct site site = code_site(edges->model, &stmt->frame);

	if (!stmt->frame.code && stmt->around) /* in the body of an extension module */
		site.module = stmt->around->load.module;
	return site;
}

/* importlib's own frames call for others. */
static int edge_called(struct edges *edges, struct edge *edge, const struct stmt *stmt)
{
	struct model *model = edges->model;
	struct site *callers;

	if (!stmt->callers || stmt->callers->cnt < 2 || edge->callers)
		return 0;
	callers = arena__alloc(&model->arena, stmt->callers->cnt * sizeof(*callers));
	if (!callers)
		return -ENOMEM;
	for (__u32 i = 1; i < stmt->callers->cnt; i++)
		if (!code_is_machinery(code_find(model, stmt->callers->at[i].code)))
			callers[edge->caller_cnt++] = code_site(model, &stmt->callers->at[i]);
	edge->callers = callers;
	return 0;
}

static void edge_knows_names(struct edge *edge, const struct stmt *stmt)
{
	edge->is_from = stmt->has_from == 1;
	edge->bound = stmt->bound;
	edge->bound_cnt = stmt->bound_cnt;
	if (!edge->is_from || stmt->is_from_cut)
		return;
	edge->from = stmt->from;
	edge->from_cnt = stmt->from_cnt;
}

static int edge_of_stmt(struct edges *edges, const struct stmt *stmt)
{
	struct site site = stmt_site(edges, stmt);
	__u32 loads = stmt->loads;
	struct edge *edge;

	if (!stmt->module)
		return 0;
	if (!loads && stmt->load)
		loads = 1; /* no counts came: its first run is all that is known */
	pth_name(&edges->pth, &site, stmt->first_ns);
	loads = loads > stmt->found ? loads - stmt->found : 0;
	if (loads > stmt->count)
		loads = stmt->count;
	edge = edge_get(edges, &site, stmt->module, stmt->module);
	if (!edge)
		return -ENOMEM;
	edge_ran_in(edge, stmt->around, is_inside(stmt));
	edge_count(edge, stmt->count, stmt->count - loads, stmt->first_ns, stmt->load);
	edge->is_body |= is_body(edges->model, stmt->frame.code);
	edge->is_circular |= stmt->is_circular;
	edge->has_unseen |= stmt->has_from == 1 && (!stmt->from || stmt->is_from_cut);
	edge_knows_names(edge, stmt);
	edges->process->process.cached_cnt += stmt->count - loads;
	return edge_called(edges, edge, stmt);
}

/* A module by name: the first load of it that did not fail. */
static struct load_state *known_load(struct edges *edges, const char *text, size_t len)
{
	const char *interned = arena__find(&edges->model->arena, text, len);
	struct module_name *name = interned ? name_find(edges->process, interned) : NULL;

	return name ? name->first : NULL;
}

static void know_loads(struct edges *edges)
{
	struct process *process = &edges->process->process;

	for (size_t i = 0; i < process->load_cnt; i++) {
		struct load_state *state = (struct load_state *)process->loads[i];
		struct module_name *name = state->load.module && state->load.result != LOAD_FAILED ?
					   name_find(edges->process, state->load.module) : NULL;

		if (name && !name->first)
			name->first = state;
	}
}

/* `from . import x`: x, if it is a module, was asked for as much as the package was. */
static int edges_of_from(struct edges *edges, const struct stmt *stmt, char *name, size_t name_sz)
{
	struct site site = {};
	size_t len = stmt->module ? strlen(stmt->module) : 0;
	struct load_state *known, *load;
	struct edge *edge;
	size_t from_len;

	for (int i = 0; len && i < stmt->from_cnt; i++) {
		from_len = strlen(stmt->from[i]);
		if (len + 1 + from_len > name_sz)
			continue;
		memcpy(name, stmt->module, len);
		name[len] = '.';
		memcpy(name + len + 1, stmt->from[i], from_len);
		known = known_load(edges, name, len + 1 + from_len);
		if (!known)
			continue;
		if (!site.module && !site.file)
			site = stmt_site(edges, stmt);
		pth_name(&edges->pth, &site, stmt->first_ns);
		edge = edge_get(edges, &site, known->load.module, stmt->module);
		if (!edge)
			return -ENOMEM;
		load = is_same_site(load_asked_at(&known->load), &site) ? known : NULL;
		if (load && load->has_edge)
			load = NULL;
		edge_ran_in(edge, stmt->around, is_inside(stmt));
		edge_count(edge, stmt->count, stmt->count - (load != NULL), stmt->first_ns, load);
		edge->is_body |= is_body(edges->model, stmt->frame.code);
		edge->is_circular |= stmt->from_circular >> i & 1;
		edge_knows_names(edge, stmt);
		if (edge_called(edges, edge, stmt))
			return -ENOMEM;
	}
	return 0;
}

/* What the statement that asked names; of `import a.b`, which loads a as well, it is a.b. */
static const char *asked_by(struct model *model, const struct load_state *state)
{
	const struct stmt *stmt = state->stmt ? stmt_find(model, state->stmt) : NULL;

	return stmt && stmt->module ? stmt->module : NULL;
}

/* Loads that no statement record names: import_module, packages on the way. */
static int edges_of_loads(struct edges *edges)
{
	struct process *process = &edges->process->process;
	struct edge *edge;

	for (size_t i = 0; i < process->load_cnt; i++) {
		struct load_state *state = (struct load_state *)process->loads[i];
		struct load *asking = state->load.found ?: &state->load;
		const struct site *importer = &asking->importer;
		const char *asked = asked_by(edges->model, (struct load_state *)asking);

		if (state->has_edge || state->load.is_inherited || !state->load.module ||
		    !(importer->file || importer->module) || asked == state->load.module)
			continue;
		edge = edge_get(edges, importer, state->load.module,
				asked ? asked : state->load.module);
		if (!edge)
			return -ENOMEM;
		edge_ran_in(edge, (struct load_state *)asking->parent, true);
		edge_count(edge, 1, 0, asking->start_ns, state);
		edge->is_body |= is_body(edges->model, import_code(edges->model,
						((struct load_state *)asking)->frames));
	}
	return 0;
}

static void name_pth(const struct edges *edges)
{
	struct process *process = &edges->process->process;

	for (size_t i = 0; i < process->load_cnt; i++)
		pth_name(&edges->pth, &process->loads[i]->importer, process->loads[i]->start_ns);
}

static int fill(struct edges *edges)
{
	size_t name_sz = 3 * PYI_STR_LARGE;
	char *name = malloc(name_sz);
	struct stmt *stmt;
	int err = name ? 0 : -ENOMEM;

	name_pth(edges);
	know_loads(edges);
	for (stmt = edges->process->stmts; stmt && !err; stmt = stmt->next)
		err = edge_of_stmt(edges, stmt);
	for (stmt = edges->process->stmts; stmt && !err; stmt = stmt->next)
		if (stmt->from_cnt)
			err = edges_of_from(edges, stmt, name, name_sz);
	free(name);
	return err ?: edges_of_loads(edges);
}

int edges_finish(struct model *model, struct process_state *process)
{
	struct edges edges = { .model = model, .process = process };
	int err = pth_find(&process->process, &edges.pth);

	if (!err)
		err = fill(&edges);
	pth_free(&edges.pth);
	free(edges.slots);
	return err;
}
