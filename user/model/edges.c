// SPDX-License-Identifier: BSD-2-Clause
/*
 * Edges: statements with their counts as a reader sees them. A statement that was compiled twice
 * (reload, a nested function made anew) is one edge; `from p import m` is an edge to m as well
 * where m is a module; a load that no statement record names has an edge from its importer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/state.h"

/* All texts are interned: addresses are enough to tell them apart. */
struct edge_key {
	const char *importer, *file, *module;
	__u64 line;
};

struct edge_entry {
	struct edge_key key;
	struct edge *edge;
	UT_hash_handle hh;
};

/* A module by name: the first load of it that did not fail. */
struct known {
	const char *name;
	struct load_state *load;
	UT_hash_handle hh;
};

struct edges {
	struct model *model;
	struct process *process;
	struct edge_entry *by_key;
	struct known *known;
};

static struct edge *edge_get(struct edges *edges, const struct site *importer, const char *module)
{
	struct edge_key key = { importer->module, importer->file, module, importer->line };
	struct process *process = edges->process;
	struct edge_entry *entry;
	struct edge *edge;

	/* Hashed by bytes, and it has no padding. NOLINTNEXTLINE(*.UndefinedBinaryOperatorResult) */
	HASH_FIND(hh, edges->by_key, &key, sizeof(key), entry);
	if (entry)
		return entry->edge;
	edge = arena__alloc(&edges->model->arena, sizeof(*edge));
	entry = calloc(1, sizeof(*entry));
	if (!edge || !entry ||
	    array_push(&process->edges, &process->edge_cnt, &process->edge_cap, edge)) {
		free(entry);
		return NULL;
	}
	edge->importer = *importer;
	edge->module = module;
	edge->first_ns = NS_UNKNOWN;
	entry->key = key;
	entry->edge = edge;
	HASH_ADD(hh, edges->by_key, key, sizeof(entry->key), entry);
	return edge;
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

static int edge_of_stmt(struct edges *edges, const struct stmt *stmt)
{
	struct site site = code_site(edges->model, &stmt->frame);
	__u32 loads = stmt->loads;
	struct edge *edge;

	if (!stmt->module)
		return 0;
	if (!loads && stmt->load)
		loads = 1; /* no counts came: its first run is all that is known */
	loads = loads > stmt->waits ? loads - stmt->waits : 0;
	if (loads > stmt->count)
		loads = stmt->count;
	edge = edge_get(edges, &site, stmt->module);
	if (!edge)
		return -ENOMEM;
	edge_count(edge, stmt->count, stmt->count - loads, stmt->first_ns, stmt->load);
	edge->is_circular |= stmt->is_circular;
	edges->process->cached_cnt += stmt->count - loads;
	return 0;
}

static int know_loads(struct edges *edges)
{
	struct process *process = edges->process;
	struct known *known;

	for (size_t i = 0; i < process->load_cnt; i++) {
		struct load_state *state = (struct load_state *)process->loads[i];

		if (!state->load.module || state->load.result == LOAD_FAILED)
			continue;
		HASH_FIND_STR(edges->known, state->load.module, known);
		if (known)
			continue;
		known = calloc(1, sizeof(*known));
		if (!known)
			return -ENOMEM;
		known->name = state->load.module;
		known->load = state;
		HASH_ADD_KEYPTR(hh, edges->known, known->name, strlen(known->name), known);
	}
	return 0;
}

static bool is_same_site(const struct site *a, const struct site *b)
{
	return a->line == b->line && a->file == b->file && a->module == b->module;
}

/* `from . import x`: x, if it is a module, was asked for as much as the package was. */
static int edges_of_from(struct edges *edges, const struct stmt *stmt, char *name, size_t name_sz)
{
	struct site site = code_site(edges->model, &stmt->frame);
	size_t len = stmt->module ? strlen(stmt->module) : 0;
	struct load_state *load;
	struct known *known;
	struct edge *edge;

	for (int i = 0; len && i < stmt->from_cnt; i++) {
		if (len + 2 + strlen(stmt->from[i]) > name_sz)
			continue;
		memcpy(name, stmt->module, len);
		name[len] = '.';
		memcpy(name + len + 1, stmt->from[i], strlen(stmt->from[i]) + 1);
		HASH_FIND_STR(edges->known, name, known);
		if (!known)
			continue;
		edge = edge_get(edges, &site, known->name);
		if (!edge)
			return -ENOMEM;
		load = is_same_site(&known->load->load.importer, &site) ? known->load : NULL;
		if (load && load->has_edge)
			load = NULL;
		edge_count(edge, stmt->count, stmt->count - (load != NULL), stmt->first_ns, load);
		edge->is_circular |= stmt->from_circular >> i & 1;
	}
	return 0;
}

/* Loads that no statement record names: import_module, packages on the way. */
static int edges_of_loads(struct edges *edges)
{
	struct process *process = edges->process;
	struct edge *edge;

	for (size_t i = 0; i < process->load_cnt; i++) {
		struct load_state *state = (struct load_state *)process->loads[i];

		if (state->has_edge || state->load.is_inherited || !state->load.module ||
		    !state->load.importer.file ||
		    (state->stmt && stmt_find(edges->model, state->stmt)))
			continue;
		edge = edge_get(edges, &state->load.importer, state->load.module);
		if (!edge)
			return -ENOMEM;
		edge_count(edge, 1, 0, state->load.start_ns, state);
	}
	return 0;
}

static int fill(struct edges *edges, struct stmt *stmts)
{
	size_t name_sz = 3 * PYI_STR_LARGE;
	char *name = malloc(name_sz);
	int err = name ? know_loads(edges) : -ENOMEM;

	for (struct stmt *stmt = stmts; stmt && !err; stmt = stmt->next)
		err = edge_of_stmt(edges, stmt);
	for (struct stmt *stmt = stmts; stmt && !err; stmt = stmt->next)
		if (stmt->from_cnt)
			err = edges_of_from(edges, stmt, name, name_sz);
	free(name);
	return err ?: edges_of_loads(edges);
}

int edges_finish(struct model *model, struct process_state *process)
{
	struct edges edges = { .model = model, .process = &process->process };
	struct edge_entry *entry, *next_entry;
	struct known *known, *next_known;
	int err = fill(&edges, process->stmts);

	HASH_ITER(hh, edges.by_key, entry, next_entry) {
		HASH_DEL(edges.by_key, entry);
		free(entry);
	}
	HASH_ITER(hh, edges.known, known, next_known) {
		HASH_DEL(edges.known, known);
		free(known);
	}
	return err;
}
