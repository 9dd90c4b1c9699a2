// SPDX-License-Identifier: BSD-2-Clause
/* Statements with their counts become the edges that a reader sees. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/state.h"

static struct edge *edge_add(struct model *model, struct process *process, struct site importer,
			     const char *module)
{
	struct edge *edge = arena__alloc(&model->arena, sizeof(*edge));

	if (!edge)
		return NULL;
	edge->importer = importer;
	edge->module = module;
	if (array_push(&process->edges, &process->edge_cnt, &process->edge_cap, edge))
		return NULL;
	return edge;
}

static int edge_of_stmt(struct model *model, struct stmt *stmt)
{
	struct process *process = &stmt->process->process;
	__u32 loads = stmt->loads < stmt->count ? stmt->loads : stmt->count;
	struct edge *edge;

	if (!stmt->module)
		return 0;
	if (stmt->load && stmt->load->is_wait && loads)
		loads--;
	process->cached_cnt += stmt->count - loads;
	edge = edge_add(model, process, code_site(model, &stmt->frame), stmt->module);
	if (!edge)
		return -ENOMEM;
	edge->count = stmt->count;
	edge->cached = stmt->count - loads;
	edge->first_ns = stmt->first_ns;
	edge->is_circular = stmt->is_circular;
	edge->load = stmt->load && !stmt->load->is_wait ? &stmt->load->load : NULL;
	return 0;
}

/* A loaded module by name, to know which names of a `from . import` are modules. */
struct known {
	const char *name;
	struct load *load;
	UT_hash_handle hh;
};

static int know_loads(struct model *model, struct process *process, struct known **table)
{
	struct known *known;

	for (size_t i = 0; i < process->load_cnt; i++) {
		struct load *load = process->loads[i];

		if (!load->module || load->result == LOAD_FAILED)
			continue;
		HASH_FIND_STR(*table, load->module, known);
		if (known)
			continue;
		known = arena__alloc(&model->arena, sizeof(*known));
		if (!known)
			return -ENOMEM;
		known->name = load->module;
		known->load = load;
		HASH_ADD_KEYPTR(hh, *table, known->name, strlen(known->name), known);
	}
	return 0;
}

static bool is_same_site(const struct site *a, const struct site *b)
{
	return a->line == b->line && a->file == b->file; /* both interned */
}

/* `from . import x`: x, if it is a module, was asked for as much as the package was. */
static int edges_of_from(struct model *model, struct stmt *stmt, struct known *table)
{
	struct site site = code_site(model, &stmt->frame);
	struct known *known;
	struct edge *edge;
	char name[1024];

	for (__u32 i = 0; stmt->module && i < stmt->from_cnt; i++) {
		if ((size_t)snprintf(name, sizeof(name), "%s.%s", stmt->module, stmt->from[i]) >=
		    sizeof(name))
			continue;
		HASH_FIND_STR(table, name, known);
		if (!known)
			continue;
		edge = edge_add(model, &stmt->process->process, site, known->name);
		if (!edge)
			return -ENOMEM;
		edge->count = edge->cached = stmt->count;
		edge->first_ns = stmt->first_ns;
		if (is_same_site(&known->load->importer, &site)) {
			edge->load = known->load;
			edge->cached--;
		}
	}
	return 0;
}

/* Loads that no statement record names: import_module, packages on the way, submodules. */
static int edges_of_loads(struct model *model, struct process *process)
{
	struct load_state *state;
	struct stmt *stmt = NULL;
	struct edge *edge;

	for (size_t i = 0; i < process->load_cnt; i++) {
		state = (struct load_state *)process->loads[i];
		HASH_FIND(hh, model->stmts, &state->stmt, sizeof(state->stmt), stmt);
		if (stmt || !state->load.module || !state->load.importer.file ||
		    state->load.is_inherited)
			continue;
		edge = edge_add(model, process, state->load.importer, state->load.module);
		if (!edge)
			return -ENOMEM;
		edge->count = 1;
		edge->first_ns = state->load.start_ns;
		edge->load = &state->load;
	}
	return 0;
}

int edges_finish(struct model *model)
{
	struct stmt *stmt, *next;
	int err = 0;

	HASH_ITER(hh, model->stmts, stmt, next) {
		err = edge_of_stmt(model, stmt);
		if (err)
			return err;
	}
	for (size_t i = 0; i < model->process_cnt && !err; i++) {
		struct known *table = NULL;

		err = edges_of_loads(model, model->processes[i]) ?:
		      know_loads(model, model->processes[i], &table);
		HASH_ITER(hh, model->stmts, stmt, next)
			if (!err && stmt->from_cnt &&
			    &stmt->process->process == model->processes[i])
				err = edges_of_from(model, stmt, table);
		HASH_CLEAR(hh, table);
	}
	return err;
}
