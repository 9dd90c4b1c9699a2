/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of the import graph would still be reached without some of it. A load needs one of the
 * runs that ask for it; a run needs the load around it and the module it stands in. So a node is
 * lost when *either* of two is: dominators cannot say that, this can.
 */
#ifndef MODEL_GRAPH_REACH_H
#define MODEL_GRAPH_REACH_H

#include "model/graph/graph.h"

struct reach {
	struct graph *graph;
	__u32 *by;           /* by node: one way in which it can be reached; the root's is none */
	__u32 *dep_at, *dep; /* dep[dep_at[n]] … : nodes whose way leads over n */
	__u32 *mark;         /* by node: three times the number of the question, plus a state */
	__u32 asked, seed_cnt;
	__u32 *list, cnt;    /* nodes in doubt, then lost */
	__u32 *queue;
	__u64 steps;         /* nodes and arcs looked at so far, for all questions */
};

/*
 * Statements that could not have run as the graph has it (their module came later) lose the need
 * for their module in @graph, which must outlive it. 0 or -ENOMEM.
 */
int reach__new(struct graph *graph, struct reach **out);
void reach__free(struct reach *reach); /* NULL-safe */

/*
 * Which nodes are in doubt without @seeds: all whose one known way leads over them, seeds
 * included. In reach->list. What it costs is their number, which bounds what can be lost.
 */
void reach__doubt(struct reach *reach, const __u32 *seeds, __u32 seed_cnt);

/* Then: which of these are lost, seeds included. In reach->list. Costs their arcs. */
void reach__lose(struct reach *reach);

enum reach_state { REACH_SEED = 0, REACH_DOUBT, REACH_RESTORED }; /* else not in question */

/* After reach__lose(). */
static inline bool reach__is_lost(const struct reach *reach, __u32 node)
{
	return reach->mark[node] - 3 * reach->asked < REACH_RESTORED;
}

#endif
