// SPDX-License-Identifier: BSD-2-Clause
/*
 * A statement that ran in one place has the gain of all that its run dominates, found once for all
 * of them. A set, or a statement that ran in several places, is taken away from the graph.
 */
#include "model/graph/gains.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define WALK_NODES 30000000 /* nodes to look at in all for one kind of question: a second or so */

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

static void add_load(const struct gains *gains, const struct load *load, struct gain *gain)
{
	if (gains__counts(gains, load))
		gain->ns += load->self_ns;
	if (gains->has_memory && !load->is_inherited && load->via != VIA_MAIN)
		gain->bytes += (__s64)(load->charge->rss_anon + load->charge->rss_file);
	/* `import a.b` may find that the body of a has loaded a.b: that is one module, not two. */
	gain->modules += load->result != LOAD_FAILED && !load->is_inherited && load->module &&
			 graph__find(gains->graph, load->module) == load;
}

/* The end of start-up is told by statements, too. */
static bool has_edges(const struct process *process)
{
	for (size_t i = 0; i < process->edge_cnt; i++)
		if (process->edges[i]->cached)
			return true;
	return false;
}

/* Dominators come before what they dominate: backwards, each is complete when it is added. */
static int sum_up(struct gains *gains)
{
	const struct graph *graph = gains->graph;
	struct dominators *dominators = &gains->dominators;

	gains->below = calloc(graph->node_cnt, sizeof(*gains->below));
	if (!gains->below || dominators_find(graph, dominators))
		return -ENOMEM;
	for (__u32 i = 0; i < graph->load_cnt; i++)
		add_load(gains, graph->process->loads[i], &gains->below[i + 1]);
	for (__u32 i = dominators->cnt; i-- > 1;) {
		__u32 node = dominators->order[i];
		struct gain *above = &gains->below[dominators->idom[node]];

		above->ns += gains->below[node].ns;
		above->bytes += gains->below[node].bytes;
		above->modules += gains->below[node].modules;
	}
	gains->imports_ns = gains->below[GRAPH_ROOT].ns;
	return 0;
}

/* The same over the graph with more arcs, whose dominators are fewer. */
static int sum_least(struct gains *gains)
{
	const struct graph *graph = gains->unseen;
	struct dominators dominators;
	_cleanup_free_ __u64 *ns = calloc(graph->node_cnt, sizeof(*ns));

	if (!ns || dominators_find(graph, &dominators))
		return -ENOMEM;
	for (__u32 i = 0; i < graph->load_cnt; i++)
		if (gains__counts(gains, graph->process->loads[i]))
			ns[i + 1] = graph->process->loads[i]->self_ns;
	for (__u32 i = dominators.cnt; i-- > 1;)
		ns[dominators.idom[dominators.order[i]]] += ns[dominators.order[i]];
	for (__u32 i = 0; i < gains->graph->node_cnt; i++)
		gains->below[i].least_ns = ns[i];
	dominators_clear(&dominators);
	return 0;
}

int gains__new(const struct process *process, struct gains **out)
{
	_cleanup_(gains__freep) struct gains *gains = calloc(1, sizeof(*gains));
	unsigned int flags = is_command(process) ? 0 : GRAPH_STARTUP;
	int err = gains ? 0 : -ENOMEM;

	if (!err) {
		gains->has_edges = has_edges(process);
		gains->has_memory = process->measured & PYI_GROUP_MEMORY;
		err = graph__new(process, flags, &gains->graph);
	}
	if (!err)
		err = graph__new(process, flags | GRAPH_UNSEEN, &gains->unseen);
	if (!err)
		err = sum_up(gains);
	if (!err)
		err = sum_least(gains);
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
	dominators_clear(&gains->dominators);
	free(gains->below);
	free(gains);
}

void gains__freep(struct gains **gains)
{
	gains__free(*gains);
}

__u32 gains__walks(const struct gains *gains, __u32 max)
{
	__u32 fit = 3 + WALK_NODES / (gains->graph->node_cnt + 1);

	return fit < max ? fit : max;
}

int gains__of_set(const struct gains *gains, bool *gone, struct gain *out)
{
	const struct graph *graph = gains->graph;
	_cleanup_free_ bool *sure = calloc(gains->unseen->node_cnt, sizeof(*sure));
	int err;

	*out = (struct gain){};
	if (!sure)
		return -ENOMEM;
	memcpy(sure, gone, graph->node_cnt * sizeof(*gone));
	err = graph_take_away(graph, gone);
	if (!err)
		err = graph_take_away(gains->unseen, sure);
	for (__u32 i = 0; !err && i < graph->load_cnt; i++) {
		const struct load *load = graph->process->loads[i];

		if (gone[i + 1])
			add_load(gains, load, out);
		if (sure[i + 1] && gains__counts(gains, load))
			out->least_ns += load->self_ns;
	}
	return err;
}

static void mark_stmt(const struct graph *graph, __u32 stmt, bool *gone)
{
	for (__u32 i = 0; i < graph->stmts[stmt].run_cnt; i++)
		gone[graph->stmts[stmt].first_run + i] = true;
}

int gains__of_stmt(const struct gains *gains, __u32 stmt, struct gain *out)
{
	const struct graph *graph = gains->graph;
	_cleanup_free_ bool *gone = NULL;

	if (graph->stmts[stmt].run_cnt == 1) {
		*out = gains->below[graph->stmts[stmt].first_run];
		return 0;
	}
	gone = calloc(graph->node_cnt, sizeof(*gone));
	if (!gone)
		return -ENOMEM;
	mark_stmt(graph, stmt, gone);
	return gains__of_set(gains, gone, out);
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
