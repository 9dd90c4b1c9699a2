// SPDX-License-Identifier: BSD-2-Clause
/*
 * A gain is the self time of the loads that are lost (reach.h) without the runs of a statement, or
 * of a set of them.
 */
#include "model/graph/gains.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define FINDER_MIN_NS 5000000 /* a search that computes for so long does more than search */
#define FINDER_MAX 3          /* so many times: then it does so for each import */
#define STEPS_MAX 150000000 /* of both graphs, for all questions: a few seconds */

/*
 * A command that ended and never waited for a connection: whoever typed it waited for all of it,
 * for what its functions import as well.
 */
static bool is_command(const struct process *process)
{
	return process->has_exit && process->ready_ns == NS_UNKNOWN &&
	       process->listen_ns == NS_UNKNOWN;
}

bool gains__counts(const struct gains *gains, const struct load *load)
{
	const struct process *process = gains->graph->process;

	if (load->self_ns == NS_UNKNOWN || load->is_inherited || load->via == VIA_MAIN)
		return false;
	if (process->startup_end_ns == NS_UNKNOWN || !gains->has_edges)
		return true;
	return load->tid == process->tgid &&
	       (is_command(process) || load->start_ns <= process->startup_end_ns);
}

/* What a search took beside its file operations, if it was on a CPU for long. */
static __u64 finder_ns(const struct load *load)
{
	__u64 search_ns = load->charge->search_ns;

	if (load->find_ns == NS_UNKNOWN || load->self_cpu_ns == NS_UNKNOWN || !load->self_ns ||
	    load->self_ns == NS_UNKNOWN || load->find_ns < FINDER_MIN_NS + search_ns ||
	    load->find_ns > load->self_ns)
		return 0;
	if ((double)load->find_ns * (double)load->self_cpu_ns / (double)load->self_ns <
	    (double)(FINDER_MIN_NS + search_ns))
		return 0;
	return load->find_ns - search_ns;
}

/*
 * What a finder does once (it reads its own configuration, say) hits the import that comes first.
 * The next one would pay for it.
 */
__u64 gains__ns(const struct gains *gains, const struct load *load)
{
	return gains->has_lazy_finder ? load->self_ns - finder_ns(load) : load->self_ns;
}

static bool has_lazy_finder(const struct process *process)
{
	__u32 cnt = 0;

	for (size_t i = 0; i < process->load_cnt && cnt < FINDER_MAX; i++)
		cnt += finder_ns(process->loads[i]) > 0;
	return cnt && cnt < FINDER_MAX;
}

/* A module is gone with the last of its loads: a reload, or one that was taken from sys.modules. */
static bool is_module_lost(const struct gains *gains, const struct load *load)
{
	const struct graph *graph = gains->graph;
	__u32 at = graph->name_at[load->seq];

	if (at == GRAPH_NONE || load->is_inherited || !graph->name_cnt[at])
		return false;
	for (__u32 i = 0; i < graph->name_cnt[at]; i++)
		if (!reach__is_lost(gains->reach, graph_node_of(graph->by_name[at + i])))
			return false;
	return true;
}

/* Killed, say, while the load was under way. */
static bool is_cut(const struct load *load)
{
	return load->result == LOAD_UNFINISHED && load->self_ns == NS_UNKNOWN &&
	       !load->is_inherited && load->via != VIA_MAIN && load->tid == load->process->tgid;
}

static void add_load(const struct gains *gains, const struct load *load, struct gain *gain)
{
	if (gains__counts(gains, load))
		gain->ns += gains__ns(gains, load);
	if (gains->has_memory && !load->is_inherited && load->via != VIA_MAIN)
		gain->bytes += (__s64)(load->charge->rss_anon + load->charge->rss_file);
	gain->modules += is_module_lost(gains, load);
	gain->is_cut |= is_cut(load);
}

static __u64 sum_ns(const struct gains *gains, const struct reach *reach)
{
	__u64 ns = 0;

	for (__u32 i = 0; i < reach->cnt; i++) {
		const struct load *load = graph__load(gains->graph, reach->list[i]);

		if (load && gains__counts(gains, load))
			ns += gains__ns(gains, load);
	}
	return ns;
}

__u64 gains__lost_ns(const struct gains *gains)
{
	return sum_ns(gains, gains->reach);
}

/* The end of start-up is told by statements, too. */
static bool has_edges(const struct process *process)
{
	for (size_t i = 0; i < process->edge_cnt; i++)
		if (process->edges[i]->cached)
			return true;
	return false;
}

static int number_nodes(struct gains *gains)
{
	gains->nodes = calloc(gains->graph->node_cnt, sizeof(*gains->nodes));
	if (!gains->nodes)
		return -ENOMEM;
	for (__u32 i = 0; i < gains->graph->node_cnt; i++)
		gains->nodes[i] = i;
	return 0;
}

int gains__new(const struct process *process, struct gains **out)
{
	_cleanup_(gains__freep) struct gains *gains = calloc(1, sizeof(*gains));
	unsigned int flags = is_command(process) ? 0 : GRAPH_STARTUP;
	int err = gains ? 0 : -ENOMEM;

	if (!err) {
		gains->has_edges = has_edges(process);
		gains->has_lazy_finder = has_lazy_finder(process);
		gains->has_memory = process->measured & PYI_GROUP_MEMORY;
		err = graph__new(process, flags, &gains->graph);
	}
	if (!err)
		err = graph__new(process, flags | GRAPH_UNSEEN, &gains->unseen);
	if (!err)
		err = reach__new(gains->graph, &gains->reach);
	if (!err)
		err = reach__new(gains->unseen, &gains->sure);
	if (!err)
		err = number_nodes(gains);
	for (size_t i = 0; !err && i < process->load_cnt; i++)
		if (gains__counts(gains, process->loads[i]))
			gains->imports_ns += process->loads[i]->self_ns;
	if (!err)
		*out = TAKE_PTR(gains);
	return err;
}

void gains__free(struct gains *gains)
{
	if (!gains)
		return;
	graph__free(gains->graph);
	graph__free(gains->unseen);
	reach__free(gains->reach);
	reach__free(gains->sure);
	free(gains->nodes);
	free(gains->calls);
	free(gains);
}

void gains__freep(struct gains **gains)
{
	gains__free(*gains);
}

bool gains__has_time(const struct gains *gains)
{
	return gains->reach->steps + gains->sure->steps < STEPS_MAX;
}

void gains__of_nodes(const struct gains *gains, const __u32 *nodes, __u32 cnt, __u64 min_ns,
		     struct gain *out)
{
	struct reach *reach = gains->reach;

	*out = (struct gain){};
	reach__doubt(reach, nodes, cnt);
	if (min_ns && sum_ns(gains, reach) < min_ns)
		return;
	reach__lose(reach);
	for (__u32 i = 0; i < reach->cnt; i++) {
		const struct load *load = graph__load(gains->graph, reach->list[i]);

		if (load)
			add_load(gains, load, out);
	}
	if (min_ns && out->ns < min_ns)
		return;
	reach__doubt(gains->sure, nodes, cnt);
	reach__lose(gains->sure);
	out->least_ns = sum_ns(gains, gains->sure);
}

int gains__of_set(const struct gains *gains, bool *gone, struct gain *out)
{
	__u32 node_cnt = gains->graph->node_cnt, cnt = 0;
	_cleanup_free_ __u32 *nodes = calloc(node_cnt, sizeof(*nodes));

	*out = (struct gain){};
	if (!nodes)
		return -ENOMEM;
	for (__u32 i = 0; i < node_cnt; i++)
		if (gone[i])
			nodes[cnt++] = i;
	gains__of_nodes(gains, nodes, cnt, 0, out);
	for (__u32 i = 0; i < gains->reach->cnt; i++)
		gone[gains->reach->list[i]] = true;
	return 0;
}

static void mark_stmt(const struct graph *graph, __u32 stmt, bool *gone)
{
	for (__u32 i = 0; i < graph->stmts[stmt].run_cnt; i++)
		gone[graph->stmts[stmt].first_run + i] = true;
}

int gains__of_stmts(const struct gains *gains, const __u32 *stmts, __u32 cnt, struct gain *out)
{
	const struct graph_stmt *all = gains->graph->stmts;
	_cleanup_free_ __u32 *nodes = NULL;
	__u32 node_cnt = 0;

	for (__u32 i = 0; i < cnt; i++)
		node_cnt += all[stmts[i]].run_cnt;
	nodes = calloc(node_cnt + 1, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	node_cnt = 0;
	for (__u32 i = 0; i < cnt; i++)
		for (__u32 k = 0; k < all[stmts[i]].run_cnt; k++)
			nodes[node_cnt++] = all[stmts[i]].first_run + k;
	gains__of_nodes(gains, nodes, node_cnt, 0, out);
	return 0;
}

void gains__of_stmt(const struct gains *gains, __u32 stmt, __u64 min_ns, struct gain *out)
{
	const struct graph_stmt *it = &gains->graph->stmts[stmt];

	gains__of_nodes(gains, &gains->nodes[it->first_run], it->run_cnt, min_ns, out);
}

/* Does any run of the statement ask for a module of the package? */
static bool leads_into(const struct graph *graph, const struct graph_stmt *stmt,
		       const char *package)
{
	for (__u32 run = stmt->first_run; run < stmt->first_run + stmt->run_cnt; run++) {
		for (__u32 k = graph->out_at[run]; k < graph->out_at[run + 1]; k++) {
			const struct load *load = graph__load(graph, graph->out[k]);

			if (load && load->module && name_is_in(load->module, package))
				return true;
		}
	}
	return false;
}

__u32 gains__mark_package(const struct gains *gains, const char *package, bool *gone)
{
	const struct graph *graph = gains->graph;
	__u32 cnt = 0;

	for (__u32 i = 0; i < graph->stmt_cnt; i++) {
		const struct graph_stmt *stmt = &graph->stmts[i];

		if ((stmt->site.module && name_is_in(stmt->site.module, package)) ||
		    !leads_into(graph, stmt, package))
			continue;
		mark_stmt(graph, i, gone);
		cnt++;
	}
	return cnt;
}

static bool is_end_of_path(const char *path, const char *end, size_t end_len)
{
	size_t len = path ? strlen(path) : 0;

	return path && len >= end_len && !strncmp(path + len - end_len, end, end_len) &&
	       (len == end_len || path[len - end_len - 1] == '/' || end[0] == '/');
}

__u32 gains__mark(const struct gains *gains, const char *name, bool *gone)
{
	const struct graph *graph = gains->graph;
	const char *colon = strrchr(name, ':');
	__u32 cnt = 0;
	char *end = NULL;
	long line;

	if (!colon || !isdigit((unsigned char)colon[1]))
		return gains__mark_package(gains, name, gone);
	errno = 0;
	line = strtol(colon + 1, &end, 10);
	if (errno || *end)
		return 0;
	for (__u32 i = 0; i < graph->stmt_cnt; i++) {
		const struct site *site = &graph->stmts[i].site;

		if (site->line != line || !is_end_of_path(site->file, name, (size_t)(colon - name)))
			continue;
		mark_stmt(graph, i, gone);
		cnt++;
	}
	return cnt;
}
