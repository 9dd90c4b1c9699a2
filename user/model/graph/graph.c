// SPDX-License-Identifier: BSD-2-Clause
/* The graph as others see it: made and freed. */
#include "model/graph/graph_build.h"

#include <errno.h>
#include <stdlib.h>

int graph__new(const struct process *process, unsigned int flags, struct graph **out)
{
	struct graph *graph = calloc(1, sizeof(*graph));
	int err;

	if (!graph)
		return -ENOMEM;
	graph->process = process;
	graph->load_cnt = (__u32)process->load_cnt;
	err = graph_know_names(graph);
	if (!err)
		err = graph_build(graph, flags);
	if (err)
		graph__free(graph);
	else
		*out = graph;
	return err;
}

void graph__free(struct graph *graph)
{
	if (!graph)
		return;
	free(graph->stmts);
	free(graph->runs);
	free(graph->out_at);
	free(graph->out);
	free(graph->in_at);
	free(graph->in);
	free(graph->own_at);
	free(graph->own);
	free(graph->cause);
	free(graph->by_name);
	free(graph->name_at);
	free(graph->name_cnt);
	free(graph);
}

void graph__freep(struct graph **graph)
{
	graph__free(*graph);
}
