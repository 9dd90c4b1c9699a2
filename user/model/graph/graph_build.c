// SPDX-License-Identifier: BSD-2-Clause
/*
 * Builds the graph from loads and edges: both become asks ("inside this node, this place asked for
 * that load"), which are sorted and numbered. Sorted by text, so that equal traces give equal
 * graphs.
 */
#include "model/graph/graph_asks.h"
#include "model/graph/graph_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct build {
	struct graph *graph;
	unsigned int flags;
	struct ask *asks;
	size_t ask_cnt;
	struct arc *arcs;
	size_t arc_cnt;
	bool *in_body;           /* by seq of a load: its statement stands in a module's body */
	bool *is_once;           /* by seq of a load: its statement ran this one time */
	struct askers *askers;   /* by node */
	const char **asked;      /* by seq of a load: what its statement names; NULL: the load */
	__u32 *sub_at, *sub;     /* by node of a package: its submodules' loads, by start */
	__u32 *asked_end;        /* by node of a package: behind the last its functions loaded */
};

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool is_known(const struct site *site)
{
	return site->file || site->module;
}

static void add_ask(struct build *build, const struct site *site, __u32 src,
		    const struct load *load, bool has_unseen)
{
	build->asks[build->ask_cnt++] = (struct ask){ .site = is_known(site) ? site : NULL,
		.src = src, .around = src, .dst = graph_node_of(load), .has_unseen = has_unseen };
}

/*
 * A LazyLoader's module runs when it is first used, by whoever that is. It would by the next one,
 * as long as it is found at all: that is what asked for it.
 */
static const struct load *asking_of(const struct load *load)
{
	return load->found ? load->found : load;
}

static __u32 around_of(const struct load *load)
{
	const struct load *asking = asking_of(load);
	const struct load *parent = asking->finding ? asking->finding : asking->parent;

	return parent ? graph_node_of(parent) : GRAPH_ROOT;
}

static void ask_for_loads(struct build *build)
{
	const struct process *process = build->graph->process;

	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i], *asking = asking_of(load);
		static const struct site nobody;
		struct ask *ask;

		/* An extension's own body has no statement that could be taken out. */
		add_ask(build, graph_is_on_the_way(asking) || !asking->importer.file ?
				&nobody : &asking->importer,
			around_of(load), load, false);
		ask = &build->asks[build->ask_cnt - 1];
		ask->is_body = build->in_body[i];
		ask->asked = build->asked[i] ?: load->module;
		ask->is_once = build->is_once[i];
		ask->first_ns = asking->start_ns;
	}
}

/*
 * Inside which load did the statement run? One that did not always run in the same may have run
 * anywhere, but not without the module it stands in.
 */
static __u32 src_of(const struct graph *graph, const struct edge *edge)
{
	const struct load *load = edge->around;

	if (load && edge->is_elsewhere && edge->importer.module) {
		const struct load *own = graph__find(graph, edge->importer.module);

		load = own ? own : load;
	}
	return load ? graph_node_of(load) : GRAPH_ROOT;
}

/*
 * Start-up ends with the last load of the program's own body: a statement behind that in the same
 * body found all it asked for, and would be the one to load it if the others were gone.
 */
static bool is_later(const struct process *process, const struct edge *edge)
{
	return process->startup_end_ns != NS_UNKNOWN && edge->first_ns != NS_UNKNOWN &&
	       edge->first_ns > process->startup_end_ns &&
	       !(edge->is_body && edge->around && edge->around->via == VIA_MAIN);
}

/* A body that ran again asked again for what it asked for: its module was loaded a second time. */
static void ask_again(struct build *build, const struct edge *edge)
{
	const struct ask *ask = &build->asks[build->ask_cnt - 1];
	const struct load *again = edge->is_body && edge->around && edge->around->module ?
			graph_find_at(build->graph, edge->around->module, NS_UNKNOWN) : NULL;

	if (!again || again->start_ns <= edge->around->start_ns)
		return;
	build->asks[build->ask_cnt] = *ask;
	build->asks[build->ask_cnt].src = graph_node_of(again);
	build->asks[build->ask_cnt++].around = graph_node_of(again);
}

static void ask_for_edges(struct build *build)
{
	const struct process *process = build->graph->process;
	static const struct site nobody;

	for (size_t i = 0; i < process->edge_cnt; i++) {
		const struct edge *edge = process->edges[i];
		const struct load *load;
		struct ask *ask;

		if (edge->load) {
			build->in_body[edge->load->seq] |= edge->is_body;
			build->asked[edge->load->seq] = edge->asked;
			build->is_once[edge->load->seq] = edge->count <= 1;
		}
		if (!(edge->cached || edge->has_unseen) || !edge->module ||
		    !is_known(&edge->importer) ||
		    (build->flags & GRAPH_STARTUP && is_later(process, edge)))
			continue;
		load = graph_find_at(build->graph, edge->module, edge->first_ns);
		if (edge->load && load && is_same_text(edge->load->module, load->module))
			load = edge->load;
		if (!load)
			continue;
		add_ask(build, edge->importer.file ? &edge->importer : &nobody,
			src_of(build->graph, edge), load, edge->has_unseen);
		ask = &build->asks[build->ask_cnt - 1];
		ask->asked = edge->asked;
		ask->is_once = edge->count <= 1;
		ask->first_ns = edge->first_ns;
		ask->around = edge->around ? graph_node_of(edge->around) : GRAPH_ROOT;
		ask->is_body = edge->is_body;
		ask_again(build, edge);
	}
}

/* `import a.b` loads a as well: of the two it names the latter. */
static void know_asked(struct graph_stmt *stmt, const char *asked)
{
	if (asked && (!stmt->asked || name_is_in(asked, stmt->asked)))
		stmt->asked = asked;
}

static void add_others(struct build *build, const struct ask *ask)
{
	struct graph_run *run = &build->graph->runs[build->graph->run_cnt - 1];

	if (run->own == GRAPH_NONE ||
	    !ask_may_have_others(build->graph, ask, &build->askers[run->own]))
		return;
	run->src = run->own;
	run->own = GRAPH_NONE;
}

/* Numbers statements and their runs; asks are sorted. */
static int number_runs(struct build *build)
{
	struct graph *graph = build->graph;
	const struct ask *last = NULL;
	bool is_wrapper = false;

	graph->stmts = calloc(build->ask_cnt + 1, sizeof(*graph->stmts));
	graph->runs = calloc(build->ask_cnt + 1, sizeof(*graph->runs));
	if (!graph->stmts || !graph->runs)
		return -ENOMEM;
	for (size_t i = 0; i < build->ask_cnt; i++) {
		struct ask *ask = &build->asks[i];
		bool is_new_stmt = ask->site && (!last || asks_cmp_stmt(last, ask));

		if (!ask->site)
			continue;
		if (is_new_stmt)
			is_wrapper = ask->is_wrapped;
		if (is_new_stmt)
			graph->stmts[graph->stmt_cnt++] = (struct graph_stmt){
				.site = *ask->site, .is_wrapper = is_wrapper,
				.first_run = 1 + graph->load_cnt + graph->run_cnt };
		if (is_new_stmt || last->src != ask->src) {
			graph->runs[graph->run_cnt++] =
				(struct graph_run){ graph->stmt_cnt - 1, ask->src,
						    ask->is_hooked ? GRAPH_NONE :
						    graph_own_of(graph, ask->site, ask->src),
						    ask->first_ns };
			graph->stmts[graph->stmt_cnt - 1].run_cnt++;
		}
		if (ask->first_ns < graph->runs[graph->run_cnt - 1].first_ns)
			graph->runs[graph->run_cnt - 1].first_ns = ask->first_ns;
		know_asked(&graph->stmts[graph->stmt_cnt - 1], ask->asked);
		graph->stmts[graph->stmt_cnt - 1].is_body |= ask->is_body;
		ask->node = graph->load_cnt + graph->run_cnt;
		if (is_wrapper && build->flags & GRAPH_UNSEEN && ask->around != ask->src)
			graph->runs[graph->run_cnt - 1].src = ask->around;
		if (build->flags & GRAPH_UNSEEN)
			add_others(build, ask);
		last = ask;
	}
	graph->node_cnt = 1 + graph->load_cnt + graph->run_cnt;
	if (build->flags & GRAPH_UNSEEN)
		graph->node_cnt += graph->load_cnt;
	return 0;
}

static void add_arc(struct build *build, __u32 from, __u32 to)
{
	build->arcs[build->arc_cnt++] = (struct arc){ from, to };
}

static int list_submodules(struct build *build)
{
	const struct graph *graph = build->graph;

	build->sub_at = calloc(graph->load_cnt + 3, sizeof(__u32));
	build->sub = calloc(graph->load_cnt + 1, sizeof(__u32));
	build->asked_end = calloc(graph->load_cnt + 1, sizeof(__u32));
	if (!build->sub_at || !build->sub || !build->asked_end)
		return -ENOMEM;
	for (__u32 i = 0; i < graph->load_cnt; i++) {
		const struct load *package = graph_package_of(graph, graph->process->loads[i]);

		if (package)
			build->sub_at[graph_node_of(package) + 2]++;
	}
	for (__u32 n = 0; n <= graph->load_cnt; n++)
		build->sub_at[n + 2] += build->sub_at[n + 1];
	for (__u32 i = 0; i < graph->load_cnt; i++) {
		const struct load *package = graph_package_of(graph, graph->process->loads[i]);

		if (!package)
			continue;
		build->sub[build->sub_at[graph_node_of(package) + 1]++] = i + 1;
		if (is_same_text(graph->process->loads[i]->importer.module, package->module) &&
		    !build->in_body[i])
			build->asked_end[graph_node_of(package)] =
				build->sub_at[graph_node_of(package) + 1];
	}
	return 0;
}

/* The node that stands for this submodule and those of its package that began before it. */
static __u32 up_to(const struct graph *graph, __u32 node)
{
	return graph->load_cnt + graph->run_cnt + node;
}

/*
 * A name that was not seen is no submodule that began later: the statement would have loaded it.
 * Or the package's own __getattr__ did so for it.
 */
static void add_unseen(struct build *build, const struct ask *ask)
{
	const struct graph *graph = build->graph;
	__u32 low = build->sub_at[ask->dst], high = build->sub_at[ask->dst + 1], first = low;

	while (low < high) {
		__u32 mid = low + (high - low) / 2;

		if (graph->process->loads[build->sub[mid] - 1]->start_ns < ask->first_ns)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < build->asked_end[ask->dst])
		low = build->asked_end[ask->dst];
	if (low > first)
		add_arc(build, ask_from(ask), up_to(graph, build->sub[low - 1]));
}

static void add_package_arcs(struct build *build)
{
	const struct graph *graph = build->graph;

	for (__u32 n = 0; n <= graph->load_cnt; n++) {
		for (__u32 k = build->sub_at[n]; k < build->sub_at[n + 1]; k++) {
			add_arc(build, build->sub[k], n);
			if (!(build->flags & GRAPH_UNSEEN))
				continue;
			add_arc(build, up_to(graph, build->sub[k]), build->sub[k]);
			if (k > build->sub_at[n])
				add_arc(build, up_to(graph, build->sub[k]),
					up_to(graph, build->sub[k - 1]));
		}
	}
}

static int make_arcs(struct build *build)
{
	struct graph *graph = build->graph;

	build->arcs = calloc(3 * build->ask_cnt + 5 * graph->load_cnt + 1, sizeof(*build->arcs));
	graph->cause = calloc(graph->node_cnt, sizeof(*graph->cause));
	if (!build->arcs || !graph->cause || list_submodules(build))
		return -ENOMEM;
	for (size_t i = 0; i < build->ask_cnt; i++) {
		const struct ask *ask = &build->asks[i];

		if (ask->node)
			add_arc(build, graph->runs[ask->node - graph->load_cnt - 1].src,
				ask->node);
		add_arc(build, ask_from(ask), ask->dst);
		if (ask->has_unseen && build->flags & GRAPH_UNSEEN)
			add_unseen(build, ask);
	}
	add_package_arcs(build);
	if (build->flags & GRAPH_UNSEEN)
		build->arc_cnt += graph_join_loads(graph, build->arcs + build->arc_cnt);
	return 0;
}

/* Of a load the statement inside its parent that has its importer's place, or the parent. */
static void find_causes(struct build *build)
{
	const struct graph *graph = build->graph;

	for (size_t i = 0; i < build->ask_cnt; i++) {
		const struct ask *ask = &build->asks[i];
		const struct load *load = graph__load(graph, ask->dst);
		const struct load *asking = asking_of(load);

		if (ask->src != around_of(load))
			continue;
		if (ask->site ? !asks_cmp_site(ask->site, &asking->importer) :
				!asking->importer.file || graph_is_on_the_way(asking))
			graph->cause[ask->dst] = ask->node ? ask->node : ask->src;
	}
}

static int fill(struct build *build)
{
	struct graph *graph = build->graph;
	int err;

	build->asks = calloc(graph->load_cnt + 2 * graph->process->edge_cnt + 1,
			     sizeof(*build->asks));
	build->in_body = calloc(graph->load_cnt + 1, sizeof(*build->in_body));
	build->asked = calloc(graph->load_cnt + 1, sizeof(*build->asked));
	build->is_once = calloc(graph->load_cnt + 1, sizeof(*build->is_once));
	build->askers = calloc(graph->load_cnt + 1, sizeof(*build->askers));
	if (!build->asks || !build->in_body || !build->asked || !build->is_once || !build->askers)
		return -ENOMEM;
	ask_for_edges(build);
	ask_for_loads(build);
	qsort(build->asks, build->ask_cnt, sizeof(*build->asks), asks_cmp);
	asks_list_askers(graph, build->asks, build->ask_cnt, build->askers);
	err = asks_settle_wrappers(graph, build->asks, build->ask_cnt);
	if (!err)
		err = number_runs(build);
	if (!err)
		err = make_arcs(build);
	if (err)
		return err;
	find_causes(build);
	return graph_index(graph, build->arcs, build->arc_cnt);
}

int graph_build(struct graph *graph, unsigned int flags)
{
	struct build build = { .graph = graph, .flags = flags };
	int err = fill(&build);

	free(build.asks);
	free(build.arcs);
	free(build.sub_at);
	free(build.sub);
	free(build.asked_end);
	free(build.in_body);
	free(build.asked);
	free(build.is_once);
	free(build.askers);
	return err;
}
