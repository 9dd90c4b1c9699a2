// SPDX-License-Identifier: BSD-2-Clause
/*
 * The graph is a set of Horn clauses; what is reached is their least model. One derivation of every
 * node is kept, breadth first, so that it is short. Without some nodes only those are in doubt
 * whose derivation uses them, and of these what has another one is restored: a question costs as
 * much as hangs below what is taken away, not as much as the graph. No recursion: imports nest as
 * the target likes.
 */
#include "model/graph/reach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static bool is_reached(const struct reach *reach, __u32 node)
{
	return node == GRAPH_ROOT || reach->by[node] != GRAPH_NONE;
}

/* @from is reached: is @to now, too? */
static bool can_reach(const struct reach *reach, __u32 to)
{
	const struct graph_run *run = graph__run(reach->graph, to);

	return !run || (is_reached(reach, run->src) &&
			(run->own == GRAPH_NONE || is_reached(reach, run->own)));
}

static void reach_from(struct reach *reach, __u32 from, const __u32 *to, __u32 cnt, __u32 *tail)
{
	for (__u32 i = 0; i < cnt; i++) {
		if (is_reached(reach, to[i]) || !can_reach(reach, to[i]))
			continue;
		reach->by[to[i]] = from;
		reach->queue[(*tail)++] = to[i];
	}
}

static void spread(struct reach *reach, __u32 head, __u32 *tail)
{
	const struct graph *graph = reach->graph;

	while (head < *tail) {
		__u32 node = reach->queue[head++];

		reach_from(reach, node, &graph->out[graph->out_at[node]],
			   graph->out_at[node + 1] - graph->out_at[node], tail);
		reach_from(reach, node, &graph->own[graph->own_at[node]],
			   graph->own_at[node + 1] - graph->own_at[node], tail);
	}
}

/*
 * Everything was reached in the run that was traced. What is not reached here stands in a module
 * that is loaded by itself only, by its name: that need is dropped, of the earliest first.
 */
static void derive_all(struct reach *reach)
{
	struct graph *graph = reach->graph;
	__u32 tail = 0, before;

	reach->queue[tail++] = GRAPH_ROOT;
	spread(reach, 0, &tail);
	do {
		before = tail;
		for (__u32 i = 0; i < graph->run_cnt && tail < graph->node_cnt; i++) {
			struct graph_run *run = &graph->runs[i];
			__u32 node = 1 + graph->load_cnt + i, at = tail;

			if (is_reached(reach, node) || !is_reached(reach, run->src))
				continue;
			run->own = GRAPH_NONE;
			reach->by[node] = run->src;
			reach->queue[tail++] = node;
			spread(reach, at, &tail);
		}
	} while (tail != before);
}

static int index_deps(struct reach *reach)
{
	const struct graph *graph = reach->graph;
	__u32 *at = reach->dep_at;

	for (__u32 n = 1; n < graph->node_cnt; n++) {
		const struct graph_run *run = graph__run(graph, n);

		if (reach->by[n] == GRAPH_NONE)
			continue;
		at[(run ? run->src : reach->by[n]) + 2]++;
		if (run && run->own != GRAPH_NONE)
			at[run->own + 2]++;
	}
	for (__u32 n = 0; n < graph->node_cnt; n++)
		at[n + 2] += at[n + 1];
	reach->dep = calloc(at[graph->node_cnt + 1] + 1, sizeof(*reach->dep));
	if (!reach->dep)
		return -ENOMEM;
	/* Filling moves each start to its end, which is the next one's start. */
	for (__u32 n = 1; n < graph->node_cnt; n++) {
		const struct graph_run *run = graph__run(graph, n);

		if (reach->by[n] == GRAPH_NONE)
			continue;
		reach->dep[at[(run ? run->src : reach->by[n]) + 1]++] = n;
		if (run && run->own != GRAPH_NONE)
			reach->dep[at[run->own + 1]++] = n;
	}
	return 0;
}

int reach__new(struct graph *graph, struct reach **out)
{
	struct reach *reach = calloc(1, sizeof(*reach));
	int err = -ENOMEM;

	if (!reach)
		return -ENOMEM;
	reach->graph = graph;
	reach->by = calloc(graph->node_cnt, sizeof(__u32));
	reach->dep_at = calloc(graph->node_cnt + 2, sizeof(__u32));
	reach->mark = calloc(graph->node_cnt, sizeof(__u32));
	reach->list = calloc(graph->node_cnt, sizeof(__u32));
	reach->queue = calloc(graph->node_cnt, sizeof(__u32));
	if (reach->by && reach->dep_at && reach->mark && reach->list && reach->queue) {
		memset(reach->by, 0xff, graph->node_cnt * sizeof(__u32)); /* GRAPH_NONE */
		derive_all(reach);
		err = index_deps(reach);
	}
	if (err)
		reach__free(reach);
	else
		*out = reach;
	return err;
}

void reach__free(struct reach *reach)
{
	if (!reach)
		return;
	free(reach->by);
	free(reach->dep_at);
	free(reach->dep);
	free(reach->mark);
	free(reach->list);
	free(reach->queue);
	free(reach);
}

static void doubt(struct reach *reach, __u32 node, enum reach_state state)
{
	if (reach->mark[node] >= 3 * reach->asked)
		return;
	reach->mark[node] = 3 * reach->asked + state;
	reach->list[reach->cnt++] = node;
}

void reach__doubt(struct reach *reach, const __u32 *seeds, __u32 seed_cnt)
{
	reach->asked++;
	reach->cnt = 0;
	for (__u32 i = 0; i < seed_cnt; i++)
		doubt(reach, seeds[i], REACH_SEED);
	reach->seed_cnt = reach->cnt;
	for (__u32 i = 0; i < reach->cnt; i++) {
		__u32 node = reach->list[i];

		reach->steps += 1 + reach->dep_at[node + 1] - reach->dep_at[node];
		for (__u32 k = reach->dep_at[node]; k < reach->dep_at[node + 1]; k++)
			doubt(reach, reach->dep[k], REACH_DOUBT);
	}
}

static bool is_sure(const struct reach *reach, __u32 node)
{
	return is_reached(reach, node) && !reach__is_lost(reach, node);
}

/* Is there a way to the node that leads over nothing in doubt? */
static bool has_other_way(struct reach *reach, __u32 node)
{
	const struct graph *graph = reach->graph;
	const struct graph_run *run = graph__run(graph, node);

	if (run)
		return is_sure(reach, run->src) &&
		       (run->own == GRAPH_NONE || is_sure(reach, run->own));
	for (__u32 k = graph->in_at[node]; k < graph->in_at[node + 1]; k++) {
		reach->steps++;
		if (is_sure(reach, graph->in[k]))
			return true;
	}
	return false;
}

static void try_restore(struct reach *reach, __u32 node, __u32 *tail)
{
	if (reach->mark[node] != 3 * reach->asked + REACH_DOUBT || !has_other_way(reach, node))
		return;
	reach->mark[node] = 3 * reach->asked + REACH_RESTORED;
	reach->queue[(*tail)++] = node;
}

void reach__lose(struct reach *reach)
{
	const struct graph *graph = reach->graph;
	__u32 tail = 0, kept = 0;

	for (__u32 i = reach->seed_cnt; i < reach->cnt; i++)
		try_restore(reach, reach->list[i], &tail);
	for (__u32 head = 0; head < tail; head++) {
		__u32 node = reach->queue[head];

		reach->steps += graph->out_at[node + 1] - graph->out_at[node];
		for (__u32 k = graph->out_at[node]; k < graph->out_at[node + 1]; k++)
			try_restore(reach, graph->out[k], &tail);
		for (__u32 k = graph->own_at[node]; k < graph->own_at[node + 1]; k++)
			try_restore(reach, graph->own[k], &tail);
	}
	for (__u32 i = 0; i < reach->cnt; i++)
		if (reach__is_lost(reach, reach->list[i]))
			reach->list[kept++] = reach->list[i];
	reach->cnt = kept;
}
