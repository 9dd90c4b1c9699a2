// SPDX-License-Identifier: BSD-2-Clause
/*
 * Builds the graph from loads and edges: both become asks ("inside this node, this place asked for
 * that load"), which are sorted and numbered. Sorted by text, so that equal traces give equal
 * graphs.
 */
#include "model/graph/graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

struct ask {
	const struct site *site; /* NULL: nobody known */
	__u32 src, dst;
	__u32 node;              /* of the run, once numbered */
	bool has_unseen;
};

struct build {
	struct graph *graph;
	unsigned int flags;
	struct ask *asks;
	size_t ask_cnt;
	struct arc { __u32 from, to; } *arcs;
	size_t arc_cnt;
};

static int cmp_text(const char *a, const char *b)
{
	return a == b ? 0 : !a ? -1 : !b ? 1 : strcmp(a, b);
}

static int cmp_site(const struct site *a, const struct site *b)
{
	int order;

	if (a == b)
		return 0;
	if (!a || !b)
		return a ? 1 : -1;
	order = cmp_text(a->file, b->file);
	if (!order)
		order = a->line < b->line ? -1 : a->line > b->line;
	return order ? order : cmp_text(a->module, b->module);
}

static int cmp_u32(__u32 a, __u32 b)
{
	return a < b ? -1 : a > b;
}

static int cmp_asks(const void *a, const void *b)
{
	const struct ask *x = a, *y = b;
	int order = cmp_site(x->site, y->site);

	if (!order)
		order = cmp_u32(x->src, y->src);
	return order ? order : cmp_u32(x->dst, y->dst);
}

static int cmp_arcs(const void *a, const void *b)
{
	const struct arc *x = a, *y = b;
	int order = cmp_u32(x->from, y->from);

	return order ? order : cmp_u32(x->to, y->to);
}

static int cmp_loads(const void *a, const void *b)
{
	const struct load *x = *(struct load *const *)a, *y = *(struct load *const *)b;
	int order = strcmp(x->module, y->module);

	return order ? order : cmp_u32(x->seq, y->seq);
}

bool name_is_in(const char *name, const char *package)
{
	size_t len = strlen(package);

	return !strncmp(name, package, len) && (!name[len] || name[len] == '.');
}

static int know_names(struct graph *graph)
{
	graph->by_name = calloc(graph->load_cnt + 1, sizeof(struct load *));
	if (!graph->by_name)
		return -ENOMEM;
	for (__u32 i = 0; i < graph->load_cnt; i++) {
		struct load *load = graph->process->loads[i];

		if (load->module && load->result != LOAD_FAILED)
			graph->by_name[graph->by_name_cnt++] = load;
	}
	qsort(graph->by_name, graph->by_name_cnt, sizeof(struct load *), cmp_loads);
	return 0;
}

/* The first load whose name is the first @len bytes of @name. */
static struct load *find_name(const struct graph *graph, const char *name, size_t len)
{
	__u32 low = 0, high = graph->by_name_cnt;

	while (low < high) {
		__u32 mid = low + (high - low) / 2;
		const char *at = graph->by_name[mid]->module;
		int order = strncmp(at, name, len);

		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < graph->by_name_cnt && !strncmp(graph->by_name[low]->module, name, len) &&
	    !graph->by_name[low]->module[len])
		return graph->by_name[low];
	return NULL;
}

struct load *graph__find(const struct graph *graph, const char *module)
{
	return find_name(graph, module, strlen(module));
}

static bool is_known(const struct site *site)
{
	return site->file || site->module;
}

/* `import a.b` loads a on the way: whoever leads to a.b leads to a. */
static bool is_on_the_way(const struct load *load)
{
	const struct load *parent = load->parent;

	return parent && parent->module && load->module && parent->importer.file &&
	       parent->importer.file == load->importer.file &&
	       parent->importer.line == load->importer.line &&
	       strcmp(parent->module, load->module) && name_is_in(parent->module, load->module);
}

static void add_ask(struct build *build, const struct site *site, __u32 src,
		    const struct load *load, bool has_unseen)
{
	build->asks[build->ask_cnt++] = (struct ask){ is_known(site) ? site : NULL, src,
						      graph_node_of(load), 0, has_unseen };
}

static void ask_for_loads(struct build *build)
{
	const struct process *process = build->graph->process;

	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];
		static const struct site nobody;

		add_ask(build, is_on_the_way(load) ? &nobody : &load->importer,
			load->parent ? graph_node_of(load->parent) : GRAPH_ROOT, load, false);
	}
}

/*
 * Inside which load did the statement run? Of a statement that ran once its first run tells. One
 * that ran more often may have run anywhere, but not without the module it stands in.
 */
static __u32 src_of(const struct graph *graph, const struct edge *edge)
{
	const struct load *load = edge->around;

	if (load && (edge->count > 1 || edge->is_elsewhere) && edge->importer.module) {
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

static void ask_for_edges(struct build *build)
{
	const struct process *process = build->graph->process;

	for (size_t i = 0; i < process->edge_cnt; i++) {
		const struct edge *edge = process->edges[i];
		const struct load *load;

		if (!(edge->cached || edge->has_unseen) || !edge->module ||
		    !is_known(&edge->importer) ||
		    (build->flags & GRAPH_STARTUP && is_later(process, edge)))
			continue;
		load = graph__find(build->graph, edge->module);
		if (load)
			add_ask(build, &edge->importer, src_of(build->graph, edge), load,
				edge->has_unseen);
	}
}

/* Numbers statements and their runs; asks are sorted. */
static int number_runs(struct build *build)
{
	struct graph *graph = build->graph;
	const struct ask *last = NULL;

	graph->stmts = calloc(build->ask_cnt + 1, sizeof(*graph->stmts));
	graph->runs = calloc(build->ask_cnt + 1, sizeof(*graph->runs));
	if (!graph->stmts || !graph->runs)
		return -ENOMEM;
	for (size_t i = 0; i < build->ask_cnt; i++) {
		struct ask *ask = &build->asks[i];
		bool is_new_stmt = ask->site && (!last || cmp_site(last->site, ask->site));

		if (!ask->site)
			continue;
		if (is_new_stmt)
			graph->stmts[graph->stmt_cnt++] = (struct graph_stmt){
				*ask->site, 1 + graph->load_cnt + graph->run_cnt, 0 };
		if (is_new_stmt || last->src != ask->src) {
			graph->runs[graph->run_cnt++] =
				(struct graph_run){ graph->stmt_cnt - 1, ask->src };
			graph->stmts[graph->stmt_cnt - 1].run_cnt++;
		}
		ask->node = graph->load_cnt + graph->run_cnt;
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

/* The node that stands for any submodule of the load's module. */
static __u32 any_below(const struct graph *graph, __u32 node)
{
	return graph->load_cnt + graph->run_cnt + node;
}

static int make_arcs(struct build *build)
{
	struct graph *graph = build->graph;
	size_t kept = 0;

	build->arcs = calloc(3 * build->ask_cnt + 2 * graph->load_cnt + 1, sizeof(*build->arcs));
	graph->cause = calloc(graph->node_cnt, sizeof(*graph->cause));
	if (!build->arcs || !graph->cause)
		return -ENOMEM;
	for (size_t i = 0; i < build->ask_cnt; i++) {
		const struct ask *ask = &build->asks[i];

		if (ask->node)
			add_arc(build, ask->src, ask->node);
		add_arc(build, ask->node ? ask->node : ask->src, ask->dst);
		if (ask->has_unseen && build->flags & GRAPH_UNSEEN)
			add_arc(build, ask->node, any_below(graph, ask->dst));
	}
	for (__u32 i = 0; i < graph->load_cnt; i++) {
		const struct load *load = graph->process->loads[i], *package;
		const char *dot = load->module ? strrchr(load->module, '.') : NULL;

		package = dot ? find_name(graph, load->module, (size_t)(dot - load->module)) : NULL;
		if (!package)
			continue;
		add_arc(build, graph_node_of(load), graph_node_of(package));
		if (build->flags & GRAPH_UNSEEN)
			add_arc(build, any_below(graph, graph_node_of(package)),
				graph_node_of(load));
	}
	qsort(build->arcs, build->arc_cnt, sizeof(*build->arcs), cmp_arcs);
	for (size_t i = 0; i < build->arc_cnt; i++)
		if (!i || cmp_arcs(&build->arcs[i], &build->arcs[i - 1]))
			build->arcs[kept++] = build->arcs[i];
	build->arc_cnt = kept;
	return 0;
}

/* Of a load the statement inside its parent that has its importer's place, or the parent. */
static void find_causes(struct build *build)
{
	const struct graph *graph = build->graph;

	for (size_t i = 0; i < build->ask_cnt; i++) {
		const struct ask *ask = &build->asks[i];
		const struct load *load = graph__load(graph, ask->dst);
		__u32 parent = load->parent ? graph_node_of(load->parent) : GRAPH_ROOT;

		if (ask->src != parent)
			continue;
		if (ask->site ? !cmp_site(ask->site, &load->importer) :
				!is_known(&load->importer) || is_on_the_way(load))
			graph->cause[ask->dst] = ask->node ? ask->node : ask->src;
	}
}

static int index_arcs(const struct build *build, struct graph *graph)
{
	graph->out_at = calloc(graph->node_cnt + 1, sizeof(__u32));
	graph->in_at = calloc(graph->node_cnt + 2, sizeof(__u32));
	graph->out = calloc(build->arc_cnt + 1, sizeof(__u32));
	graph->in = calloc(build->arc_cnt + 1, sizeof(__u32));
	if (!graph->out_at || !graph->in_at || !graph->out || !graph->in)
		return -ENOMEM;
	for (size_t i = 0; i < build->arc_cnt; i++) {
		graph->out_at[build->arcs[i].from + 1]++;
		graph->in_at[build->arcs[i].to + 2]++;
		graph->out[i] = build->arcs[i].to; /* sorted by from */
	}
	for (__u32 n = 0; n < graph->node_cnt; n++) {
		graph->out_at[n + 1] += graph->out_at[n];
		graph->in_at[n + 2] += graph->in_at[n + 1];
	}
	/* Filling moves each start to its end, which is the next one's start. */
	for (size_t i = 0; i < build->arc_cnt; i++)
		graph->in[graph->in_at[build->arcs[i].to + 1]++] = build->arcs[i].from;
	return 0;
}

static int fill(struct build *build)
{
	struct graph *graph = build->graph;
	int err = know_names(graph);

	build->asks = calloc(graph->load_cnt + graph->process->edge_cnt + 1, sizeof(*build->asks));
	if (err || !build->asks)
		return -ENOMEM;
	ask_for_loads(build);
	ask_for_edges(build);
	qsort(build->asks, build->ask_cnt, sizeof(*build->asks), cmp_asks);
	err = number_runs(build);
	if (!err)
		err = make_arcs(build);
	if (err)
		return err;
	find_causes(build);
	return index_arcs(build, graph);
}

int graph__new(const struct process *process, unsigned int flags, struct graph **out)
{
	struct build build = { .graph = calloc(1, sizeof(*build.graph)), .flags = flags };
	int err = -ENOMEM;

	if (build.graph) {
		build.graph->process = process;
		build.graph->load_cnt = (__u32)process->load_cnt;
		err = fill(&build);
	}
	free(build.asks);
	free(build.arcs);
	if (err)
		graph__free(build.graph);
	else
		*out = build.graph;
	return err;
}

void graph__free(struct graph *graph)
{
	if (!graph)
		return;
	free(graph->stmts);
	free(graph->runs);
	free(graph->out_at);
	free(graph->out);
	free(graph->in_at);
	free(graph->in);
	free(graph->cause);
	free(graph->by_name);
	free(graph);
}

void graph__freep(struct graph **graph)
{
	graph__free(*graph);
}
