/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The import graph of one process: who leads to what, cached imports included. Unlike the tree of
 * loads, in which each module hangs below whoever asked first, it tells what else would have
 * loaded it.
 */
#ifndef MODEL_GRAPH_GRAPH_H
#define MODEL_GRAPH_GRAPH_H

#include "model/model.h"

#define GRAPH_ROOT 0
#define GRAPH_NONE (~0U)

/* An import statement: a place that imports something, whatever and how often. */
struct graph_stmt {
	struct site site;
	const char *asked;        /* the module it names, or the first of them; NULL = unknown */
	__u32 first_run, run_cnt; /* nodes: its runs lie together */
	bool is_wrapper;          /* no statement: a wrapped __import__ passes on what others ask */
	bool is_body;             /* known to stand in the body of its module, not in a function */
};

/*
 * A statement as it ran inside one load: the same line of a function can run inside several. It
 * needs both: that load, whose body called it, and the module it stands in.
 */
struct graph_run {
	__u32 stmt;   /* index */
	__u32 src;    /* node of the load around it, or GRAPH_ROOT */
	__u32 own;    /* node of its own module, or GRAPH_NONE: src is that, or it is unknown */
	__u64 first_ns; /* when it first ran; NS_UNKNOWN */
};

/*
 * Nodes: GRAPH_ROOT, the loads by their seq, the runs. Arcs lead from a load to the runs inside
 * it, from a run to the loads it asked for, from a submodule to its package; the root leads to
 * what nobody is known to have asked for. Every node of these can be reached from the root.
 *
 * Of the names behind `from package import` eight are seen, and any of them may be a submodule.
 * With GRAPH_UNSEEN such a statement leads to all submodules of the package that were begun when it
 * first ran (the others it would have loaded): what is unreachable then is so for sure. They have
 * one node more per load, by seq, behind the runs: "this submodule, or one begun before it".
 */
enum graph_flag {
	GRAPH_STARTUP = 1 << 0, /* only what was asked for before the end of start-up, if known */
	GRAPH_UNSEEN = 1 << 1,
};

struct graph {
	const struct process *process;
	__u32 node_cnt, load_cnt, run_cnt, stmt_cnt;
	struct graph_stmt *stmts; /* by file, line, module */
	struct graph_run *runs;
	__u32 *out_at, *out;      /* out[out_at[n]] … out[out_at[n + 1] - 1]: where n leads to */
	__u32 *in_at, *in;
	__u32 *own_at, *own;      /* runs whose own module is n, where that is not around them */
	__u32 *cause;             /* by node: of a load, the node that really loaded it */
	struct load **by_name;    /* loads that did not fail, by module and seq */
	__u32 by_name_cnt;
	__u32 *name_at;           /* by seq: where in by_name; GRAPH_NONE */
	__u32 *name_cnt;          /* by place in by_name: loads so called; 0 = not the first one */
};

/* The process must be finished and outlive the graph. 0 or -ENOMEM. */
int graph__new(const struct process *process, unsigned int flags, struct graph **out);
void graph__free(struct graph *graph); /* NULL-safe */
void graph__freep(struct graph **graph);

static inline __u32 graph_node_of(const struct load *load)
{
	return load->seq + 1;
}

/* NULL: not a load. */
static inline struct load *graph__load(const struct graph *graph, __u32 node)
{
	return node && node <= graph->load_cnt ? graph->process->loads[node - 1] : NULL;
}

/* NULL: not a run. */
static inline const struct graph_run *graph__run(const struct graph *graph, __u32 node)
{
	return node > graph->load_cnt && node <= graph->load_cnt + graph->run_cnt ?
		       &graph->runs[node - graph->load_cnt - 1] : NULL;
}

/* NULL: not a run. */
static inline const struct graph_stmt *graph__stmt(const struct graph *graph, __u32 node)
{
	const struct graph_run *run = graph__run(graph, node);

	return run ? &graph->stmts[run->stmt] : NULL;
}

/* First load of that module that did not fail; NULL: none. */
struct load *graph__find(const struct graph *graph, const char *module);

/* Does @name lie in the package @package, or is it that itself? */
bool name_is_in(const char *name, const char *package);

#endif
