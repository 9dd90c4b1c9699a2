// SPDX-License-Identifier: BSD-2-Clause
/*
 * What may vanish as well. A function that imports was called by somebody, and of the callers only
 * the module whose body was running is known: if one that vanishes imports the function's module,
 * it may have been that which called it. And a LazyLoader's module runs for whoever uses it first;
 * whether the next one that imports it would use it is not known.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/graph/gains.h"

#define ROUNDS_MAX 4 /* what may vanish may have called others */

struct seeds {
	__u32 *nodes, cnt;
	bool *is_in; /* by node */
};

static bool is_body_of(const struct graph *graph, const struct graph_run *run)
{
	const struct graph_stmt *stmt = &graph->stmts[run->stmt];
	const struct load *src = graph__load(graph, run->src);

	return stmt->is_body && src && src->module && stmt->site.module &&
	       !strcmp(src->module, stmt->site.module);
}

/* Is it something lost that called a function of @module inside the load @src? */
static bool may_be_called_by_lost(const struct gains *gains, __u32 module, __u32 src)
{
	const struct graph *graph = gains->graph;
	struct reach *reach = gains->reach;
	bool found = false;

	for (__u32 k = graph->in_at[module]; k < graph->in_at[module + 1]; k++) {
		const struct graph_run *run = graph__run(graph, graph->in[k]);

		reach->steps++;
		if (!run || run->src == module)
			continue;
		if (reach__is_lost(reach, graph->in[k]))
			found = true;
		else if (run->src == src && is_body_of(graph, run))
			return false; /* who runs it has the module at hand itself */
	}
	return found;
}

static bool is_doubtful(const struct gains *gains, __u32 node)
{
	const struct graph_run *run = graph__run(gains->graph, node);
	const struct load *load = graph__load(gains->graph, node);

	if (reach__is_lost(gains->reach, node))
		return false;
	if (run)
		return may_be_called_by_lost(gains, run->own == GRAPH_NONE ? run->src : run->own,
					     run->src);
	return load->parent && reach__is_lost(gains->reach, graph_node_of(load->parent));
}

static bool is_call(const struct graph *graph, const struct graph_run *run)
{
	const struct graph_stmt *stmt = &graph->stmts[run->stmt];
	const struct load *src = graph__load(graph, run->src);

	return !stmt->is_body && !stmt->is_wrapper &&
	       (run->own != GRAPH_NONE || (src && src->via != VIA_MAIN));
}

int gains__know_calls(struct gains *gains)
{
	const struct graph *graph = gains->graph;

	gains->calls = calloc(graph->load_cnt + graph->run_cnt + 1, sizeof(*gains->calls));
	if (!gains->calls)
		return -ENOMEM;
	for (__u32 i = 0; i < graph->load_cnt; i++)
		if (graph->process->loads[i]->via == VIA_LAZY)
			gains->calls[gains->call_cnt++] = i + 1;
	for (__u32 i = 0; i < graph->run_cnt && gains->has_edges; i++)
		if (is_call(graph, &graph->runs[i]))
			gains->calls[gains->call_cnt++] = 1 + graph->load_cnt + i;
	return 0;
}

static void add_seed(struct seeds *seeds, __u32 node)
{
	if (!seeds->is_in[node])
		seeds->nodes[seeds->cnt++] = node;
	seeds->is_in[node] = true;
}

static void lose(const struct gains *gains, const struct seeds *seeds)
{
	reach__doubt(gains->reach, seeds->nodes, seeds->cnt);
	reach__lose(gains->reach);
}

int gains__most(const struct gains *gains, const __u32 *stmts, __u32 cnt, struct gain *gain)
{
	const struct graph *graph = gains->graph;
	_cleanup_free_ __u32 *nodes = calloc(graph->node_cnt, sizeof(*nodes));
	_cleanup_free_ bool *is_in = calloc(graph->node_cnt, sizeof(*is_in));
	struct seeds seeds = { nodes, 0, is_in };
	__u32 before = 0;

	if (!nodes || !is_in)
		return -ENOMEM;
	for (__u32 i = 0; i < cnt; i++)
		for (__u32 k = 0; k < graph->stmts[stmts[i]].run_cnt; k++)
			add_seed(&seeds, graph->stmts[stmts[i]].first_run + k);
	lose(gains, &seeds);
	for (int round = 0; round < ROUNDS_MAX && before != seeds.cnt; round++) {
		before = seeds.cnt;
		gains->reach->steps += gains->call_cnt;
		for (__u32 i = 0; i < gains->call_cnt && gains__has_time(gains); i++)
			if (is_doubtful(gains, gains->calls[i]))
				add_seed(&seeds, gains->calls[i]);
		lose(gains, &seeds);
	}
	gain->most_ns = gains__lost_ns(gains);
	if (gain->is_cut || !gains__has_time(gains))
		gain->most_ns = NS_UNKNOWN;
	return 0;
}
