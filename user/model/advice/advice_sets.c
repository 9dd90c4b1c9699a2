// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sets of statements that are only together all that leads to something dear. Backwards from a dear
 * load, every way to it ends at a statement of the program: these are a set that cuts it off, of
 * which then all that is not needed is dropped.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/advice/advice_candidates.h"
#include "model/advice/finding_kinds.h"

#define TARGETS_MAX 60 /* dear loads that are tried */
#define NEW_PCT 50     /* of what a set brings, at least, must be in no finding yet */
#define SET_MAX 12     /* statements: nobody changes more for one finding */

struct sets {
	struct advice *advice;
	__u64 min_ns;
	bool *is_covered; /* by node: a finding brings it */
	bool *is_seen;    /* by node: of the search under way */
	__u32 *stack;
	__u32 set[SET_MAX], cnt;
};

static bool is_own(const struct advice *advice, const struct graph_stmt *stmt)
{
	const struct graph *graph = advice->gains->graph;
	const struct load *load = graph__load(graph, graph__run(graph, stmt->first_run)->src);

	if (stmt->is_wrapper || stmt_is_of_text(graph, stmt) || advice_is_entry(advice, stmt))
		return false;
	return file_is_own(stmt->site.file) || advice_is_of_program(advice, stmt) ||
	       (load && load->via == VIA_MAIN && stmt->is_body);
}

static bool add_to_set(struct sets *sets, __u32 stmt)
{
	for (__u32 i = 0; i < sets->cnt; i++)
		if (sets->set[i] == stmt)
			return true;
	if (sets->cnt == SET_MAX)
		return false;
	sets->set[sets->cnt++] = stmt;
	return true;
}

/* Every way to @target must end at a statement of the program's own. */
static bool find_cut(struct sets *sets, __u32 target)
{
	const struct graph *graph = sets->advice->gains->graph;
	__u32 depth = 0;

	memset(sets->is_seen, 0, graph->node_cnt * sizeof(*sets->is_seen));
	sets->cnt = 0;
	sets->stack[depth++] = target;
	sets->is_seen[target] = true;
	while (depth) {
		__u32 node = sets->stack[--depth];

		for (__u32 k = graph->in_at[node]; k < graph->in_at[node + 1]; k++) {
			__u32 from = graph->in[k];
			const struct graph_stmt *stmt = graph__stmt(graph, from);

			if (from == GRAPH_ROOT)
				return false;
			if (sets->is_seen[from])
				continue;
			sets->is_seen[from] = true;
			if (stmt && is_own(sets->advice, stmt)) {
				if (!add_to_set(sets, graph__run(graph, from)->stmt))
					return false;
				continue;
			}
			/* It needs both: its own module is what the program can do without. */
			if (stmt && graph__run(graph, from)->own != GRAPH_NONE) {
				from = graph__run(graph, from)->own;
				if (sets->is_seen[from])
					continue;
				sets->is_seen[from] = true;
			}
			sets->stack[depth++] = from;
		}
	}
	return sets->cnt > 1;
}

static int lose(const struct sets *sets, __u32 target, struct gain *gain, bool *is_lost)
{
	int err = gains__of_stmts(sets->advice->gains, sets->set, sets->cnt, gain);

	*is_lost = !err && reach__is_lost(sets->advice->gains->reach, target);
	return err;
}

/* Statements that run only because of others of the set, say. */
static int drop_needless(struct sets *sets, __u32 target, struct gain *gain, bool *is_lost)
{
	int err = lose(sets, target, gain, is_lost);

	for (__u32 i = 0; i < sets->cnt && *is_lost && !err;) {
		__u32 stmt = sets->set[i];
		struct gain less;
		bool is_still;

		sets->set[i] = sets->set[--sets->cnt];
		err = lose(sets, target, &less, &is_still);
		if (is_still)
			continue;
		sets->set[sets->cnt++] = sets->set[i];
		sets->set[i++] = stmt;
	}
	return err ? err : lose(sets, target, gain, is_lost);
}

static int cmp_u32(const void *a, const void *b)
{
	const __u32 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The package it belongs to, where that goes as well: a name people know. */
static const struct load *with_package(const struct gains *gains, const struct load *load)
{
	_cleanup_free_ char *name = strndup(load->module, strcspn(load->module, "."));
	const struct load *top = name ? graph__find(gains->graph, name) : NULL;

	return top && reach__is_lost(gains->reach, graph_node_of(top)) ? top : load;
}

static int add_finding(struct sets *sets, const struct load *load, const struct gain *gain)
{
	struct advice *advice = sets->advice;
	const struct graph *graph = advice->gains->graph;
	struct finding *finding = advice_add(advice);

	if (!finding)
		return -ENOMEM;
	finding->rule = FINDING_TOGETHER;
	finding->load = with_package(advice->gains, load);
	finding->gain = *gain;
	advice_know_use(advice->gains, finding);
	finding->stmts = calloc(sets->cnt, sizeof(*finding->stmts));
	if (!finding->stmts)
		return -ENOMEM;
	qsort(sets->set, sets->cnt, sizeof(*sets->set), cmp_u32); /* as statements: by place */
	memcpy(finding->stmts, sets->set, sets->cnt * sizeof(*finding->stmts));
	finding->stmt_cnt = sets->cnt;
	if (gains__most(advice->gains, finding->stmts, finding->stmt_cnt, &finding->gain))
		return -ENOMEM;
	finding->confidence = advice_confidence(advice, &finding->gain);
	finding->site = graph->stmts[sets->set[0]].site;
	return 0;
}

static void cover_lost(struct sets *sets)
{
	const struct reach *reach = sets->advice->gains->reach;

	for (__u32 i = 0; i < reach->cnt; i++)
		sets->is_covered[reach->list[i]] = true;
}

/* Of what is lost: the time that no finding brings yet. */
static __u64 new_ns(const struct sets *sets)
{
	const struct gains *gains = sets->advice->gains;
	__u64 ns = 0;

	for (__u32 i = 0; i < gains->reach->cnt; i++) {
		const struct load *load = graph__load(gains->graph, gains->reach->list[i]);

		if (load && !sets->is_covered[gains->reach->list[i]] && gains__counts(gains, load))
			ns += gains__ns(gains, load);
	}
	return ns;
}

static int try_target(struct sets *sets, const struct load *load)
{
	const __u64 *stmt_ns = sets->advice->stmt_ns;
	__u32 target = graph_node_of(load);
	__u64 alone_ns = 0;
	struct gain gain;
	bool is_lost;
	int err;

	if (!find_cut(sets, target))
		return 0;
	err = drop_needless(sets, target, &gain, &is_lost);
	if (err || !is_lost || sets->cnt < 2)
		return err;
	for (__u32 i = 0; i < sets->cnt; i++)
		alone_ns += stmt_ns[sets->set[i]];
	if (gain.ns < alone_ns + sets->min_ns || new_ns(sets) < gain.ns / 100 * NEW_PCT)
		return 0;
	cover_lost(sets);
	return add_finding(sets, load, &gain);
}

static int cmp_wall(const void *a, const void *b)
{
	const struct load *x = *(struct load *const *)a, *y = *(struct load *const *)b;
	bool x_own = file_is_own(x->file), y_own = file_is_own(y->file);

	if (x_own != y_own) /* what others made first: it is nearer to the cost */
		return x_own ? 1 : -1;
	if (x->wall_ns != y->wall_ns)
		return x->wall_ns > y->wall_ns ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* What single statements of findings bring needs no set. */
static int cover_singles(struct sets *sets)
{
	const struct advice *advice = sets->advice;
	struct gain gain;

	for (size_t i = 0; i < advice->finding_cnt; i++) {
		const struct finding *it = &advice->findings[i];

		if (it->rule != FINDING_DEFER || it->is_entry)
			continue;
		gains__of_stmt(advice->gains, it->stmts[0], 0, &gain);
		cover_lost(sets);
	}
	return 0;
}

static int find_sets(struct sets *sets)
{
	const struct gains *gains = sets->advice->gains;
	const struct graph *graph = gains->graph;
	_cleanup_free_ const struct load **dear = calloc(graph->load_cnt + 1, sizeof(*dear));
	__u32 cnt = 0, tried = 0;
	int err = dear ? cover_singles(sets) : -ENOMEM;

	for (__u32 i = 0; i < graph->load_cnt && !err; i++) {
		const struct load *load = graph->process->loads[i];

		if (load->wall_ns != NS_UNKNOWN && load->wall_ns >= sets->min_ns && load->module &&
		    load->result != LOAD_FAILED && gains__counts(gains, load))
			dear[cnt++] = load;
	}
	if (cnt)
		qsort(dear, cnt, sizeof(*dear), cmp_wall);
	for (__u32 i = 0; i < cnt && tried < TARGETS_MAX && gains__has_time(gains) && !err; i++) {
		if (sets->is_covered[graph_node_of(dear[i])])
			continue;
		tried++;
		err = try_target(sets, dear[i]);
	}
	return err;
}

int advice_add_together(struct advice *advice, __u64 min_ns)
{
	__u32 node_cnt = advice->gains->graph->node_cnt;
	struct sets sets = { .advice = advice, .min_ns = min_ns };
	_cleanup_free_ bool *is_covered = calloc(node_cnt, sizeof(*is_covered));
	_cleanup_free_ bool *is_seen = calloc(node_cnt, sizeof(*is_seen));
	_cleanup_free_ __u32 *stack = calloc(node_cnt, sizeof(*stack));

	sets.is_covered = is_covered;
	sets.is_seen = is_seen;
	sets.stack = stack;
	return is_covered && is_seen && stack ? find_sets(&sets) : -ENOMEM;
}
