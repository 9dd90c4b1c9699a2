// SPDX-License-Identifier: BSD-2-Clause
/*
 * Chains are searched backwards from the module, best first by length so far plus the distance to
 * the root, so that they come out shortest first. The number of chains can grow exponentially with
 * the graph: the search is bounded, and says so when it stops early.
 */
#include "model/graph/why.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define STEPS_MAX 2000000 /* partial chains looked at: 24 MB, well below a second */

/* A partial chain: this node, and what comes behind it on the way to the module. */
struct step {
	__u32 node, next; /* next: index of a step, GRAPH_NONE = the module itself */
	__u32 len;
};

struct search {
	const struct graph *graph;
	__u32 *distance;  /* from the root */
	struct step *steps;
	__u32 step_cnt, step_cap;
	__u32 *heap;      /* of steps, by cost, then by age */
	__u32 heap_cnt, heap_cap;
};

static int find_distances(const struct graph *graph, __u32 *distance)
{
	_cleanup_free_ __u32 *queue = calloc(graph->node_cnt, sizeof(*queue));
	__u32 head = 0, tail = 0;

	if (!queue)
		return -ENOMEM;
	for (__u32 i = 0; i < graph->node_cnt; i++)
		distance[i] = GRAPH_NONE;
	distance[GRAPH_ROOT] = 0;
	queue[tail++] = GRAPH_ROOT;
	while (head < tail) {
		__u32 node = queue[head++];

		for (__u32 k = graph->out_at[node]; k < graph->out_at[node + 1]; k++) {
			if (distance[graph->out[k]] != GRAPH_NONE)
				continue;
			distance[graph->out[k]] = distance[node] + 1;
			queue[tail++] = graph->out[k];
		}
	}
	return 0;
}

static bool is_before(const struct search *search, __u32 a, __u32 b)
{
	const struct step *x = &search->steps[a], *y = &search->steps[b];
	__u32 x_cost = x->len + search->distance[x->node];
	__u32 y_cost = y->len + search->distance[y->node];

	return x_cost != y_cost ? x_cost < y_cost : a < b;
}

static int heap_push(struct search *search, __u32 step)
{
	__u32 at = search->heap_cnt, parent, *heap;

	if (at == search->heap_cap) {
		search->heap_cap = search->heap_cap ? 2 * search->heap_cap : 256;
		heap = reallocarray(search->heap, search->heap_cap, sizeof(*heap));
		if (!heap)
			return -ENOMEM;
		search->heap = heap;
	}
	heap = search->heap;
	search->heap_cnt++;
	for (; at; at = parent) {
		parent = (at - 1) / 2;
		if (!is_before(search, step, heap[parent]))
			break;
		heap[at] = heap[parent];
	}
	heap[at] = step;
	return 0;
}

static __u32 heap_pop(struct search *search)
{
	__u32 *heap = search->heap, top = heap[0], last = heap[--search->heap_cnt], at = 0, child;

	while ((child = 2 * at + 1) < search->heap_cnt) {
		if (child + 1 < search->heap_cnt && is_before(search, heap[child + 1], heap[child]))
			child++;
		if (!is_before(search, heap[child], last))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = last;
	return top;
}

static int add_step(struct search *search, __u32 node, __u32 next)
{
	__u32 len = next == GRAPH_NONE ? 0 : search->steps[next].len + 1;

	if (search->step_cnt == search->step_cap) {
		__u32 cap = search->step_cap ? 2 * search->step_cap : 256;
		struct step *steps = reallocarray(search->steps, cap, sizeof(*steps));

		if (!steps)
			return -ENOMEM;
		search->steps = steps;
		search->step_cap = cap;
	}
	search->steps[search->step_cnt] = (struct step){ node, next, len };
	return heap_push(search, search->step_cnt++);
}

static bool is_in_chain(const struct search *search, __u32 step, __u32 node)
{
	for (; step != GRAPH_NONE; step = search->steps[step].next)
		if (search->steps[step].node == node)
			return true;
	return false;
}

static int expand(struct search *search, __u32 step)
{
	const struct graph *graph = search->graph;
	__u32 node = search->steps[step].node;
	int err = 0;

	for (__u32 k = graph->in_at[node]; !err && k < graph->in_at[node + 1]; k++) {
		__u32 from = graph->in[k];

		if (search->distance[from] != GRAPH_NONE && !is_in_chain(search, step, from))
			err = add_step(search, from, step);
	}
	return err;
}

/* The load itself, or the one that the statement ran in. */
static const struct load *load_at(const struct graph *graph, __u32 node)
{
	const struct graph_run *run = graph__run(graph, node);

	return graph__load(graph, run ? run->src : node);
}

/* @nodes: from the root to the module. */
static int keep_chain(const struct graph *graph, const __u32 *nodes, __u32 cnt, struct why *why)
{
	struct why_chain chain = { .has_loaded = true };

	if (why->chain_cnt == why->chain_cap) {
		size_t cap = why->chain_cap ? 2 * why->chain_cap : 16;
		struct why_chain *chains = reallocarray(why->chains, cap, sizeof(*chains));

		if (!chains)
			return -ENOMEM;
		why->chains = chains;
		why->chain_cap = cap;
	}
	chain.hops = calloc(cnt ?: 1, sizeof(*chain.hops));
	if (!chain.hops)
		return -ENOMEM;
	for (__u32 i = 1; i < cnt; i++) {
		const struct load *to = graph__load(graph, nodes[i]);
		struct why_hop *hop = &chain.hops[chain.hop_cnt];

		if (!to)
			continue; /* a run: told with what it asks for */
		*hop = (struct why_hop){
			.from = load_at(graph, nodes[i - 1]), .to = to,
			.stmt = graph__stmt(graph, nodes[i - 1]),
			.is_cached = graph->cause[nodes[i]] != nodes[i - 1],
		};
		/* A package on the way is loaded by its submodule's import, which is its parent. */
		hop->is_package = !hop->stmt && hop->from && hop->from->module && to->module &&
				  strcmp(hop->from->module, to->module) &&
				  name_is_in(hop->from->module, to->module);
		chain.has_loaded &= !hop->is_cached;
		chain.hop_cnt++;
	}
	why->chains[why->chain_cnt++] = chain;
	return 0;
}

static int keep_step(const struct search *search, __u32 step, __u32 *nodes, struct why *why)
{
	__u32 cnt = 0;

	for (; step != GRAPH_NONE; step = search->steps[step].next)
		nodes[cnt++] = search->steps[step].node;
	return keep_chain(search->graph, nodes, cnt, why);
}

/* The chain along which it was really loaded: always found, however many there are. */
static int keep_cause(const struct graph *graph, __u32 node, __u32 *nodes, struct why *why)
{
	__u32 cnt = 0, at = node;

	for (; at != GRAPH_ROOT; cnt++)
		at = graph__run(graph, at) ? graph__run(graph, at)->src : graph->cause[at];
	nodes[0] = GRAPH_ROOT;
	for (at = node; at != GRAPH_ROOT; cnt--) {
		nodes[cnt] = at;
		at = graph__run(graph, at) ? graph__run(graph, at)->src : graph->cause[at];
	}
	for (cnt = 1; nodes[cnt] != node; cnt++)
		;
	return keep_chain(graph, nodes, cnt + 1, why);
}

static int search_chains(struct search *search, size_t max, __u32 *nodes, struct why *why)
{
	size_t known = why->chain_cnt;
	int err = 0;

	while (search->heap_cnt && !err && why->chain_cnt <= max) {
		__u32 step = heap_pop(search);

		if (search->steps[step].node != GRAPH_ROOT) {
			if (search->step_cnt >= STEPS_MAX)
				break;
			err = expand(search, step);
			continue;
		}
		err = keep_step(search, step, nodes, why);
		/* The one that loaded it stands first already. */
		if (!err && why->chains[why->chain_cnt - 1].has_loaded && known) {
			free(why->chains[--why->chain_cnt].hops);
			known = 0;
		}
	}
	why->has_more = search->heap_cnt > 0;
	if (why->chain_cnt > max) {
		free(why->chains[--why->chain_cnt].hops);
		why->has_more = true;
	}
	return err;
}

static __u32 count_stmts(const struct graph *graph, __u32 node)
{
	__u32 cnt = 0, last = GRAPH_NONE;

	for (__u32 k = graph->in_at[node]; k < graph->in_at[node + 1]; k++) {
		const struct graph_run *run = graph__run(graph, graph->in[k]);

		if (run && run->stmt != last) /* in order of runs, which is that of statements */
			cnt++;
		last = run ? run->stmt : last;
	}
	return cnt;
}

int why_find(const struct graph *graph, const struct load *target, size_t max, struct why *out)
{
	__u32 node = graph_node_of(target);
	_cleanup_free_ __u32 *nodes = calloc(graph->node_cnt + 1, sizeof(*nodes));
	_cleanup_free_ __u32 *distance = calloc(graph->node_cnt, sizeof(*distance));
	struct search search = { .graph = graph, .distance = distance };
	int err = -ENOMEM;

	*out = (struct why){ .stmt_cnt = count_stmts(graph, node) };
	if (nodes && distance)
		err = find_distances(graph, distance);
	if (!err)
		err = keep_cause(graph, node, nodes, out);
	if (!err)
		err = add_step(&search, node, GRAPH_NONE);
	if (!err)
		err = search_chains(&search, max ? max : 1, nodes, out);
	free(search.steps);
	free(search.heap);
	if (err)
		why_clear(out);
	return err;
}

void why_clear(struct why *why)
{
	for (size_t i = 0; i < why->chain_cnt; i++)
		free(why->chains[i].hops);
	free(why->chains);
	*why = (struct why){};
}
