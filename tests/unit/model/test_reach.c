// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is lost without a statement, or a set: against the definition tried out, on processes made
 * at random; and on one of 50,000 modules and 500,000 statements, in bounded work.
 */
#include <stdlib.h>
#include <string.h>

#include "model/advice/advice.h"
#include "model/graph/reach.h"
#include "unit.h"

#define LOADS_MAX 24
#define EDGES_MAX 60
#define NAME_SZ 256

static const struct pyi_charge no_charge;

/* A process as a trace would leave it, without the trace. */
struct made {
	struct process process;
	struct load *loads;
	struct edge *edges;
	char (*names)[NAME_SZ];
};

static void make(struct made *m, __u32 load_cnt, __u32 edge_cnt)
{
	*m = (struct made){ .loads = calloc(load_cnt, sizeof(*m->loads)),
			    .edges = calloc(edge_cnt + 1, sizeof(*m->edges)),
			    .names = calloc(load_cnt, sizeof(*m->names)) };
	m->process.loads = calloc(load_cnt, sizeof(struct load *));
	m->process.edges = calloc(edge_cnt + 1, sizeof(struct edge *));
	m->process.load_cnt = load_cnt;
	m->process.edge_cnt = edge_cnt;
	m->process.has_exit = true;
	m->process.tgid = 1;
	m->process.startup_end_ns = m->process.ready_ns = m->process.listen_ns = NS_UNKNOWN;
	for (__u32 i = 0; i < load_cnt; i++) {
		snprintf(m->names[i], sizeof(m->names[i]), i ? "m%u" : "__main__", i);
		m->process.loads[i] = &m->loads[i];
		m->loads[i] = (struct load){ .process = &m->process, .tid = 1, .seq = i,
			.module = m->names[i], .result = LOAD_LOADED, .wall_ns = 2000000,
			.via = i ? VIA_STATEMENT : VIA_MAIN, .start_ns = 1000 * i,
			.self_ns = 1000000ULL + i, .charge = &no_charge };
	}
	for (__u32 i = 0; i < edge_cnt; i++)
		m->process.edges[i] = &m->edges[i];
}

static void unmake(struct made *m)
{
	free(m->loads);
	free(m->edges);
	free(m->names);
	free(m->process.loads);
	free(m->process.edges);
}

/* Load @n hangs below an earlier one; who asked for it stands in any earlier one. */
static void hang(struct made *m, __u32 n, __u32 parent, __u32 own, int line)
{
	m->loads[n].parent = &m->loads[parent];
	m->loads[n].importer = (struct site){ .module = m->names[own], .file = m->names[own],
					       .line = line };
}

static void cached(struct made *m, __u32 e, __u32 around, __u32 own, int line, __u32 asked,
		   __u32 count)
{
	m->edges[e] = (struct edge){ .importer = { .module = m->names[own],
						   .file = m->names[own], .line = line },
				     .module = m->names[asked], .count = count, .cached = count,
				     .around = &m->loads[around] };
}

static void make_random(struct made *m)
{
	__u32 load_cnt = 2 + (__u32)rand() % (LOADS_MAX - 2), edge_cnt = (__u32)rand() % EDGES_MAX;

	make(m, load_cnt, edge_cnt);
	for (__u32 i = 2; i < load_cnt; i++) { /* some are submodules of others */
		__u32 package = 1 + (__u32)rand() % (i - 1);

		if (rand() % 2) {
			char of[100];

			snprintf(of, sizeof(of), "%.*s", (int)sizeof(of) - 1, m->names[package]);
			snprintf(m->names[i], NAME_SZ, "%s.m%u", of, i);
		}
	}
	for (__u32 i = 1; i < load_cnt; i++) {
		__u32 parent = (__u32)rand() % i;

		hang(m, i, parent, rand() % 3 ? parent : (__u32)rand() % i, 1 + rand() % 6);
	}
	for (__u32 i = 0; i < edge_cnt; i++) {
		__u32 around = (__u32)rand() % load_cnt;

		cached(m, i, around, rand() % 3 ? around : (__u32)rand() % load_cnt, 1 + rand() % 6,
		       (__u32)rand() % load_cnt, 1 + (__u32)rand() % 3);
		m->edges[i].has_unseen = rand() % 3 == 0;
		m->edges[i].first_ns = 1000 * ((__u64)rand() % load_cnt);
	}
}

/* The definition: nothing is there, then everything that can be, until nothing more can. */
static void try_out(const struct graph *graph, const bool *taken, bool *is_there)
{
	bool has_changed = true;

	memset(is_there, 0, graph->node_cnt);
	is_there[GRAPH_ROOT] = true;
	while (has_changed) {
		has_changed = false;
		for (__u32 n = 1; n < graph->node_cnt; n++) {
			const struct graph_run *run = graph__run(graph, n);
			bool can = false;

			if (is_there[n] || taken[n])
				continue;
			if (run)
				can = is_there[run->src] &&
				      (run->own == GRAPH_NONE || is_there[run->own]);
			for (__u32 k = graph->in_at[n]; !run && k < graph->in_at[n + 1]; k++)
				can |= is_there[graph->in[k]];
			is_there[n] = can;
			has_changed |= can;
		}
	}
}

/* @all: what is there with nothing taken; other nodes mean nothing. */
static void compare(struct reach *reach, const bool *all, const __u32 *seeds, __u32 cnt, int round)
{
	const struct graph *graph = reach->graph;
	bool taken[4 * LOADS_MAX + 4 * EDGES_MAX] = {}, is_there[4 * LOADS_MAX + 4 * EDGES_MAX];
	__u32 lost = 0;

	CHECK(graph->node_cnt <= sizeof(taken));
	for (__u32 i = 0; i < cnt; i++)
		taken[seeds[i]] = true;
	try_out(graph, taken, is_there);
	reach__doubt(reach, seeds, cnt);
	reach__lose(reach);
	for (__u32 n = 0; n < graph->node_cnt; n++) {
		if (reach__is_lost(reach, n) != (all[n] && !is_there[n]))
			FAIL("round %d: is node %u lost?", round, n);
		lost += all[n] && !is_there[n];
	}
	CHECK(reach->cnt == lost);
}

static void test_random(void)
{
	int lost_with_either = 0;

	srand(4711);
	for (int round = 0; round < 400; round++) {
		struct graph *graph;
		struct reach *reach;
		bool none[4 * LOADS_MAX + 4 * EDGES_MAX] = {}, is_there[sizeof(none)];
		struct made m;

		make_random(&m);
		CHECK(!graph__new(&m.process, round & 1 ? GRAPH_UNSEEN : 0, &graph));
		CHECK(!reach__new(graph, &reach));
		try_out(graph, none, is_there);
		for (__u32 n = 0; n < 1 + graph->load_cnt + graph->run_cnt; n++)
			CHECK(is_there[n]); /* everything was reached in the run that was traced */
		for (__u32 i = 0; i < graph->stmt_cnt; i++) {
			const struct graph_stmt *stmt = &graph->stmts[i];
			__u32 seeds[EDGES_MAX + LOADS_MAX], cnt = 0;

			for (; cnt < stmt->run_cnt; cnt++)
				seeds[cnt] = stmt->first_run + cnt;
			compare(reach, is_there, seeds, cnt, round);
			if (i) /* and with the statement before it */
				seeds[cnt++] = graph->stmts[i - 1].first_run;
			compare(reach, is_there, seeds, cnt, round);
		}
		for (__u32 i = 0; i < graph->run_cnt; i++)
			lost_with_either += graph->runs[i].own != GRAPH_NONE;
		reach__free(reach);
		graph__free(graph);
		unmake(&m);
	}
	CHECK(lost_with_either > 1000); /* it is these that were to be tried */
}

#define HUGE_LOADS 50000
#define HUGE_EDGES 500000

/* Chains of a hundred, each module asked for by ten statements, some of functions. */
static void test_huge(void)
{
	struct advice *advice;
	struct made m;

	srand(42);
	make(&m, HUGE_LOADS, HUGE_EDGES);
	for (__u32 i = 1; i < HUGE_LOADS; i++) {
		__u32 parent = i % 100 == 1 ? 0 : i - 1;

		hang(&m, i, parent, parent, 1 + (int)(i / 100));
	}
	for (__u32 i = 0; i < HUGE_EDGES; i++) {
		__u32 around = 1 + (__u32)rand() % (HUGE_LOADS - 1);

		__u32 own = i % 4 ? around : 1 + (__u32)rand() % (HUGE_LOADS - 1);
		__u32 near = 1 + (__u32)rand() % 500, asked = (__u32)rand() % HUGE_LOADS;

		if (around > 500 && i % 2)
			asked = around - near;
		cached(&m, i, around, own, 1000 + (int)(i % 30), asked,
		       1 + (i % 50 == 0) * 100000);
		m.edges[i].has_unseen = i % 5 == 0;
	}
	CHECK(!advice__new(&m.process, &advice));
	CHECK(advice->gains->graph->load_cnt == HUGE_LOADS);
	CHECK(advice->gains->graph->stmt_cnt > HUGE_EDGES / 2);
	CHECK(!advice->is_cut);
	CHECK(advice->gains->reach->steps + advice->gains->sure->steps < 50000000);
	advice__free(advice);
	unmake(&m);
}

int main(void)
{
	RUN(test_random);
	RUN(test_huge);
	return unit_result();
}
