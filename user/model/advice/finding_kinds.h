/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to user/model/advice: the list of findings, and those that are no deferrals. */
#ifndef MODEL_ADVICE_FINDING_KINDS_H
#define MODEL_ADVICE_FINDING_KINDS_H

#include "model/advice/advice.h"

/* NULL: out of memory. Valid until the next one is added. */
struct finding *advice_add(struct advice *advice);

/* Of what vanishes without the statements asked for last: what shows that it was used. */
void advice_know_use(const struct gains *gains, struct finding *finding);

/*
 * The nearest caller of a function's statement in the program's own files; with @reach one that was
 * not lost by the last question. NULL: none was seen.
 */
const struct site *advice_caller(const struct edge *edge, const struct graph *graph,
				 const struct reach *reach);

enum confidence advice_confidence(const struct advice *advice, const struct gain *gain);

/* Statements that are only together all that leads to something dear. advice_sets.c */
int advice_add_together(struct advice *advice, __u64 min_ns);

/* Statements that loaded something dear without being the only ones that lead to it. */
int advice_add_no_gain(struct advice *advice, __u64 min_ns);

/* What was seen and needs no graph: compiled modules, cycles, failing imports. */
int advice_add_observed(struct advice *advice, __u64 min_ns);

/* What imports did beyond loading. */
int advice_add_effects(struct advice *advice, const struct process *process);

/* Imports of a service that is ready. */
int advice_add_late(struct advice *advice, const struct process *process);

/* Lazy imports (3.15) that start-up loads nevertheless. */
int advice_add_lazy(struct advice *advice, const struct process *process);

/* What was seen that may be meant to happen at start-up, for each statement to defer. */
int advice_add_risks(struct advice *advice);

/* Files of one content. */
int advice_add_same(struct advice *advice, const struct process *process);

int advice_find_packages(struct advice *advice, __u64 min_ns);

#endif
