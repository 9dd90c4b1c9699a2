// SPDX-License-Identifier: BSD-2-Clause
/*
 * Dominators after Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm": sweeps over
 * the nodes in reverse postorder until nothing changes. No recursion: imports nest as the target
 * likes.
 */
#include "model/graph/dominators.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

/* Postorder of a depth-first walk; position of each node in it. */
static int number_nodes(const struct graph *graph, __u32 *postorder, __u32 *position)
{
	_cleanup_free_ __u32 *stack = calloc(graph->node_cnt, sizeof(*stack));
	_cleanup_free_ __u32 *next = calloc(graph->node_cnt, sizeof(*next));
	__u32 depth = 0, done = 0;

	if (!stack || !next)
		return -ENOMEM;
	for (__u32 i = 0; i < graph->node_cnt; i++) {
		next[i] = graph->out_at[i];
		position[i] = GRAPH_NONE;
	}
	stack[depth++] = GRAPH_ROOT;
	position[GRAPH_ROOT] = 0; /* seen; numbered when left */
	while (depth) {
		__u32 node = stack[depth - 1], to;

		if (next[node] == graph->out_at[node + 1]) {
			position[node] = done;
			postorder[done++] = node;
			depth--;
			continue;
		}
		to = graph->out[next[node]++];
		if (position[to] == GRAPH_NONE) {
			position[to] = 0;
			stack[depth++] = to;
		}
	}
	return (int)done;
}

static __u32 meet(const __u32 *idom, const __u32 *position, __u32 a, __u32 b)
{
	while (a != b) {
		while (position[a] < position[b])
			a = idom[a];
		while (position[b] < position[a])
			b = idom[b];
	}
	return a;
}

static bool sweep(const struct graph *graph, const __u32 *order, __u32 cnt, const __u32 *position,
		  __u32 *idom)
{
	bool has_changed = false;

	for (__u32 i = 1; i < cnt; i++) {
		__u32 node = order[i], best = GRAPH_NONE;

		for (__u32 k = graph->in_at[node]; k < graph->in_at[node + 1]; k++) {
			__u32 from = graph->in[k];

			if (idom[from] != GRAPH_NONE)
				best = best == GRAPH_NONE ? from : meet(idom, position, from, best);
		}
		if (idom[node] != best) {
			idom[node] = best;
			has_changed = true;
		}
	}
	return has_changed;
}

int dominators_find(const struct graph *graph, struct dominators *out)
{
	_cleanup_free_ __u32 *position = calloc(graph->node_cnt, sizeof(*position));
	_cleanup_free_ __u32 *order = calloc(graph->node_cnt, sizeof(*order));
	_cleanup_free_ __u32 *idom = calloc(graph->node_cnt, sizeof(*idom));
	int cnt;

	if (!position || !order || !idom)
		return -ENOMEM;
	cnt = number_nodes(graph, order, position);
	if (cnt < 0)
		return cnt;
	for (int i = 0; i < cnt / 2; i++) {
		__u32 node = order[i];

		order[i] = order[cnt - 1 - i];
		order[cnt - 1 - i] = node;
	}
	for (__u32 i = 0; i < graph->node_cnt; i++)
		idom[i] = GRAPH_NONE;
	idom[GRAPH_ROOT] = GRAPH_ROOT;
	while (sweep(graph, order, (__u32)cnt, position, idom))
		;
	*out = (struct dominators){ TAKE_PTR(idom), TAKE_PTR(order), (__u32)cnt };
	return 0;
}

void dominators_clear(struct dominators *dominators)
{
	free(dominators->idom);
	free(dominators->order);
	*dominators = (struct dominators){};
}

int graph_take_away(const struct graph *graph, bool *gone)
{
	_cleanup_free_ __u32 *stack = calloc(graph->node_cnt, sizeof(*stack));
	_cleanup_free_ bool *reached = calloc(graph->node_cnt, sizeof(*reached));
	__u32 depth = 0;

	if (!stack || !reached)
		return -ENOMEM;
	if (!gone[GRAPH_ROOT]) {
		reached[GRAPH_ROOT] = true;
		stack[depth++] = GRAPH_ROOT;
	}
	while (depth) {
		__u32 node = stack[--depth];

		for (__u32 k = graph->out_at[node]; k < graph->out_at[node + 1]; k++) {
			__u32 to = graph->out[k];

			if (reached[to] || gone[to])
				continue;
			reached[to] = true;
			stack[depth++] = to;
		}
	}
	for (__u32 i = 0; i < graph->node_cnt; i++)
		gone[i] = !reached[i];
	return 0;
}
