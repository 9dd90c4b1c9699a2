/* SPDX-License-Identifier: BSD-2-Clause */
/* Why is this module here? Every chain of import statements from the program to it. */
#ifndef MODEL_GRAPH_WHY_H
#define MODEL_GRAPH_WHY_H

#include "model/graph/graph.h"

/* One step: in the load `from` (NULL: outside of any), the statement asked for `to`. */
struct why_hop {
	const struct load *from, *to;
	const struct graph_stmt *stmt; /* NULL: nobody known, or `to` is the package of `from` */
	bool is_package;               /* the latter */
	bool is_cached;                /* it found the module loaded already */
};

struct why_chain {
	struct why_hop *hops; /* from the program to the module */
	__u32 hop_cnt;
	bool has_loaded;      /* along this one it was really loaded */
};

struct why {
	struct why_chain *chains; /* the one that loaded it, then the shortest first */
	size_t chain_cnt, chain_cap;
	bool has_more;            /* there are more than were asked for, or could be searched */
	__u32 stmt_cnt;           /* distinct statements that ask for the module itself */
};

/*
 * Chains to @target, at most @max. A chain passes each module once. Of those of equal length the
 * ones through statements that come first by file and line come first. 0 or -ENOMEM.
 */
int why_find(const struct graph *graph, const struct load *target, size_t max, struct why *out);
void why_clear(struct why *why);

#endif
