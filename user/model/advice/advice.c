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
#include "model/advice/advice_more.h"

#define GAIN_MIN_NS 1000000   /* below a millisecond nobody moves an import */
#define GAIN_MIN_PCT 1        /* of all imports */
#define SAME_PCT 90           /* of the gain of the statement above */

/* One statement and what it would bring. */
struct candidate {
	__u32 stmt;
	struct gain gain;
	bool is_own;
	__u32 lost_cnt; /* nodes that are lost without it */
	__u32 above; /* nearest candidate without which it is lost as well, or GRAPH_NONE */
	__u64 parts_ns; /* gains of the candidates right below it */
	bool is_same;   /* a candidate below brings the same */
};

struct candidates {
	struct candidate *all;
	__u32 cnt;
	__u32 *of_stmt; /* index + 1 by statement; 0 = none */
};

static __u64 least_gain(const struct gains *gains)
{
	__u64 ns = gains->imports_ns / 100 * GAIN_MIN_PCT;

	return ns > GAIN_MIN_NS ? ns : GAIN_MIN_NS;
}

/* Dearest first: on a graph so huge that time ends it is the cheap ones that were not tried. */
struct order {
	__u32 stmt;
	__u64 wall_ns; /* of what it asks for */
};

static int cmp_order(const void *a, const void *b)
{
	const struct order *x = a, *y = b;

	if (x->wall_ns != y->wall_ns)
		return x->wall_ns > y->wall_ns ? -1 : 1;
	return x->stmt < y->stmt ? -1 : x->stmt > y->stmt;
}

static int order_stmts(const struct graph *graph, struct order **out)
{
	struct order *order = calloc(graph->stmt_cnt + 1, sizeof(*order));

	if (!order)
		return -ENOMEM;
	for (__u32 i = 0; i < graph->stmt_cnt; i++) {
		const struct graph_stmt *stmt = &graph->stmts[i];

		order[i].stmt = i;
		for (__u32 k = graph->out_at[stmt->first_run];
		     k < graph->out_at[stmt->first_run + stmt->run_cnt]; k++) {
			const struct load *load = graph__load(graph, graph->out[k]);

			if (load && load->wall_ns != NS_UNKNOWN)
				order[i].wall_ns += load->wall_ns;
		}
	}
	qsort(order, graph->stmt_cnt, sizeof(*order), cmp_order);
	*out = order;
	return 0;
}

static int find_candidates(struct advice *advice, struct candidates *out)
{
	const struct gains *gains = advice->gains;
	const struct graph *graph = gains->graph;
	_cleanup_free_ struct order *order = NULL;
	__u64 min_ns = least_gain(gains);

	out->all = calloc(graph->stmt_cnt + 1, sizeof(*out->all));
	out->of_stmt = calloc(graph->stmt_cnt + 1, sizeof(*out->of_stmt));
	advice->stmt_ns = calloc(graph->stmt_cnt + 1, sizeof(*advice->stmt_ns));
	if (!out->all || !out->of_stmt || !advice->stmt_ns || order_stmts(graph, &order))
		return -ENOMEM;
	for (__u32 i = 0; i < graph->stmt_cnt; i++) {
		const struct graph_stmt *stmt = &graph->stmts[order[i].stmt];
		struct gain gain;

		advice->is_cut = !gains__has_time(gains);
		if (advice->is_cut)
			break;
		gains__of_stmt(gains, order[i].stmt, min_ns, &gain);
		advice->stmt_ns[order[i].stmt] = gain.ns;
		if (gain.ns < min_ns)
			continue;
		out->all[out->cnt++] = (struct candidate){
			.stmt = order[i].stmt, .gain = gain, .lost_cnt = gains->reach->cnt,
			.is_own = file_is_own(stmt->site.file), .above = GRAPH_NONE };
		out->of_stmt[order[i].stmt] = out->cnt;
	}
	return 0;
}

/* Where the program itself has nothing to offer, it is a package that was started. */
static void choose_own(struct candidates *candidates)
{
	__u32 kept = 0;
	bool has_own = false;

	for (__u32 i = 0; i < candidates->cnt; i++)
		has_own |= candidates->all[i].is_own;
	for (__u32 i = 0; i < candidates->cnt; i++) {
		candidates->of_stmt[candidates->all[i].stmt] = 0;
		if (!has_own || candidates->all[i].is_own) {
			candidates->all[kept++] = candidates->all[i];
			candidates->of_stmt[candidates->all[i].stmt] = kept;
		}
	}
	candidates->cnt = kept;
}

static bool is_lost_stmt(const struct gains *gains, const struct graph_stmt *stmt)
{
	for (__u32 i = 0; i < stmt->run_cnt; i++)
		if (!reach__is_lost(gains->reach, stmt->first_run + i))
			return false;
	return true;
}

/* Of those without which it is lost the nearest loses least. */
static void relate_one(const struct gains *gains, struct candidates *candidates, __u32 above)
{
	const struct graph *graph = gains->graph;
	struct candidate *all = candidates->all;
	struct gain gain;

	gains__of_stmt(gains, all[above].stmt, 0, &gain);
	for (__u32 i = 0; i < gains->reach->cnt; i++) {
		const struct graph_run *run = graph__run(graph, gains->reach->list[i]);
		__u32 below = run ? candidates->of_stmt[run->stmt] : 0;

		if (!below || all[below - 1].lost_cnt >= all[above].lost_cnt ||
		    !is_lost_stmt(gains, &graph->stmts[run->stmt]))
			continue;
		below--;
		if (all[below].above == GRAPH_NONE ||
		    all[all[below].above].lost_cnt > all[above].lost_cnt)
			all[below].above = above;
	}
}

static void relate(const struct gains *gains, struct candidates *candidates)
{
	for (__u32 i = 0; i < candidates->cnt; i++)
		relate_one(gains, candidates, i);
	for (__u32 i = 0; i < candidates->cnt; i++) {
		struct candidate *it = &candidates->all[i], *above;

		if (it->above == GRAPH_NONE)
			continue;
		above = &candidates->all[it->above];
		above->parts_ns += it->gain.ns;
		above->is_same |= it->gain.ns >= above->gain.ns / 100 * SAME_PCT;
	}
}

/* The dearest of the loads that a statement asks for. */
static const struct load *dearest_of(const struct graph *graph, const struct graph_stmt *stmt)
{
	const struct load *best = NULL;

	for (__u32 run = stmt->first_run; run < stmt->first_run + stmt->run_cnt; run++) {
		for (__u32 k = graph->out_at[run]; k < graph->out_at[run + 1]; k++) {
			const struct load *load = graph__load(graph, graph->out[k]);

			if (load && load->wall_ns != NS_UNKNOWN &&
			    (!best || load->wall_ns > best->wall_ns))
				best = load;
		}
	}
	return best;
}

/* A statement of a function: the load whose body called it, where that is another's. */
static const struct load *caller_of(const struct graph *graph, const struct graph_stmt *stmt)
{
	const struct load *load = graph__load(graph, graph__run(graph, stmt->first_run)->src);

	return load && load->module && stmt->site.module &&
	       strcmp(load->module, stmt->site.module) ? load : NULL;
}

static enum confidence confidence_of(const struct advice *advice, const struct gain *gain)
{
	const struct process *process = advice->gains->graph->process;

	if (!advice->gains->has_edges || process->is_late || process->is_switching)
		return CONFIDENCE_LOW;
	return gain->least_ns >= gain->ns / 100 * SAME_PCT ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
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
		finding->stmt = it->stmt;
		finding->load = dearest_of(graph, stmt);
		finding->caller = caller_of(graph, stmt);
		finding->gain = it->gain;
		finding->confidence = confidence_of(advice, &it->gain);
		finding->is_group = it->parts_ns >= it->gain.ns / 100 * SAME_PCT;
		if (add_same(graph, candidates, it, finding))
			return -ENOMEM;
	}
	return 0;
}

static int cmp_findings(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int order = (int)x->rule - (int)y->rule;
	__u64 x_ns, y_ns;

	if (order)
		return order;
	if (x->is_group != y->is_group)
		return x->is_group ? 1 : -1;
	x_ns = x->rule == FINDING_DEFER || !x->load ? x->gain.ns : x->load->wall_ns;
	y_ns = y->rule == FINDING_DEFER || !y->load ? y->gain.ns : y->load->wall_ns;
	if (x_ns != y_ns)
		return x_ns > y_ns ? -1 : 1;
	order = strcmp(x->site.file ? x->site.file : "", y->site.file ? y->site.file : "");
	return order ? order : x->site.line - y->site.line;
}

static int find_all(struct advice *advice)
{
	struct candidates candidates = {};
	int err = find_candidates(advice, &candidates);

	if (!err) {
		choose_own(&candidates);
		relate(advice->gains, &candidates);
		err = add_defer(advice, &candidates);
	}
	if (!err)
		err = advice_add_no_gain(advice, least_gain(advice->gains));
	if (!err)
		err = advice_add_observed(advice, least_gain(advice->gains));
	if (!err)
		err = advice_add_effects(advice, advice->gains->graph->process);
	if (!err)
		err = advice_add_late(advice, advice->gains->graph->process);
	if (!err)
		err = advice_add_risks(advice);
	if (!err)
		err = advice_add_same(advice, advice->gains->graph->process);
	if (!err)
		err = advice_find_packages(advice, least_gain(advice->gains));
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
		free(advice->findings[i].risks);
	}
	risks_free(&advice->risks);
	for (size_t i = 0; i < advice->package_cnt; i++)
		free((char *)advice->packages[i].name);
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
