// SPDX-License-Identifier: BSD-2-Clause
/* Findings about what is not an import of start-up: imports of a ready service, large files. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "model/advice/finding_kinds.h"
#include "model/lazy.h"
#include "model/tree/late_imports.h"

#define LATE_MIN_NS 1000000

/* By seq of a load: the first statement that caused it and whose callers are known, or NULL. */
static const struct edge **find_called(const struct process *process)
{
	const struct edge **called = calloc(process->load_cnt + 1, sizeof(*called));

	for (size_t i = 0; called && i < process->edge_cnt; i++) {
		const struct edge *edge = process->edges[i];

		if (edge->callers && edge->load && !called[edge->load->seq])
			called[edge->load->seq] = edge;
	}
	return called;
}

int advice_add_late(struct advice *advice, const struct process *process)
{
	_cleanup_free_ const struct edge **called = NULL;

	if (process->ready_ns == NS_UNKNOWN)
		return 0;
	called = find_called(process);
	if (!called)
		return -ENOMEM;
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];
		struct finding *finding;

		if (!load_is_late_top(load) || load->wall_ns == NS_UNKNOWN ||
		    load->wall_ns < LATE_MIN_NS)
			continue;
		finding = advice_add(advice);
		if (!finding)
			return -ENOMEM;
		finding->rule = FINDING_LATE;
		finding->site = load->importer;
		finding->load = load;
		finding->confidence = CONFIDENCE_HIGH;
		/* An import of the program's own is its own place. */
		if (called[load->seq] && !file_is_own(load->importer.file))
			finding->caller_site = advice_caller(called[load->seq],
							     advice->gains->graph, NULL);
		finding->is_waiter = load->tid == process->ready_tid;
		finding->observed_ns = load->wall_ns;
	}
	return 0;
}

/* The statement is the one that used the name: that is what can be changed. */
int advice_add_lazy(struct advice *advice, const struct process *process)
{
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];
		const struct site *declared = load_declared_at(load);
		struct finding *finding;

		if (load->via != VIA_LAZY || !declared || load->result != LOAD_LOADED ||
		    !load_is_startup(load))
			continue;
		finding = advice_add(advice);
		if (!finding)
			return -ENOMEM;
		finding->rule = FINDING_LAZY;
		finding->site = load->importer;
		finding->other = *declared;
		finding->load = load;
		finding->confidence = CONFIDENCE_HIGH;
		finding->observed_ns = load->wall_ns;
	}
	return 0;
}

int advice_add_same(struct advice *advice, const struct process *process)
{
	for (size_t i = 0; i < process->same_cnt; i++) {
		const struct same_files *same = process->same[i];
		struct finding *finding = advice_add(advice);

		if (!finding)
			return -ENOMEM;
		finding->rule = FINDING_SAME;
		finding->same_files = same;
		finding->confidence = same->compared < same->size ? CONFIDENCE_MEDIUM :
								    CONFIDENCE_HIGH;
	}
	return 0;
}
