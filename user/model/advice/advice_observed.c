// SPDX-License-Identifier: BSD-2-Clause
/* Findings about what others load too, packages as a whole, and what was simply seen. */
#include "model/compiled.h"
#include "model/advice/finding_kinds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define NO_GAIN_PCT 20   /* of the load's time: less than this is no gain */
#define NO_GAIN_MAX 20
#define PACKAGES_MAX 40  /* each costs a walk over the graph */
#define NAME_MAX_SZ 256

/* The package a module belongs to, for whoever wants to be rid of it: the first name. */
static void top_name(const char *module, char *name)
{
	size_t len = strcspn(module, ".");

	len = len < NAME_MAX_SZ ? len : NAME_MAX_SZ - 1;
	memcpy(name, module, len);
	name[len] = '\0';
}

/* Who would load it now: a statement that is still there, of the program if there is one. */
static const struct site *other_site(const struct graph *graph, const struct load *load,
				     const bool *gone)
{
	__u32 node = graph_node_of(load);
	const struct site *found = NULL;

	for (__u32 k = graph->in_at[node]; k < graph->in_at[node + 1]; k++) {
		const struct graph_stmt *stmt = graph__stmt(graph, graph->in[k]);

		if (!stmt || gone[graph->in[k]])
			continue;
		if (!found || (!file_is_own(found->file) && file_is_own(stmt->site.file)))
			found = &stmt->site;
	}
	return found;
}

static int find_joint(const struct gains *gains, const struct load *load, struct finding *finding)
{
	_cleanup_free_ bool *gone = calloc(gains->graph->node_cnt, sizeof(*gone));

	if (!gone)
		return -ENOMEM;
	finding->joint_cnt = gains__mark_package(gains, load->module, gone);
	return gains__of_set(gains, gone, &finding->joint);
}

static int add_one(struct advice *advice, const struct load *load, __u32 run)
{
	const struct gains *gains = advice->gains;
	const struct graph *graph = gains->graph;
	const struct graph_stmt *stmt = graph__stmt(graph, run);
	_cleanup_free_ bool *gone = calloc(graph->node_cnt, sizeof(*gone));
	const struct site *other;
	struct finding *finding;
	struct gain gain;
	int err;

	if (!gone)
		return -ENOMEM;
	for (__u32 i = 0; i < stmt->run_cnt; i++)
		gone[stmt->first_run + i] = true;
	err = gains__of_set(gains, gone, &gain);
	other = err || gain.ns > load->wall_ns / 100 * NO_GAIN_PCT ? NULL :
		other_site(graph, load, gone);
	if (!other)
		return err;
	finding = advice_add(advice);
	if (!finding)
		return -ENOMEM;
	finding->rule = FINDING_NO_GAIN;
	finding->site = stmt->site;
	finding->load = load;
	finding->gain = gain;
	finding->other = *other;
	return find_joint(gains, load, finding);
}

static bool is_in_set(const struct advice *advice, __u32 stmt)
{
	for (size_t i = 0; i < advice->finding_cnt; i++) {
		const struct finding *it = &advice->findings[i];

		for (__u32 k = 0; it->rule == FINDING_TOGETHER && k < it->stmt_cnt; k++)
			if (it->stmts[k] == stmt)
				return true;
	}
	return false;
}

int advice_add_no_gain(struct advice *advice, __u64 min_ns)
{
	const struct graph *graph = advice->gains->graph;
	size_t before = advice->finding_cnt;
	int err = 0;

	for (__u32 i = 0; !err && i < graph->load_cnt; i++) {
		const struct load *load = graph->process->loads[i];
		__u32 run = graph->cause[i + 1];
		const struct graph_stmt *stmt = graph__stmt(graph, run);

		if (advice->finding_cnt - before >= NO_GAIN_MAX)
			break;
		if (!stmt || !load->module || load->wall_ns == NS_UNKNOWN ||
		    load->wall_ns < min_ns || !gains__counts(advice->gains, load) ||
		    !file_is_own(stmt->site.file) ||
		    is_in_set(advice, graph__run(graph, run)->stmt) ||
		    advice->stmt_ns[graph__run(graph, run)->stmt] >
			    load->wall_ns / 100 * NO_GAIN_PCT)
			continue;
		err = add_one(advice, load, run);
	}
	return err;
}

static int add_compiled(struct advice *advice)
{
	const struct process *process = advice->gains->graph->process;
	const struct load *dearest = NULL;
	struct finding *finding;
	__u32 cnt = 0, zip_cnt = 0, no_pyc_cnt = 0;

	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		if (!load_is_compiled(load) || !gains__counts(advice->gains, load))
			continue;
		cnt++;
		zip_cnt += load->kind == KIND_ZIP;
		no_pyc_cnt += load_has_no_pyc(load);
		if (!dearest || load->self_ns > dearest->self_ns)
			dearest = load;
	}
	if (!cnt)
		return 0;
	finding = advice_add(advice);
	if (!finding)
		return -ENOMEM;
	finding->rule = FINDING_COMPILED;
	finding->load = dearest;
	finding->site = (struct site){ .module = dearest->module, .file = dearest->file,
					  .line = 1 };
	finding->cnt = cnt;
	finding->zip_cnt = zip_cnt;
	finding->no_pyc_cnt = no_pyc_cnt;
	return 0;
}

static int add_circular(struct advice *advice)
{
	const struct process *process = advice->gains->graph->process;

	for (size_t i = 0; i < process->edge_cnt; i++) {
		const struct edge *edge = process->edges[i];
		struct finding *finding;

		if (!edge->is_circular || !file_is_own(edge->importer.file))
			continue;
		finding = advice_add(advice);
		if (!finding)
			return -ENOMEM;
		finding->rule = FINDING_CIRCULAR;
		finding->site = edge->importer;
		finding->load = NULL;
		if (edge->module)
			finding->load = graph__find(advice->gains->graph, edge->module);
	}
	return 0;
}

static int add_failed(struct advice *advice, __u64 min_ns)
{
	const struct process *process = advice->gains->graph->process;

	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];
		struct finding *finding;

		if (!load_has_failed(load) || load->wall_ns == NS_UNKNOWN ||
		    load->wall_ns < min_ns || !gains__counts(advice->gains, load))
			continue;
		finding = advice_add(advice);
		if (!finding)
			return -ENOMEM;
		finding->rule = FINDING_FAILED;
		finding->site = load->importer;
		finding->load = load;
		gains__of_nodes(advice->gains, &advice->gains->nodes[graph_node_of(load)], 1, 0,
				&finding->gain);
	}
	return 0;
}

int advice_add_observed(struct advice *advice, __u64 min_ns)
{
	int err = add_compiled(advice);

	if (!err)
		err = add_circular(advice);
	return err ? err : add_failed(advice, min_ns);
}

struct package {
	char name[NAME_MAX_SZ];
	__u64 wall_ns; /* of its dearest load: no package brings more than all of these */
};

static int cmp_wall(const void *a, const void *b)
{
	const struct package *x = a, *y = b;

	if (x->wall_ns != y->wall_ns)
		return x->wall_ns > y->wall_ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* The interpreter itself asked for it: no statement of the program's would spare it. */
static bool is_of_python(const struct gains *gains, const char *name)
{
	const struct load *load = graph__find(gains->graph, name);
	const struct startup *startup = &gains->graph->process->startup;

	return load && startup->by != STARTUP_UNKNOWN && load->start_ns < startup->run_ns &&
	       !file_is_pth(load->importer.file);
}

/* The packages with the dearest loads. malloc'd; by_name is sorted, so each lies together. */
static int list_packages(const struct gains *gains, struct package **out, size_t *cnt)
{
	const struct graph *graph = gains->graph;
	_cleanup_free_ struct package *packages = calloc(graph->by_name_cnt + 1, sizeof(*packages));
	char name[NAME_MAX_SZ] = "";

	*cnt = 0;
	if (!packages)
		return -ENOMEM;
	for (__u32 i = 0; i < graph->by_name_cnt; i++) {
		const struct load *load = graph->by_name[i];

		if (!gains__counts(gains, load) || load->wall_ns == NS_UNKNOWN)
			continue;
		top_name(load->module, name);
		if (!*cnt || strcmp(packages[*cnt - 1].name, name))
			memcpy(packages[(*cnt)++].name, name, sizeof(name));
		if (packages[*cnt - 1].wall_ns < load->wall_ns)
			packages[*cnt - 1].wall_ns = load->wall_ns;
	}
	qsort(packages, *cnt, sizeof(*packages), cmp_wall);
	*out = TAKE_PTR(packages);
	return 0;
}

static int cmp_gain(const void *a, const void *b)
{
	const struct package_gain *x = a, *y = b;

	if (x->gain.ns != y->gain.ns)
		return x->gain.ns > y->gain.ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int gain_of_package(const struct gains *gains, const char *name, struct package_gain *out)
{
	_cleanup_free_ bool *gone = calloc(gains->graph->node_cnt, sizeof(*gone));

	if (!gone)
		return -ENOMEM;
	out->stmt_cnt = gains__mark_package(gains, name, gone);
	return gains__of_set(gains, gone, &out->gain);
}

int advice_find_packages(struct advice *advice, __u64 min_ns)
{
	_cleanup_free_ struct package *packages = NULL;
	size_t cnt = 0;
	int err = list_packages(advice->gains, &packages, &cnt);

	if (cnt > PACKAGES_MAX)
		cnt = PACKAGES_MAX;
	advice->packages = calloc(cnt + 1, sizeof(*advice->packages));
	if (err || !advice->packages)
		return -ENOMEM;
	for (size_t i = 0; !err && i < cnt && packages[i].wall_ns >= min_ns; i++) {
		struct package_gain *it = &advice->packages[advice->package_cnt];

		if (is_of_python(advice->gains, packages[i].name))
			continue;
		err = gain_of_package(advice->gains, packages[i].name, it);
		if (err || it->gain.ns < min_ns)
			continue;
		it->name = strdup(packages[i].name);
		if (!it->name)
			return -ENOMEM;
		advice->package_cnt++;
	}
	if (advice->package_cnt)
		qsort(advice->packages, advice->package_cnt, sizeof(*advice->packages), cmp_gain);
	return err;
}
