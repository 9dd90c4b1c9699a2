// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which statements are worth a finding. Of a chain of statements that bring the same the last one
 * in the program's own files is told, since it is the most precise; one whose gain is the sum of
 * others is a group.
 */
#include "model/advice/advice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/advice/advice_candidates.h"
#include "model/advice/finding_kinds.h"
#include "model/program.h"

/* A statement of a function: the load whose body called it, where that is another's. */
static const struct load *caller_of(const struct graph *graph, const struct graph_stmt *stmt)
{
	const struct load *load = graph__load(graph, graph__run(graph, stmt->first_run)->src);

	return load && load->module && stmt->site.module &&
	       strcmp(load->module, stmt->site.module) ? load : NULL;
}

static int add_same(const struct graph *graph, const struct candidates *candidates,
		    const struct candidate *it, struct finding *finding)
{
	__u32 cnt = 0;

	for (__u32 at = it->above; at != GRAPH_NONE && candidates->all[at].is_same &&
	     it->gain.ns >= candidates->all[at].gain.ns / 100 * SAME_PCT;
	     at = candidates->all[at].above)
		cnt++;
	if (!cnt)
		return 0;
	finding->same = calloc(cnt, sizeof(struct graph_stmt *));
	if (!finding->same)
		return -ENOMEM;
	for (__u32 at = it->above; finding->same_cnt < cnt; at = candidates->all[at].above)
		finding->same[finding->same_cnt++] = &graph->stmts[candidates->all[at].stmt];
	return 0;
}

static int add_defer(struct advice *advice, const struct candidates *candidates)
{
	const struct graph *graph = advice->gains->graph;
	struct gain again;

	for (__u32 i = 0; i < candidates->cnt; i++) {
		const struct candidate *it = &candidates->all[i];
		const struct graph_stmt *stmt = &graph->stmts[it->stmt];
		struct finding *finding;

		if (it->is_same)
			continue;
		finding = advice_add(advice);
		if (!finding)
			return -ENOMEM;
		finding->rule = FINDING_DEFER;
		finding->site = stmt->site;
		finding->stmts = calloc(1, sizeof(*finding->stmts));
		if (!finding->stmts)
			return -ENOMEM;
		finding->stmts[finding->stmt_cnt++] = it->stmt;
		gains__of_stmt(advice->gains, it->stmt, 0, &again);
		finding->load = stmt_dearest(graph, stmt, advice->gains->reach);
		advice_know_use(advice->gains, finding);
		finding->caller = caller_of(graph, stmt);
		finding->is_function = advice->gains->has_edges && !stmt->is_body;
		finding->is_entry = it->is_entry;
		finding->gain = it->gain;
		if (gains__most(advice->gains, finding->stmts, 1, &finding->gain))
			return -ENOMEM;
		finding->confidence = advice_confidence(advice, &finding->gain);
		finding->is_group = !it->gain.is_cut &&
				    it->parts_ns >= it->gain.ns / 100 * SAME_PCT;
		if (add_same(graph, candidates, it, finding))
			return -ENOMEM;
	}
	return 0;
}

static bool is_deferral(const struct finding *finding)
{
	return finding->rule == FINDING_DEFER || finding->rule == FINDING_TOGETHER;
}

/* What several statements would save stands among what single ones would. */
static int rank_of(const struct finding *finding)
{
	return finding->rule == FINDING_TOGETHER ? FINDING_DEFER : (int)finding->rule;
}

static int cmp_findings(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int order = rank_of(x) - rank_of(y);
	__u64 x_ns, y_ns;

	if (order)
		return order;
	if (x->is_entry != y->is_entry)
		return x->is_entry ? 1 : -1;
	if (x->is_group != y->is_group)
		return x->is_group ? 1 : -1;
	if (!x->used != !y->used) /* its cost moves: nothing is saved */
		return x->used ? 1 : -1;
	x_ns = is_deferral(x) || !x->load ? x->gain.ns : x->load->wall_ns;
	y_ns = is_deferral(y) || !y->load ? y->gain.ns : y->load->wall_ns;
	if (x_ns != y_ns)
		return x_ns > y_ns ? -1 : 1;
	order = strcmp(x->site.file ? x->site.file : "", y->site.file ? y->site.file : "");
	return order ? order : x->site.line - y->site.line;
}

/* The interpreter found no such file: no line of a program ran that could be another. */
static bool has_no_script(const struct process *process)
{
	if (process_program(process).kind != PROGRAM_SCRIPT || process->is_late ||
	    !process->has_exit || process->exit_signal || process->exit_code != 2)
		return false;
	for (size_t i = 0; i < process->load_cnt; i++)
		if (process->loads[i]->via == VIA_MAIN || process->loads[i]->is_inherited)
			return false;
	return true;
}

static int find_deferrals(struct advice *advice, struct candidates *candidates)
{
	int err = candidates_find(advice, candidates);

	if (!err)
		err = add_defer(advice, candidates);
	if (!err)
		err = advice_add_together(advice, advice_least_gain(advice->gains));
	if (!err)
		err = advice_add_no_gain(advice, advice_least_gain(advice->gains));
	return err ? err : advice_find_packages(advice, advice_least_gain(advice->gains));
}

static int find_all(struct advice *advice)
{
	struct candidates candidates = {};
	int err = 0;

	if (!has_no_script(advice->gains->graph->process))
		err = find_deferrals(advice, &candidates);
	if (!err)
		err = advice_add_observed(advice, advice_least_gain(advice->gains));
	if (!err)
		err = advice_add_effects(advice, advice->gains->graph->process);
	if (!err)
		err = advice_add_late(advice, advice->gains->graph->process);
	if (!err)
		err = advice_add_lazy(advice, advice->gains->graph->process);
	if (!err)
		err = advice_add_risks(advice);
	if (!err)
		err = advice_add_same(advice, advice->gains->graph->process);
	if (!err && advice->finding_cnt)
		qsort(advice->findings, advice->finding_cnt, sizeof(*advice->findings),
		      cmp_findings);
	free(candidates.all);
	free(candidates.of_stmt);
	return err;
}

int advice__new(const struct process *process, struct advice **out)
{
	_cleanup_(advice__freep) struct advice *advice = calloc(1, sizeof(*advice));
	int err = advice ? gains__new(process, &advice->gains) : -ENOMEM;

	if (!err)
		err = gains__know_calls(advice->gains);
	if (!err)
		err = find_all(advice);
	if (!err)
		*out = TAKE_PTR(advice);
	return err;
}

void advice__free(struct advice *advice)
{
	if (!advice)
		return;
	for (size_t i = 0; i < advice->finding_cnt; i++) {
		free(advice->findings[i].same);
		free(advice->findings[i].stmts);
		free(advice->findings[i].risks);
	}
	risks_free(&advice->risks);
	for (size_t i = 0; i < advice->package_cnt; i++)
		free((char *)advice->packages[i].name);
	free(advice->program);
	free(advice->stmt_ns);
	free(advice->findings);
	free(advice->packages);
	gains__free(advice->gains);
	free(advice);
}

void advice__freep(struct advice **advice)
{
	advice__free(*advice);
}
