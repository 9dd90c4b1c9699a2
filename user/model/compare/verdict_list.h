/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to what judges budgets: the runs of one entry, and the verdicts on them. */
#ifndef MODEL_COMPARE_VERDICT_LIST_H
#define MODEL_COMPARE_VERDICT_LIST_H

#include "model/advice/advice.h"
#include "model/compare/budget.h"

struct runs {
	const struct budget_entry *entry;
	const struct process **processes; /* one per run that has one */
	size_t cnt;
	const struct model **models;      /* that they are of */
	struct graph **graphs;            /* to find modules by name */
	__u64 *values;                    /* scratch, as many */
	__u64 *by_run;                    /* scratch: of each run; NS_UNKNOWN = it has none */
};

/* verdict_list.c: a new one that holds, of the first run. NULL: out of memory. */
struct verdict *verdict_add(struct verdicts *result, const struct runs *runs,
			    enum verdict_kind kind);
/* It is told of that run. */
void verdict_tell(struct verdict *verdict, const struct runs *runs, size_t run);
/* What holds, or could not be told, does not where one of the runs has not recorded all @groups. */
void verdict_needs(struct verdict *verdict, const struct runs *runs, __u32 groups);

/* verdict_packages.c: `forbid` and `allow`. 0 or -ENOMEM. */
int verdict_forbidden(struct verdicts *result, const struct runs *runs);
int verdict_allowed(struct verdicts *result, const struct runs *runs);

/* verdict_behaviour.c: `circular`, `compile` and `network`. 0 or -ENOMEM. */
int verdict_circular(struct verdicts *result, const struct runs *runs);
int verdict_compile(struct verdicts *result, const struct runs *runs);
int verdict_network(struct verdicts *result, const struct runs *runs);

#endif
