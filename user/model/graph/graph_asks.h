/* SPDX-License-Identifier: BSD-2-Clause */
/* "Inside this node, this place asked for that load": what the graph is made of. */
#ifndef MODEL_GRAPH_GRAPH_ASKS_H
#define MODEL_GRAPH_GRAPH_ASKS_H

#include "model/graph/graph.h"

struct ask {
	const struct site *site; /* NULL: nobody known */
	const char *asked;       /* what the statement there names; NULL: as little */
	__u32 src, dst;
	__u32 around;            /* node of the load in which it first ran */
	__u32 node;              /* of the run, once numbered */
	bool has_unseen, is_body, is_wrapped;
	bool is_once;            /* the statement ran once */
	bool is_hooked;          /* by a replaced __import__, through which all go */
	__u64 first_ns;          /* of its first run; NS_UNKNOWN */
};

/* The run of its statement; of what asks without one, the load that asks. */
static inline __u32 ask_from(const struct ask *ask)
{
	return ask->node ? ask->node : ask->src;
}

/* By file, line, module and instruction; NULL comes last. */
int asks_cmp_site(const struct site *a, const struct site *b);

/* By statement: the place is one, or in text that was executed, the place and what is asked for. */
int asks_cmp_stmt(const struct ask *a, const struct ask *b);

/* Two modules that ask for a node, other than itself; NULL: there are fewer. */
struct askers {
	const char *modules[2];
};

/* Fills @askers, one per node of a load, all zero before. */
void asks_list_askers(const struct graph *graph, const struct ask *asks, size_t ask_cnt,
		      struct askers *askers);

/*
 * A function that keeps what it has imported (sysconfig's are such) imports once, for whoever calls
 * it first. Who else has its module, @own's askers, may have called it as well.
 */
bool ask_may_have_others(const struct graph *graph, const struct ask *ask,
			 const struct askers *own);

/* For qsort: by statement, then src, then dst. */
int asks_cmp(const void *a, const void *b);

/*
 * A wrapper asks for what its caller names, and who names the same module is most often the same.
 * What is sure is less: anybody may have called it. Of asks, which are sorted, src and around
 * change places. One that is a replaced __import__ is told by what goes past it: nothing does.
 * 0 or -ENOMEM.
 */
int asks_settle_wrappers(const struct graph *graph, struct ask *asks, size_t ask_cnt);

#endif
