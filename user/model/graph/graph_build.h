/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to the graph: filling it. */
#ifndef MODEL_GRAPH_GRAPH_BUILD_H
#define MODEL_GRAPH_GRAPH_BUILD_H

#include "model/graph/graph.h"

/* Statements, runs and arcs, of a graph that knows its names. 0 or -ENOMEM. */
int graph_build(struct graph *graph, unsigned int flags);

/* Makes the table of names. 0 or -ENOMEM. */
int graph_know_names(struct graph *graph);

struct arc {
	__u32 from, to;
};

/*
 * Without one load of a module the next would be that one: for sure none of them is gone alone.
 * Fills @arcs, at most two per load, and returns how many.
 */
size_t graph_join_loads(const struct graph *graph, struct arc *arcs);

/* @arcs are sorted on return. 0 or -ENOMEM. */
int graph_index(struct graph *graph, struct arc *arcs, size_t arc_cnt);

/* The first load that did not fail whose name is the first @len bytes of @name; NULL: none. */
struct load *graph_find_name(const struct graph *graph, const char *name, size_t len);

/*
 * The load of @module in force at @ts_ns: the last one begun until then, or the first. More than
 * one: it was taken from sys.modules between. NS_UNKNOWN is later than all. NULL: none.
 */
struct load *graph_find_at(const struct graph *graph, const char *module, __u64 ts_ns);

/* The first load of the package the module lies in; NULL: none. */
struct load *graph_package_of(const struct graph *graph, const struct load *load);

/* `import a.b` loads a on the way: whoever leads to a.b leads to a. */
bool graph_is_on_the_way(const struct load *load);

/* What the statement needs beside the load around it, @src: a node, or GRAPH_NONE. */
__u32 graph_own_of(const struct graph *graph, const struct site *site, __u32 src);

/* Of a load whose module was loaded before: is that no part of the first, as a reload is? */
static inline bool graph_is_again(const struct load *load)
{
	return load->via != VIA_RELOAD && load->via != VIA_LAZY && !load->is_inherited;
}

#endif
