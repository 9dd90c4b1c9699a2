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

/* @arcs are sorted on return. 0 or -ENOMEM. */
int graph_index(struct graph *graph, struct arc *arcs, size_t arc_cnt);

/* The first load that did not fail whose name is the first @len bytes of @name; NULL: none. */
struct load *graph_find_name(const struct graph *graph, const char *name, size_t len);

#endif
