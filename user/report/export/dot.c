// SPDX-License-Identifier: BSD-2-Clause
/*
 * The import graph for graphviz: the slowest modules of each process (--top) and the statements
 * that lead from one to the other. Solid: the statement loaded it; dashed: it was there already;
 * red: closes a cycle. A graph of all modules would take graphviz minutes and show nothing.
 */
#include "report/view.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/text/ranking.h"
#include "report/text/walk.h"
#include "report/text/wording.h"

#define DOT_TOP 50

struct node {
	const char *module;
	const struct load *load;
	__u64 self_ns;      /* of all loads of that name; NS_UNKNOWN */
	__u32 id;           /* in the file */
};

struct nodes {
	struct node *list; /* by name */
	size_t cnt, all_cnt;
};

static int cmp_module(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	return strcmp(x->module, y->module);
}

static const struct node *find_node(const struct nodes *nodes, const char *module)
{
	const struct node key = { .module = module };

	return nodes->cnt && module ?
	       bsearch(&key, nodes->list, nodes->cnt, sizeof(key), cmp_module) : NULL;
}

static void add_ns(__u64 *sum_ns, __u64 ns)
{
	if (ns != NS_UNKNOWN)
		*sum_ns = ns + (*sum_ns == NS_UNKNOWN ? 0 : *sum_ns);
}

/* The dearest loads with what leads to them: what imports costs at least as much. */
static int choose(const struct view *view, const struct process *process, __u32 *ids,
		  struct nodes *nodes)
{
	_cleanup_free_ struct load **loads = NULL;
	size_t top = view->opts.top ? view->opts.top : DOT_TOP, kept = 0;
	int err = rank_loads(process, RANK_TOTAL, &loads);

	if (err)
		return err;
	nodes->all_cnt = process->load_cnt;
	nodes->cnt = process->load_cnt < top ? process->load_cnt : top;
	nodes->list = calloc(nodes->cnt + 1, sizeof(*nodes->list));
	if (!nodes->list)
		return -ENOMEM;
	for (size_t i = 0; i < nodes->cnt; i++)
		if (loads[i]->module)
			nodes->list[kept++] = (struct node){
				.module = loads[i]->module, .load = loads[i],
				.self_ns = loads[i]->self_ns,
			};
	qsort(nodes->list, kept, sizeof(*nodes->list), cmp_module);
	nodes->cnt = 0;
	for (size_t i = 0; i < kept; i++) {
		struct node *last = nodes->cnt ? &nodes->list[nodes->cnt - 1] : NULL;

		if (last && !strcmp(last->module, nodes->list[i].module)) {
			add_ns(&last->self_ns, nodes->list[i].self_ns);
			if (nodes->list[i].load->seq < last->load->seq)
				last->load = nodes->list[i].load;
			continue;
		}
		nodes->list[nodes->cnt] = nodes->list[i];
		nodes->list[nodes->cnt++].id = (*ids)++;
	}
	return 0;
}

/* Text of the target inside a quoted label: graphviz knows escapes and HTML entities of its own. */
static void put_text(const struct view *view, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(view->out, "\\%c", *text);
		else if (*text == '&')
			fputs("&amp;", view->out);
		else
			fputc(*text, view->out);
	}
}

/* White to orange by its share of the dearest one. */
static void put_color(const struct view *view, __u64 self_ns, __u64 max_ns)
{
	unsigned int heat = 0;

	if (max_ns && self_ns != NS_UNKNOWN)
		heat = (unsigned int)((double)self_ns * 160 / (double)max_ns);
	fprintf(view->out, "\"#%02x%02x%02x\"", 255, 255 - heat / 2, 255 - heat);
}

static void put_node(const struct view *view, const struct node *node, __u64 max_ns)
{
	struct text_buf buf = { 0 };
	char total[TEXT_NUM_SZ], self[TEXT_NUM_SZ];

	text_buf__escape(&buf, node->module, view_escape_flags(view));
	fprintf(view->out, "    n%u [label=\"", node->id);
	put_text(view, text_buf__str(&buf));
	fprintf(view->out, "\\n%s, self %s\", fillcolor=",
		text_ns(total, node->load->wall_ns), text_ns(self, node->self_ns));
	put_color(view, node->self_ns, max_ns);
	fputs(node->load->result == LOAD_FAILED ? ", color=red];\n" : "];\n", view->out);
	text_buf__free(&buf);
}

static void put_edge(const struct view *view, const struct process *process,
		     const struct edge *edge, __u32 from, __u32 to)
{
	struct text_buf buf = { 0 };

	phrase_place(view, process, &edge->importer, &buf);
	fprintf(view->out, "    n%u -> n%u [tooltip=\"", from, to);
	put_text(view, text_buf__str(&buf));
	if (edge->load && edge->importer.line > 0)
		fprintf(view->out, "\", label=\"%d", edge->importer.line);
	fprintf(view->out, "\"%s%s];\n", edge->load ? "" : ", style=dashed",
		edge->is_circular ? ", color=red" : "");
	text_buf__free(&buf);
}

static void put_process(const struct view *view, const struct process *process,
			const struct nodes *nodes)
{
	struct text_buf buf = { 0 };
	__u64 max_ns = 0;

	for (size_t i = 0; i < nodes->cnt; i++)
		if (nodes->list[i].self_ns != NS_UNKNOWN && nodes->list[i].self_ns > max_ns)
			max_ns = nodes->list[i].self_ns;
	phrase_label(view, process, &buf);
	fprintf(view->out, "  subgraph cluster_%u {\n    label=\"", process->serial);
	put_text(view, text_buf__str(&buf));
	fprintf(view->out, " (pid %u), %zu of %zu imports\";\n", process->tgid, nodes->cnt,
		nodes->all_cnt);
	text_buf__free(&buf);
	for (size_t i = 0; i < nodes->cnt; i++)
		put_node(view, &nodes->list[i], max_ns);
	for (size_t i = 0; i < process->edge_cnt && !ferror(view->out); i++) {
		const struct edge *edge = process->edges[i];
		const struct node *from = find_node(nodes, edge->importer.module);
		const struct node *to = find_node(nodes, edge->module);

		if (from && to && from != to)
			put_edge(view, process, edge, from->id, to->id);
	}
	fputs("  }\n", view->out);
}

int dot_write(const struct view *view)
{
	_cleanup_free_ struct process **processes = NULL;
	__u32 ids = 0;
	size_t cnt;
	int err = walk_processes(view->model, &processes, &cnt);

	if (err)
		return err;
	fputs("digraph imports {\n  rankdir=LR;\n"
	      "  node [shape=box, style=filled, fillcolor=white, fontname=\"sans-serif\"];\n"
	      "  edge [color=gray40, fontname=\"sans-serif\", fontsize=9];\n", view->out);
	for (size_t i = 0; !err && i < cnt && !ferror(view->out); i++) {
		struct nodes nodes = { 0 };

		if (!process_is_shown(processes[i]))
			continue;
		err = choose(view, processes[i], &ids, &nodes);
		if (!err)
			put_process(view, processes[i], &nodes);
		free(nodes.list);
	}
	fputs("}\n", view->out);
	return err;
}
