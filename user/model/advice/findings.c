// SPDX-License-Identifier: BSD-2-Clause
/* The list of findings; whose file one may be about, how sure it is, what shows use. */
#include "model/advice/advice_candidates.h"
#include "model/advice/finding_kinds.h"

#include <stdlib.h>
#include <string.h>

bool file_is_pth(const char *file)
{
	size_t len = file ? strlen(file) : 0;

	return len > 4 && !strcmp(file + len - 4, ".pth");
}

bool file_is_own(const char *file)
{
	const char *lib;

	if (!file || !strncmp(file, "<frozen", 7) || file_is_pth(file) || strstr(file, "/site-packages/") ||
	    strstr(file, "/dist-packages/"))
		return false;
	lib = strstr(file, "/lib/python");
	return !lib || !(lib[11] >= '2' && lib[11] <= '9');
}

bool file_is_of_library(const char *file)
{
	return !file_is_own(file) && !file_is_pth(file) && !strstr(file, "/site-packages/") &&
	       !strstr(file, "/dist-packages/");
}

const struct load *stmt_dearest(const struct graph *graph, const struct graph_stmt *stmt,
				const struct reach *reach)
{
	const struct load *best = NULL;
	bool is_best_lost = false;

	for (__u32 k = graph->out_at[stmt->first_run];
	     k < graph->out_at[stmt->first_run + stmt->run_cnt]; k++) {
		const struct load *load = graph__load(graph, graph->out[k]);
		bool is_lost = reach && reach__is_lost(reach, graph->out[k]);

		if (!load || load->wall_ns == NS_UNKNOWN || (is_best_lost && !is_lost) ||
		    (best && is_lost == is_best_lost && load->wall_ns <= best->wall_ns))
			continue;
		best = load;
		is_best_lost = is_lost;
	}
	return best;
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
	findings[advice->finding_cnt] = (struct finding){
		.confidence = CONFIDENCE_HIGH, .graph = advice->gains->graph };
	return &findings[advice->finding_cnt++];
}

enum confidence advice_confidence(const struct advice *advice, const struct gain *gain)
{
	const struct process *process = advice->gains->graph->process;

	if (!advice->gains->has_edges || process->is_late || process->is_switching)
		return CONFIDENCE_LOW;
	return gain->least_ns >= gain->ns / 100 * SAME_PCT && gain->most_ns != NS_UNKNOWN &&
			       gain->most_ns / 100 * SAME_PCT <= gain->ns ?
		       CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
}

const struct site *advice_caller(const struct edge *edge, const struct graph *graph,
				 const struct reach *reach)
{
	for (__u32 i = 0; i < edge->caller_cnt; i++) {
		const struct site *site = &edge->callers[i];
		const struct load *load = site->module ? graph__find(graph, site->module) : NULL;

		if (file_is_own(site->file) &&
		    !(reach && load && reach__is_lost(reach, graph_node_of(load))))
			return site;
	}
	return NULL;
}

/* A site's texts are interned. */
static bool is_at(const struct edge *edge, const struct site *site)
{
	return edge->importer.code == site->code && edge->importer.lasti == site->lasti &&
	       edge->importer.file == site->file && edge->importer.line == site->line;
}

static const struct site *find_caller(const struct gains *gains, const struct site *used)
{
	const struct process *process = gains->graph->process;
	const struct site *found = NULL;

	for (size_t i = 0; i < process->edge_cnt && !found; i++)
		if (process->edges[i]->callers && is_at(process->edges[i], used))
			found = advice_caller(process->edges[i], gains->graph, gains->reach);
	return found;
}

static const struct graph_stmt *find_use(const struct gains *gains)
{
	const struct graph *graph = gains->graph;
	const struct reach *reach = gains->reach;
	const struct graph_run *first = NULL;

	for (__u32 i = 0; i < reach->cnt; i++) {
		const struct graph_run *run = graph__run(graph, reach->list[i]);
		const struct load *load;

		if (!run || run->own == GRAPH_NONE || !reach__is_lost(reach, run->own) ||
		    reach__is_lost(reach, run->src) || (first && first->first_ns <= run->first_ns))
			continue;
		/* What import_module loads may be a module's __getattr__, for the import itself. */
		load = graph__load(graph, graph->out[graph->out_at[reach->list[i]]]);
		if (load && load->via != VIA_IMPORT_MODULE)
			first = run;
	}
	return first ? &graph->stmts[first->stmt] : NULL;
}

void advice_know_use(const struct gains *gains, struct finding *finding)
{
	finding->used = find_use(gains);
	if (finding->used)
		finding->caller_site = find_caller(gains, &finding->used->site);
}
