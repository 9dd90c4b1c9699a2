/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What would vanish from a start-up without an import statement, a set of them, or a package:
 * the loads that nothing else leads to. Of a command that ran to its end all of it is meant.
 */
#ifndef MODEL_GRAPH_GAINS_H
#define MODEL_GRAPH_GAINS_H

#include "model/graph/graph.h"
#include "model/graph/reach.h"

struct gain {
	__u64 ns;        /* self time of the loads that vanish, on the thread that starts up */
	__u64 least_ns;  /* of these, what vanishes whatever else was not seen */
	__u64 most_ns;   /* with what may vanish as well: gains__most() tells it */
	__s64 bytes;     /* change of resident memory by them, on all threads; 0 if not measured */
	__u32 modules;   /* modules that vanish; imports that failed are not counted */
	bool is_cut;     /* one of the loads did not end: its time is not known, nor in here */
};

struct gains {
	struct graph *graph;   /* of a service start-up only, of a command that ended all */
	struct graph *unseen;  /* the same nodes; GRAPH_UNSEEN */
	struct reach *reach, *sure; /* over these */
	__u32 *calls, call_cnt; /* nodes of which it is not known who called for them */
	__u32 *nodes;          /* 0, 1, 2 …: the runs of a statement are a piece of it */
	__u64 imports_ns;      /* self time of all loads that count */
	bool has_memory;       /* gain.bytes means something */
	bool has_lazy_finder;  /* a search computed for long, once or twice */
	bool has_edges;        /* cached imports were seen: without them gains are upper bounds */
};

/* The process must be finished and outlive it. 0 or -ENOMEM. */
int gains__new(const struct process *process, struct gains **out);
void gains__free(struct gains *gains); /* NULL-safe */
void gains__freep(struct gains **gains);

/* Does its self time count: is it on the way of the start-up? */
bool gains__counts(const struct gains *gains, const struct load *load);

/* Of a load that counts: the time that is gone without it. */
__u64 gains__ns(const struct gains *gains, const struct load *load);

/* May more questions be asked, or did they take so long that this must be it? */
bool gains__has_time(const struct gains *gains);

/*
 * Without these nodes. gains->reach tells then what vanishes, until the next question. With
 * @min_ns, a gain that is surely below is not computed, and zero.
 */
void gains__of_nodes(const struct gains *gains, const __u32 *nodes, __u32 cnt, __u64 min_ns,
		     struct gain *out);

/* Without several statements; indices into graph->stmts. 0 or -ENOMEM. */
int gains__of_stmts(const struct gains *gains, const __u32 *stmts, __u32 cnt, struct gain *out);

/* Before the first gains__most(): finds gains->calls. 0 or -ENOMEM. */
int gains__know_calls(struct gains *gains);

/* The time of what was lost by the last question. */
__u64 gains__lost_ns(const struct gains *gains);

/*
 * Asks for these statements once more: sets gain->most_ns (NS_UNKNOWN: a load did not end, or there
 * was no time to tell), and gains->reach tells then what may vanish. 0 or -ENOMEM.
 */
int gains__most(const struct gains *gains, const __u32 *stmts, __u32 cnt, struct gain *gain);

/* Without one statement; index into graph->stmts. */
void gains__of_stmt(const struct gains *gains, __u32 stmt, __u64 min_ns, struct gain *out);

/*
 * Without the nodes marked in @gone (graph->node_cnt of them); on return all that vanish are
 * marked. 0 or -ENOMEM.
 */
int gains__of_set(const struct gains *gains, bool *gone, struct gain *out);

/*
 * Marks the runs of all statements that lead into the package from outside of it. Returns how
 * many statements that are.
 */
__u32 gains__mark_package(const struct gains *gains, const char *package, bool *gone);

/*
 * The same for "file:line" (any end of a path that begins behind a slash), or for a package where
 * there is no such statement. 0: nothing of that name was imported.
 */
__u32 gains__mark(const struct gains *gains, const char *name, bool *gone);

#endif
