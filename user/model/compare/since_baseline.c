// SPDX-License-Identifier: BSD-2-Clause
/* What broke a budget since a baseline: its value then, and the import that came. */
#include <errno.h>

#include "base/cleanup.h"
#include "model/compare/budget.h"
#include "model/compare/diff.h"
#include "model/graph/graph.h"

/* What counts modules is told by how many came, everything else by how long they took. */
static const struct diff_tree *find_tree(const struct diff_pair *pair, enum metric metric)
{
	const struct diff_tree *found = NULL;

	for (size_t i = 0; i < pair->came_cnt; i++) {
		const struct diff_tree *tree = &pair->came[i];

		if (!found || (metrics[metric].unit == UNIT_COUNT && tree->cnt > found->cnt))
			found = tree; /* by wall time: the first is the dearest */
	}
	return found;
}

/* Limits of the program are blamed on what came; all else has its culprit already. */
static void blame(struct verdict *verdict, const struct diff *diff, const struct process *before)
{
	for (size_t i = 0; i < diff->pair_cnt; i++) {
		const struct diff_pair *pair = &diff->pairs[i];
		const struct diff_tree *tree;

		if (pair->before != before || pair->after != verdict->process)
			continue;
		tree = find_tree(pair, verdict->metric);
		if (!tree)
			return;
		verdict->load = tree->top;
		verdict->came_cnt = tree->cnt;
	}
}

static int value_then(struct verdict *verdict, const struct process *before)
{
	_cleanup_(graph__freep) struct graph *graph = NULL;
	const struct load *load;
	int err;

	if (verdict->kind == VERDICT_LIMIT) {
		verdict->then = metric_against(before, verdict->metric, verdict->is_over_floor);
		verdict->modules_then = metric_of_process(before, METRIC_MODULES);
		return 0;
	}
	if (verdict->kind != VERDICT_MODULE || !verdict->what)
		return 0;
	err = graph__new(before, 0, &graph);
	load = err ? NULL : graph__find(graph, verdict->what);
	if (load)
		verdict->then = metric_of_load(load, verdict->metric);
	return err;
}

int check_since(struct verdicts *result, struct model *const *models, size_t cnt,
		const struct model *baseline)
{
	int err = 0;

	for (size_t k = 0; !err && k < cnt; k++) {
		_cleanup_(diff__freep) struct diff *diff = NULL;

		err = diff__new(baseline, models[k], &diff);
		for (size_t i = 0; !err && i < result->cnt; i++) {
			struct verdict *verdict = &result->all[i];
			const struct process *before =
				budget_find_process(verdict->entry, baseline);

			if (verdict->result != VERDICT_BROKEN || verdict->model != models[k] ||
			    !before)
				continue;
			err = value_then(verdict, before);
			if (!err && verdict->kind == VERDICT_LIMIT)
				blame(verdict, diff, before);
		}
	}
	return err;
}
