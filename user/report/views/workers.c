// SPDX-License-Identifier: BSD-2-Clause
/*
 * Processes that did the same, shown as one: the workers of a pre-forking server, the children of
 * a pool, the runs of a command in a loop. The one in the middle by time stands for all of them.
 */
#include "report/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/head/groups.h"
#include "report/head/head.h"
#include "report/text/ranking.h"
#include "report/text/walk.h"
#include "report/text/wording.h"

#define PIDS_MAX 8 /* listed by number */

/* A row of the table of processes: a group, or one process when unfolded. */
struct node {
	const void *self, *parent;
	const struct group *group; /* NULL when unfolded */
	const struct process *process;
	size_t order;
	size_t depth;
};

static int cmp_nodes(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	if (x->parent != y->parent)
		return (uintptr_t)x->parent < (uintptr_t)y->parent ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* Nodes sorted by parent; first child of @parent, or @cnt. */
static size_t first_child(const struct node *nodes, size_t cnt, const void *parent)
{
	size_t low = 0, high = cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if ((uintptr_t)nodes[mid].parent < (uintptr_t)parent)
			low = mid + 1;
		else
			high = mid;
	}
	return low < cnt && nodes[low].parent == parent ? low : cnt;
}

static struct node *list_nodes(const struct view *view, size_t *cnt)
{
	size_t max = view->opts.want_unfolded ? model__process_cnt(view->model) :
						model__group_cnt(view->model);
	struct node *nodes = calloc(max + 1, sizeof(*nodes));

	for (size_t i = 0; nodes && i < max; i++) {
		const struct group *group = view->opts.want_unfolded ? NULL :
					    model__group(view->model, i);
		const struct process *process = group ? group->typical :
						model__process(view->model, i);

		nodes[i] = (struct node){
			.self = group ? (const void *)group : process,
			.parent = group ? (const void *)group->parent : process->parent,
			.group = group, .process = process, .order = i,
		};
	}
	*cnt = max;
	return nodes;
}

/* Parents before children; what ran no Python takes no row and no level. */
static int order_nodes(const struct view *view, struct node **out, size_t *out_cnt)
{
	size_t cnt, done = 0, top = 0;
	_cleanup_free_ struct node *nodes = list_nodes(view, &cnt);
	_cleanup_free_ struct node *order = calloc(cnt + 1, sizeof(*order));
	_cleanup_free_ size_t *stack = calloc(2 * (cnt + 1), sizeof(*stack)); /* index, depth */

	if (!nodes || !order || !stack)
		return -ENOMEM;
	qsort(nodes, cnt, sizeof(*nodes), cmp_nodes);
	if (cnt && !nodes[0].parent)
		top = 1;
	while (top) {
		size_t at = stack[2 * top - 2], depth = stack[2 * top - 1], child;

		if (at + 1 < cnt && nodes[at + 1].parent == nodes[at].parent)
			stack[2 * top - 2]++;
		else
			top--;
		if (process_is_shown(nodes[at].process)) {
			order[done] = nodes[at];
			order[done++].depth = depth++;
		}
		child = first_child(nodes, cnt, nodes[at].self);
		if (child < cnt) {
			stack[2 * top] = child;
			stack[2 * top + 1] = depth;
			top++;
		}
	}
	*out = TAKE_PTR(order);
	*out_cnt = done;
	return 0;
}

static void add_count(struct table *table, size_t cnt)
{
	char num[TEXT_NUM_SZ];

	table__add(table, text_count(num, cnt), TABLE_PLAIN);
}

static bool is_same_command(const struct process *a, const struct process *b)
{
	if (a->argv == b->argv || a->argc != b->argc)
		return a->argv == b->argv;
	for (size_t i = 0; i < a->argc; i++)
		if (strcmp(a->argv[i], b->argv[i]) != 0)
			return false;
	return true;
}

/* What its parent ran is not said again; that it was forked, only where that was seen. */
static void add_command(const struct view *view, const struct node *node, struct text_buf *buf)
{
	const struct process *process = node->process;

	text_buf__reset(buf);
	text_buf__printf(buf, "%*s", (int)(2 * (node->depth < 20 ? node->depth : 20)), "");
	if (process->parent && is_same_command(process, process->parent))
		text_buf__add(buf, process->inherited_cnt != ~0u ? "forked" : "the same command");
	else
		phrase_command(view, process, buf);
}

static void add_node(const struct view *view, const struct node *node, struct text_buf *buf,
		     struct table *table)
{
	const struct process *process = node->process;
	size_t cnt = node->group ? node->group->member_cnt : 1;
	struct spread spread = node->group ? spread_of(node->group, false) : (struct spread){ 0 };
	char num[TEXT_NUM_SZ];

	add_command(view, node, buf);
	table__add(table, text_buf__str(buf), TABLE_PLAIN);
	text_buf__reset(buf);
	text_buf__printf(buf, "%u", process->tgid);
	table__add(table, text_buf__str(buf), TABLE_PLAIN);
	add_count(table, cnt);
	if (process->inherited_cnt != ~0u)
		add_count(table, process->inherited_cnt);
	else if (process->inventory && process->inventory->has_modules)
		add_count(table, process->inventory->module_cnt);
	else
		table__add(table, "-", TABLE_DIM);
	add_count(table, process->loaded_cnt);
	if (!process->load_cnt)
		cnt = 0; /* no imports, no times */
	table__add(table, cnt > 1 ? text_ns(num, spread.min_ns) : "", TABLE_PLAIN);
	table__add(table, cnt ? text_ns(num, process->own_ns) : "-", TABLE_BOLD);
	table__add(table, cnt > 1 ? text_ns(num, spread.max_ns) : "", TABLE_PLAIN);
}

static int write_nodes(const struct view *view, const struct node *nodes, size_t cnt)
{
	static const struct table_col cols[] = {
		{ "process", false, TABLE_CUT_MIDDLE, 14, 20 }, { "pid", true, TABLE_WHOLE, 0, 0 },
		{ "count", true, TABLE_WHOLE, 0, 0 }, { "had", true, TABLE_WHOLE, 0, 0 },
		{ "loaded", true, TABLE_WHOLE, 0, 0 }, { "min", true, TABLE_WHOLE, 0, 0 },
		{ "median", true, TABLE_WHOLE, 0, 0 }, { "max", true, TABLE_WHOLE, 0, 0 },
	};
	const struct table_look look = view_look(view, 2);
	_cleanup_(table__freep) struct table *table = NULL;
	_cleanup_(text_buf__free) struct text_buf buf = { 0 };
	int err = table__new(&table, cols, sizeof(cols) / sizeof(cols[0]));

	if (err)
		return err;
	for (size_t i = 0; i < cnt; i++)
		add_node(view, &nodes[i], &buf, table);
	if (buf.err)
		return buf.err;
	put_para(view, 0, TABLE_BOLD,
		 "Modules a process had when it was forked or tracing began; those it loaded itself, "
		 "the interpreter's own included, and how long that took");
	return table__print(table, &look, view->out);
}

static int cmp_times(const void *a, const void *b)
{
	const __u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Self time of the first load of @module in each member; how many are known. */
static size_t collect_times(const struct group *group, const char *module, __u64 *times)
{
	size_t cnt = 0;

	for (size_t i = 0; i < group->member_cnt; i++) {
		const struct process *process = group->members[i];

		for (size_t k = 0; k < process->load_cnt; k++) {
			const struct load *load = process->loads[k];

			if (load->module != module || load->is_inherited)
				continue;
			if (load->self_ns != NS_UNKNOWN)
				times[cnt++] = load->self_ns;
			break;
		}
	}
	qsort(times, cnt, sizeof(*times), cmp_times);
	return cnt;
}

static void add_module(const struct view *view, const struct group *group,
		       const struct load *load, __u64 *times, struct table *table)
{
	size_t cnt = collect_times(group, load->module, times);
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	table__add(table, text_ns(num, cnt ? times[0] : NS_UNKNOWN), TABLE_PLAIN);
	table__add(table, text_ns(num, cnt ? times[(cnt - 1) / 2] : NS_UNKNOWN), TABLE_BOLD);
	table__add(table, text_ns(num, cnt ? times[cnt - 1] : NS_UNKNOWN), TABLE_PLAIN);
	phrase_module(view, load, &buf);
	table__add(table, text_buf__str(&buf), style_of(load));
	text_buf__reset(&buf);
	phrase_importer(view, load, &buf);
	table__add(table, text_buf__str(&buf), TABLE_DIM);
	text_buf__free(&buf);
}

static void put_group_title(const struct view *view, const struct group *group)
{
	__u64 sum_ns = 0;
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	for (size_t i = 0; i < group->member_cnt; i++)
		if (group->members[i]->own_ns != NS_UNKNOWN)
			sum_ns += group->members[i]->own_ns;
	fputc('\n', view->out);
	text_buf__printf(&buf, "Loaded by each of %s processes (pids ",
			 text_count(num, group->member_cnt));
	group_add_pids(group, &buf);
	text_buf__printf(&buf, "), %s in all; by self time", text_ns(num, sum_ns));
	put_para(view, 0, TABLE_BOLD, text_buf__str(&buf));
	text_buf__free(&buf);
}

static int write_group(const struct view *view, const struct group *group)
{
	static const struct table_col cols[] = {
		{ "min", true, TABLE_WHOLE, 0, 0 }, { "median", true, TABLE_WHOLE, 0, 0 },
		{ "max", true, TABLE_WHOLE, 0, 0 }, { "module", false, TABLE_CUT_MIDDLE, 14, 0 },
		{ "imported by", false, TABLE_CUT_HEAD, 12, 0 },
	};
	const struct table_look look = view_look(view, 2);
	_cleanup_free_ __u64 *times = calloc(group->member_cnt, sizeof(*times));
	_cleanup_free_ struct load **loads = NULL;
	_cleanup_(table__freep) struct table *table = NULL;
	int err = rank_loads(group->typical, RANK_SELF, &loads);

	if (!err)
		err = table__new(&table, cols, sizeof(cols) / sizeof(cols[0]));
	if (err || !times)
		return err ? err : -ENOMEM;
	for (size_t i = 0; i < group->typical->load_cnt; i++) {
		if (loads[i]->is_inherited || loads[i]->via == VIA_MAIN)
			continue;
		if (table__row_cnt(table) == view_top(view))
			break;
		add_module(view, group, loads[i], times, table);
	}
	if (!table__row_cnt(table))
		return 0;
	put_group_title(view, group);
	return table__print(table, &look, view->out);
}

int workers_write(const struct view *view)
{
	_cleanup_free_ struct node *nodes = NULL;
	size_t cnt;
	int err = order_nodes(view, &nodes, &cnt);

	if (!err && cnt)
		err = write_nodes(view, nodes, cnt);
	for (size_t i = 0; !err && i < cnt && !ferror(view->out); i++)
		if (nodes[i].group && nodes[i].group->member_cnt > 1)
			err = write_group(view, nodes[i].group);
	fputc('\n', view->out);
	return err ? err : foot_write(view);
}
