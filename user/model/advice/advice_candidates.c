// SPDX-License-Identifier: BSD-2-Clause
/* Which statements are worth a finding, and which of them lose others. */
#include "model/advice/advice_candidates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/program.h"

#define GAIN_MIN_NS 1000000   /* below a millisecond nobody moves an import */
#define GAIN_MIN_PCT 1        /* of all imports */

__u64 advice_least_gain(const struct gains *gains)
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

static bool is_frozen(const char *file)
{
	return !strncmp(file, "<frozen", 7);
}

static bool is_customize(const char *module)
{
	return module && (!strcmp(module, "sitecustomize") || !strcmp(module, "usercustomize"));
}

static bool asks_for_customize(const struct graph *graph, const struct graph_stmt *stmt)
{
	const struct load *load = stmt_dearest(graph, stmt, NULL);

	return load && is_customize(load->module);
}

/*
 * Python's own, which nobody can take out: in a frozen module, or in the standard library and run
 * before the program could begin. A customize module (sitecustomize, usercustomize) is the user's.
 */
static bool is_of_python(const struct graph *graph, const struct graph_stmt *stmt)
{
	const struct startup *startup = &graph->process->startup;
	const char *file = stmt->site.file;

	if (!file || !file_is_of_library(file) || is_customize(stmt->site.module) ||
	    asks_for_customize(graph, stmt))
		return false;
	if (is_frozen(file))
		return true;
	for (__u32 i = 0; i < stmt->run_cnt; i++) {
		__u64 ns = graph__run(graph, stmt->first_run + i)->first_ns;

		if (startup->by == STARTUP_UNKNOWN || ns == NS_UNKNOWN || ns >= startup->run_ns)
			return false;
	}
	return true;
}

/* Nobody defers what is Python's own, nor what does not load: that is a finding of its own. */
static bool is_to_defer(const struct gains *gains, const struct graph_stmt *stmt)
{
	const struct load *load = stmt_dearest(gains->graph, stmt, gains->reach);

	return !stmt->is_wrapper && !(load && load_has_failed(load)) &&
	       !is_of_python(gains->graph, stmt);
}

static int try_all(struct advice *advice, struct candidates *out)
{
	const struct gains *gains = advice->gains;
	const struct graph *graph = gains->graph;
	_cleanup_free_ struct order *order = NULL;
	__u64 min_ns = advice_least_gain(gains);

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
		if (gain.ns < min_ns || !is_to_defer(gains, stmt))
			continue;
		out->all[out->cnt++] = (struct candidate){
			.stmt = order[i].stmt, .gain = gain, .lost_cnt = gains->reach->cnt,
			.is_own = file_is_own(stmt->site.file), .above = GRAPH_NONE };
		out->of_stmt[order[i].stmt] = out->cnt;
	}
	return 0;
}

/* Where greenlets switch, what the text imports is not known to be inside of `__main__`. */
bool stmt_is_of_text(const struct graph *graph, const struct graph_stmt *stmt)
{
	return process_program(graph->process).kind == PROGRAM_CODE && stmt->site.file &&
	       !strcmp(stmt->site.file, "<string>") && stmt->is_body && stmt->site.module &&
	       !strcmp(stmt->site.module, "__main__");
}

/* Whose statement is it? Nobody changes the standard library where something else can be. */
enum rank { RANK_LIBRARY = 0, RANK_PACKAGE, RANK_OWN };

static enum rank rank_of(const struct graph *graph, const struct candidate *it)
{
	const struct graph_stmt *stmt = &graph->stmts[it->stmt];

	if (it->is_own)
		return RANK_OWN;
	if (!stmt->site.file || !file_is_of_library(stmt->site.file) ||
	    is_customize(stmt->site.module) || asks_for_customize(graph, stmt))
		return RANK_PACKAGE;
	return RANK_LIBRARY;
}

/*
 * Of several statements of a text each is told by itself; a single one is how the program begins,
 * and what stands below it is told.
 */
static bool has_one_text(const struct gains *gains, const struct candidates *candidates)
{
	__u32 cnt = 0;

	for (__u32 i = 0; i < candidates->cnt; i++)
		cnt += stmt_is_of_text(gains->graph, &gains->graph->stmts[candidates->all[i].stmt]);
	return cnt == 1;
}

/* Where the program itself has nothing to offer, it is a package that was started. */
static int choose_own(struct advice *advice, struct candidates *candidates)
{
	const struct gains *gains = advice->gains;
	const struct graph_stmt *stmts = gains->graph->stmts;
	bool is_one_text = has_one_text(gains, candidates);
	enum rank best = RANK_LIBRARY;
	__u32 kept = 0;
	int err = candidates_find_entry(advice, candidates);

	for (__u32 i = 0; i < candidates->cnt; i++) {
		struct candidate *it = &candidates->all[i];
		const struct graph_stmt *stmt = &stmts[it->stmt];
		bool is_text = is_one_text && stmt_is_of_text(gains->graph, stmt);

		it->is_entry |= is_text || advice_is_entry(advice, stmt);
		it->is_own |= advice_is_of_program(advice, stmt);
		if (!is_text && rank_of(gains->graph, it) > best)
			best = rank_of(gains->graph, it);
	}
	for (__u32 i = 0; i < candidates->cnt; i++) {
		candidates->of_stmt[candidates->all[i].stmt] = 0;
		if (rank_of(gains->graph, &candidates->all[i]) >= best) {
			candidates->all[kept++] = candidates->all[i];
			candidates->of_stmt[candidates->all[i].stmt] = kept;
		}
	}
	candidates->cnt = kept;
	return err;
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
		/* Of what did not end more would be saved, nobody knows how much. */
		above->is_same |= it->gain.is_cut == above->gain.is_cut &&
				  it->gain.ns >= above->gain.ns / 100 * SAME_PCT;
	}
}

int candidates_find(struct advice *advice, struct candidates *out)
{
	int err = try_all(advice, out);

	if (err)
		return err;
	err = choose_own(advice, out);
	if (!err)
		relate(advice->gains, out);
	return err;
}
