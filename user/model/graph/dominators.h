/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which nodes of the import graph every path to a node passes: what would be gone with them.
 */
#ifndef MODEL_GRAPH_DOMINATORS_H
#define MODEL_GRAPH_DOMINATORS_H

#include "model/graph/graph.h"

struct dominators {
	__u32 *idom;    /* by node: its immediate dominator; of the root the root itself */
	__u32 *order;   /* all nodes, a dominator before what it dominates */
	__u32 cnt;
};

/* 0 or -ENOMEM. Time grows with arcs times nesting of loops, in practice with arcs. */
int dominators_find(const struct graph *graph, struct dominators *out);
void dominators_clear(struct dominators *dominators);

/*
 * Marks in @gone (node_cnt bytes) the nodes that cannot be reached any more once the nodes
 * already marked there are taken away. 0 or -ENOMEM. Time grows with the arcs.
 */
int graph_take_away(const struct graph *graph, bool *gone);

#endif
