// SPDX-License-Identifier: BSD-2-Clause
/* One process of each side: its modules by name, and what came or went below one import. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/compare/diff.h"
#include "model/state.h"

/* A module's name, as a key of uthash; lies in an array that does not move. */
struct entry {
	struct diff_module module;
	UT_hash_handle hh;
};

struct table {
	struct entry *entries, *head;
	size_t cnt;
};

static void add_ns(__u64 *sum, __u64 ns)
{
	if (ns == NS_UNKNOWN)
		return;
	*sum = *sum == NS_UNKNOWN ? ns : *sum + ns;
}

static void add_load(struct table *table, const struct load *load, bool is_after)
{
	struct diff_module *module;
	const struct load **side;
	struct entry *entry;

	if (!load->module || load->is_inherited)
		return;
	HASH_FIND_STR(table->head, load->module, entry);
	if (!entry) {
		entry = &table->entries[table->cnt++];
		entry->module = (struct diff_module){ .name = load->module,
						      .before_ns = NS_UNKNOWN,
						      .after_ns = NS_UNKNOWN };
		HASH_ADD_KEYPTR(hh, table->head, entry->module.name, strlen(entry->module.name),
				entry);
	}
	module = &entry->module;
	side = is_after ? &module->after : &module->before;
	if (!*side || ((*side)->result == LOAD_FAILED && load->result != LOAD_FAILED))
		*side = load;
	add_ns(is_after ? &module->after_ns : &module->before_ns, load->self_ns);
}

static bool is_noise(__u64 before_ns, __u64 after_ns)
{
	__u64 large = before_ns > after_ns ? before_ns : after_ns;
	__u64 change = large - (before_ns > after_ns ? after_ns : before_ns);

	return change < DIFF_NOISE_NS || change < large / 100 * DIFF_NOISE_PCT;
}

static void settle(struct diff_module *module)
{
	__u64 before_ns = module->before_ns == NS_UNKNOWN ? 0 : module->before_ns;
	__u64 after_ns = module->after_ns == NS_UNKNOWN ? 0 : module->after_ns;
	bool failed, fails;

	module->delta_ns = (__s64)(after_ns - before_ns);
	if (!module->before || !module->after) {
		module->change = module->after ? DIFF_NEW : DIFF_GONE;
		return;
	}
	failed = module->before->result == LOAD_FAILED;
	fails = module->after->result == LOAD_FAILED;
	if (module->before_ns == NS_UNKNOWN || module->after_ns == NS_UNKNOWN)
		module->delta_ns = 0;
	if (failed != fails)
		module->change = fails ? DIFF_BROKEN : DIFF_REPAIRED;
	else if (module->delta_ns && !is_noise(before_ns, after_ns))
		module->change = module->delta_ns > 0 ? DIFF_SLOWER : DIFF_FASTER;
}

static int cmp_modules(const void *a, const void *b)
{
	const struct diff_module *x = a, *y = b;
	__u64 x_ns = llabs(x->delta_ns), y_ns = llabs(y->delta_ns);

	if (x_ns != y_ns)
		return x_ns > y_ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

static const struct diff_module *find(const struct table *table, const char *name)
{
	struct entry *entry = NULL;

	if (name)
		HASH_FIND_STR(table->head, name, entry);
	return entry ? &entry->module : NULL;
}

/* ---- trees */

static int cmp_names(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL);
}

static int cmp_edges(const void *a, const void *b)
{
	const struct edge *x = *(struct edge *const *)a, *y = *(struct edge *const *)b;

	return cmp_names(x->importer.module, y->importer.module) ?:
	       cmp_names(x->module, y->module);
}

static int sort_edges(const struct process *process, struct edge ***out)
{
	struct edge **edges = calloc(process->edge_cnt + 1, sizeof(*edges));

	if (!edges)
		return -ENOMEM;
	if (process->edge_cnt)
		memcpy(edges, process->edges, process->edge_cnt * sizeof(*edges));
	qsort(edges, process->edge_cnt, sizeof(*edges), cmp_edges);
	*out = edges;
	return 0;
}

static bool has_statement(struct edge *const *edges, size_t cnt, const struct load *load)
{
	struct edge wanted = { .importer = load->importer, .module = load->module };
	const struct edge *key = &wanted;

	return bsearch(&key, edges, cnt, sizeof(*edges), cmp_edges);
}

static bool is_apart(const struct table *table, const struct load *load, enum diff_change change)
{
	const struct diff_module *module = find(table, load->module);

	return module && module->change == change && !load->is_inherited;
}

static int cmp_trees(const void *a, const void *b)
{
	const struct diff_tree *x = a, *y = b;
	__u64 x_ns = x->top->wall_ns, y_ns = y->top->wall_ns; /* the unknown ones first */

	if (x_ns != y_ns)
		return x_ns > y_ns ? -1 : 1;
	return x->top->seq < y->top->seq ? -1 : x->top->seq > y->top->seq;
}

/* Loads of @process that only its side has; parents stand before their children. */
static int find_trees(const struct table *table, const struct process *process,
		      const struct process *other, enum diff_change change,
		      struct diff_tree **out, size_t *cnt)
{
	_cleanup_free_ size_t *tree_of = calloc(process->load_cnt + 1, sizeof(*tree_of));
	_cleanup_free_ struct edge **edges = NULL;
	struct diff_tree *trees = calloc(process->load_cnt + 1, sizeof(*trees));

	*out = trees; /* freed with the pair */
	if (!tree_of || !trees || sort_edges(other, &edges))
		return -ENOMEM;
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];
		size_t above = load->parent ? tree_of[load->parent->seq] : 0;

		if (!is_apart(table, load, change))
			continue;
		if (!above) {
			trees[*cnt].top = load;
			trees[*cnt].is_statement_apart = load->importer.module &&
				!process_lacks(other, PYI_GROUP_STATEMENTS) &&
				!has_statement(edges, other->edge_cnt, load);
			above = ++*cnt;
		}
		tree_of[i] = above;
		trees[above - 1].cnt++;
	}
	qsort(trees, *cnt, sizeof(*trees), cmp_trees);
	return 0;
}

static int make(struct table *table, struct diff_pair *pair)
{
	int err;

	for (size_t i = 0; i < pair->before->load_cnt; i++)
		add_load(table, pair->before->loads[i], false);
	for (size_t i = 0; i < pair->after->load_cnt; i++)
		add_load(table, pair->after->loads[i], true);
	pair->modules = calloc(table->cnt + 1, sizeof(*pair->modules));
	if (!pair->modules)
		return -ENOMEM;
	for (size_t i = 0; i < table->cnt; i++) {
		settle(&table->entries[i].module);
		pair->modules[pair->module_cnt++] = table->entries[i].module;
	}
	qsort(pair->modules, pair->module_cnt, sizeof(*pair->modules), cmp_modules);
	err = find_trees(table, pair->after, pair->before, DIFF_NEW, &pair->came,
			 &pair->came_cnt);
	return err ?: find_trees(table, pair->before, pair->after, DIFF_GONE, &pair->went,
				 &pair->went_cnt);
}

int diff_modules(struct diff_pair *pair)
{
	struct table table = {};
	int err;

	table.entries = calloc(pair->before->load_cnt + pair->after->load_cnt + 1,
			       sizeof(*table.entries));
	if (!table.entries)
		return -ENOMEM;
	err = make(&table, pair);
	HASH_CLEAR(hh, table.head);
	free(table.entries);
	return err;
}
