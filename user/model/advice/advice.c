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
#define STMTS_SLOW_MAX 300    /* statements that ran in several places: each costs walks */

/* One statement and what it would bring. */
struct candidate {
	__u32 stmt;
	struct gain gain;
	bool is_own;
	__u32 above; /* nearest candidate that dominates it, or GRAPH_NONE */
	__u64 parts_ns; /* gains of the candidates right below it */
	bool is_same;   /* a candidate below brings the same */
};

struct candidates {
	struct candidate *all;
	__u32 cnt;
	__u32 *of_stmt; /* index + 1 by statement; 0 = none */
};

bool file_is_own(const char *file)
{
	const char *lib;

	if (!file || !strncmp(file, "<frozen", 7) || strstr(file, "/site-packages/") ||
	    strstr(file, "/dist-packages/"))
		return false;
	lib = strstr(file, "/lib/python");
	return !lib || !(lib[11] >= '2' && lib[11] <= '9');
}

static __u64 least_gain(const struct gains *gains)
{
	__u64 ns = gains->imports_ns / 100 * GAIN_MIN_PCT;

	return ns > GAIN_MIN_NS ? ns : GAIN_MIN_NS;
}

/* No more than this can vanish: all that it asks for, with what that loaded. */
static __u64 bound_of(const struct graph *graph, const struct graph_stmt *stmt)
{
	__u64 ns = 0;

	for (__u32 run = stmt->first_run; run < stmt->first_run + stmt->run_cnt; run++) {
		for (__u32 k = graph->out_at[run]; k < graph->out_at[run + 1]; k++) {
			const struct load *load = graph__load(graph, graph->out[k]);

			if (load && load->wall_ns != NS_UNKNOWN)
				ns += load->wall_ns;
		}
	}
	return ns;
}

static int find_candidates(const struct gains *gains, struct candidates *out)
{
	const struct graph *graph = gains->graph;
	__u64 min_ns = least_gain(gains);
	__u32 slow = 0, slow_max = gains__walks(gains, STMTS_SLOW_MAX);

	out->all = calloc(graph->stmt_cnt + 1, sizeof(*out->all));
	out->of_stmt = calloc(graph->stmt_cnt + 1, sizeof(*out->of_stmt));
	if (!out->all || !out->of_stmt)
		return -ENOMEM;
	for (__u32 i = 0; i < graph->stmt_cnt; i++) {
		const struct graph_stmt *stmt = &graph->stmts[i];
		struct gain gain;

		if (stmt->run_cnt > 1 &&
		    (bound_of(graph, stmt) < min_ns || slow++ >= slow_max))
			continue;
		if (gains__of_stmt(gains, i, &gain))
			return -ENOMEM;
		if (gain.ns < min_ns)
			continue;
		out->all[out->cnt++] = (struct candidate){ i, gain, file_is_own(stmt->site.file),
							   GRAPH_NONE, 0, false };
		out->of_stmt[i] = out->cnt;
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

static void relate(const struct gains *gains, struct candidates *candidates)
{
	for (__u32 i = 0; i < candidates->cnt; i++) {
		struct candidate *it = &candidates->all[i];
		__u32 node = gains->graph->stmts[it->stmt].first_run;

		while (node != GRAPH_ROOT && it->above == GRAPH_NONE) {
			const struct graph_run *run;

			node = gains->dominators.idom[node];
			run = graph__run(gains->graph, node);
			if (run && run->stmt != it->stmt && candidates->of_stmt[run->stmt])
				it->above = candidates->of_stmt[run->stmt] - 1;
		}
		if (it->above == GRAPH_NONE)
			continue;
		candidates->all[it->above].parts_ns += it->gain.ns;
		if (it->gain.ns >= candidates->all[it->above].gain.ns / 100 * SAME_PCT)
			candidates->all[it->above].is_same = true;
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

struct finding *advice_add(struct advice *advice)
{
	struct finding *findings = advice->findings;

	if (advice->finding_cnt == advice->finding_cap) {
		size_t cap = advice->finding_cap ? 2 * advice->finding_cap : 16;

		findings = reallocarray(findings, cap, sizeof(*findings));
		if (!findings)
			return NULL;
		advice->findings = findings;
		advice->finding_cap = cap;
	}
	findings[advice->finding_cnt] = (struct finding){ .confidence = CONFIDENCE_HIGH };
	return &findings[advice->finding_cnt++];
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
	int err = find_candidates(advice->gains, &candidates);

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
	free(advice->findings);
	free(advice->packages);
	gains__free(advice->gains);
	free(advice);
}

void advice__freep(struct advice **advice)
{
	advice__free(*advice);
}
