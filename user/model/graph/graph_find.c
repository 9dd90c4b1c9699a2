// SPDX-License-Identifier: BSD-2-Clause
/* Modules by name. */
#include "model/graph/graph_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int cmp_loads(const void *a, const void *b)
{
	const struct load *x = *(struct load *const *)a, *y = *(struct load *const *)b;
	int order = strcmp(x->module, y->module);

	return order ? order : x->seq < y->seq ? -1 : x->seq > y->seq;
}

bool name_is_in(const char *name, const char *package)
{
	size_t len = strlen(package);

	return !strncmp(name, package, len) && (!name[len] || name[len] == '.');
}

int graph_know_names(struct graph *graph)
{
	graph->by_name = calloc(graph->load_cnt + 1, sizeof(struct load *));
	graph->name_at = calloc(graph->load_cnt + 1, sizeof(__u32));
	graph->name_cnt = calloc(graph->load_cnt + 1, sizeof(__u32));
	if (!graph->by_name || !graph->name_at || !graph->name_cnt)
		return -ENOMEM;
	for (__u32 i = 0; i < graph->load_cnt; i++) {
		struct load *load = graph->process->loads[i];

		if (load->module && load->result != LOAD_FAILED)
			graph->by_name[graph->by_name_cnt++] = load;
	}
	qsort(graph->by_name, graph->by_name_cnt, sizeof(struct load *), cmp_loads);
	memset(graph->name_at, 0xff, graph->load_cnt * sizeof(__u32)); /* GRAPH_NONE */
	for (__u32 i = 0, first = 0; i < graph->by_name_cnt; i++) {
		graph->name_at[graph->by_name[i]->seq] = i;
		if (strcmp(graph->by_name[i]->module, graph->by_name[first]->module) != 0)
			first = i;
		graph->name_cnt[first]++;
	}
	return 0;
}

/* The first load whose name is the first @len bytes of @name. */
struct load *graph_find_name(const struct graph *graph, const char *name, size_t len)
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
	return graph_find_name(graph, module, strlen(module));
}

/* Loads of a name are in the order of their start. So many reloads in a row are looked past. */
#define RELOADS_MAX 64

struct load *graph_find_at(const struct graph *graph, const char *module, __u64 ts_ns)
{
	struct load *first = graph__find(graph, module);
	__u32 at = first ? graph->name_at[first->seq] : 0;
	__u32 low = 1, high = first ? graph->name_cnt[at] : 1;

	while (low < high) {
		__u32 middle = low + (high - low) / 2;

		if (graph->by_name[at + middle]->start_ns <= ts_ns)
			low = middle + 1;
		else
			high = middle;
	}
	for (int i = 0; low > 1 && i < RELOADS_MAX; i++) {
		if (graph_is_again(graph->by_name[at + --low]))
			return graph->by_name[at + low];
	}
	return first;
}

struct load *graph_package_of(const struct graph *graph, const struct load *load)
{
	const char *dot = load->module ? strrchr(load->module, '.') : NULL;

	return dot ? graph_find_name(graph, load->module, (size_t)(dot - load->module)) : NULL;
}

bool graph_is_on_the_way(const struct load *load)
{
	const struct load *parent = load->parent;

	return parent && parent->module && load->module && parent->importer.file &&
	       parent->importer.file == load->importer.file &&
	       parent->importer.line == load->importer.line &&
	       strcmp(parent->module, load->module) && name_is_in(parent->module, load->module);
}

__u32 graph_own_of(const struct graph *graph, const struct site *site, __u32 src)
{
	const struct load *own = site->module ? graph__find(graph, site->module) : NULL;
	const struct load *load = graph__load(graph, src);

	if (own && load && graph_is_again(load) && load->module &&
	    !strcmp(load->module, own->module))
		return GRAPH_NONE;
	return own && graph_node_of(own) != src ? graph_node_of(own) : GRAPH_NONE;
}

size_t graph_join_loads(const struct graph *graph, struct arc *arcs)
{
	size_t cnt = 0;

	for (__u32 i = 0, last = 0; i < graph->by_name_cnt; i++) {
		__u32 from = graph_node_of(graph->by_name[last]);
		__u32 to = graph_node_of(graph->by_name[i]);

		if (!graph->name_cnt[i] && !graph_is_again(graph->by_name[i]))
			continue;
		if (!graph->name_cnt[i]) {
			arcs[cnt++] = (struct arc){ from, to };
			arcs[cnt++] = (struct arc){ to, from };
		}
		last = i;
	}
	return cnt;
}
