// SPDX-License-Identifier: BSD-2-Clause
/* Arcs by where they begin, by where they end, and runs by their own module. */
#include <errno.h>
#include <stdlib.h>

#include "model/graph/graph_build.h"

static int cmp_arcs(const void *a, const void *b)
{
	const struct arc *x = a, *y = b;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

/* Returns how many are left. */
static size_t sort_arcs(struct arc *arcs, size_t arc_cnt)
{
	size_t kept = 0;

	qsort(arcs, arc_cnt, sizeof(*arcs), cmp_arcs);
	for (size_t i = 0; i < arc_cnt; i++)
		if (!i || cmp_arcs(&arcs[i], &arcs[i - 1]))
			arcs[kept++] = arcs[i];
	return kept;
}

static int index_arcs(struct graph *graph, const struct arc *arcs, size_t arc_cnt)
{
	graph->out_at = calloc(graph->node_cnt + 1, sizeof(__u32));
	graph->in_at = calloc(graph->node_cnt + 2, sizeof(__u32));
	graph->out = calloc(arc_cnt + 1, sizeof(__u32));
	graph->in = calloc(arc_cnt + 1, sizeof(__u32));
	if (!graph->out_at || !graph->in_at || !graph->out || !graph->in)
		return -ENOMEM;
	for (size_t i = 0; i < arc_cnt; i++) {
		graph->out_at[arcs[i].from + 1]++;
		graph->in_at[arcs[i].to + 2]++;
		graph->out[i] = arcs[i].to; /* sorted by from */
	}
	for (__u32 n = 0; n < graph->node_cnt; n++) {
		graph->out_at[n + 1] += graph->out_at[n];
		graph->in_at[n + 2] += graph->in_at[n + 1];
	}
	/* Filling moves each start to its end, which is the next one's start. */
	for (size_t i = 0; i < arc_cnt; i++)
		graph->in[graph->in_at[arcs[i].to + 1]++] = arcs[i].from;
	return 0;
}

static int index_own(struct graph *graph)
{
	graph->own_at = calloc(graph->node_cnt + 2, sizeof(__u32));
	graph->own = calloc(graph->run_cnt + 1, sizeof(__u32));
	if (!graph->own_at || !graph->own)
		return -ENOMEM;
	for (__u32 i = 0; i < graph->run_cnt; i++)
		if (graph->runs[i].own != GRAPH_NONE)
			graph->own_at[graph->runs[i].own + 2]++;
	for (__u32 n = 0; n < graph->node_cnt; n++)
		graph->own_at[n + 2] += graph->own_at[n + 1];
	for (__u32 i = 0; i < graph->run_cnt; i++)
		if (graph->runs[i].own != GRAPH_NONE)
			graph->own[graph->own_at[graph->runs[i].own + 1]++] =
				1 + graph->load_cnt + i;
	return 0;
}

int graph_index(struct graph *graph, struct arc *arcs, size_t arc_cnt)
{
	int err = index_arcs(graph, arcs, sort_arcs(arcs, arc_cnt));

	return err ? err : index_own(graph);
}
