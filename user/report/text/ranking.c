// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which loads matter: rankings, and the figures of the headline, which are those of struct
 * startup.
 */
#include "report/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/text/ranking.h"
#include "report/text/walk.h"

/* Below this, telling what most of the time went into helps nobody. */
#define HEAVY_MIN_NS 5000000

static int cmp_ns(__u64 a, __u64 b)
{
	if (a == b)
		return 0;
	if (a == NS_UNKNOWN || b == NS_UNKNOWN)
		return a == NS_UNKNOWN ? 1 : -1;
	return a > b ? -1 : 1;
}

static int cmp_self(const void *a, const void *b)
{
	const struct load *x = *(struct load *const *)a, *y = *(struct load *const *)b;
	int order = cmp_ns(x->self_ns, y->self_ns);

	return order ? order : x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int cmp_total(const void *a, const void *b)
{
	const struct load *x = *(struct load *const *)a, *y = *(struct load *const *)b;
	int order = cmp_ns(x->wall_ns, y->wall_ns);

	return order ? order : x->seq < y->seq ? -1 : x->seq > y->seq;
}

int rank_loads(const struct process *process, enum rank by, struct load ***out)
{
	struct load **loads = calloc(process->load_cnt + 1, sizeof(struct load *));

	if (!loads)
		return -ENOMEM;
	if (process->load_cnt)
		memcpy(loads, process->loads, process->load_cnt * sizeof(struct load *));
	qsort(loads, process->load_cnt, sizeof(struct load *),
	      by == RANK_SELF ? cmp_self : cmp_total);
	*out = loads;
	return 0;
}

__u64 process_base_ns(const struct process *process)
{
	if (process->is_late)
		return process->load_cnt ? process->loads[0]->start_ns : process->start_ns;
	return process->exec_ns != NS_UNKNOWN ? process->exec_ns : process->start_ns;
}

static bool is_same_package(const char *a, const char *b)
{
	size_t a_sz = a ? strcspn(a, ".") : 0, b_sz = b ? strcspn(b, ".") : 0;

	return a_sz && a_sz == b_sz && !memcmp(a, b, a_sz);
}

/*
 * The deepest load that still holds at least half of all import time, then up again within its
 * package: the answer wanted is "pandas", not "app" and not "pandas.core.api".
 */
static const struct load *find_heavy(const struct load *dearest, __u64 half_ns)
{
	const struct load *load = dearest;

	if (!load || load->wall_ns < half_ns)
		return NULL;
	for (;;) {
		const struct load *next = NULL;

		for (size_t i = 0; i < load->child_cnt; i++) {
			const struct load *child = load->children[i];

			if (child->wall_ns != NS_UNKNOWN && child->wall_ns >= half_ns &&
			    (!next || child->wall_ns > next->wall_ns))
				next = child;
		}
		if (!next)
			break;
		load = next;
	}
	while (load != dearest && load->parent &&
	       is_same_package(load->parent->module, load->module))
		load = load->parent;
	return load;
}

static int count_threads(const struct process *process, size_t *cnt)
{
	_cleanup_free_ struct load **roots = NULL;
	int err = walk_roots(process, &roots);

	if (err)
		return err;
	*cnt = 0;
	for (size_t i = 0; i < process->root_cnt; i++)
		*cnt += !i || roots[i]->tid != roots[i - 1]->tid;
	return 0;
}

int headline_find(const struct process *process, struct headline *headline)
{
	const struct load *dearest = NULL;
	const struct startup *startup = &process->startup;

	*headline = (struct headline){
		.startup_ns = startup->wall_ns, .interpreter_ns = startup->interpreter_ns,
		.imports_ns = startup->imports_ns, .main_self_ns = NS_UNKNOWN,
	};
	/* Then all that is known is what they took on all threads. */
	if (startup->by == STARTUP_UNKNOWN && (process->own_ns || process->load_cnt))
		headline->imports_ns = process->own_ns;
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		headline->approx_cnt += !load->is_exact;
		if (load->via == VIA_MAIN && load->tid == process->tgid && !load->parent)
			headline->main_self_ns = load->self_ns;
		if (load->lock_wait_ns && load->lock_wait_ns != NS_UNKNOWN) {
			headline->wait_cnt++;
			headline->wait_ns += load->lock_wait_ns;
			if (!headline->longest_wait ||
			    load->lock_wait_ns > headline->longest_wait->lock_wait_ns)
				headline->longest_wait = load;
		}
		if (!load_is_top(load) || !load_is_startup(load))
			continue;
		if (!dearest || load->wall_ns > dearest->wall_ns)
			dearest = load;
	}
	if (headline->imports_ns != NS_UNKNOWN && headline->imports_ns >= HEAVY_MIN_NS) {
		headline->heavy = find_heavy(dearest, headline->imports_ns / 2 + 1);
		if (headline->heavy)
			headline->heavy_pct = (unsigned int)((double)headline->heavy->wall_ns *
							     100 / (double)headline->imports_ns);
	}
	return count_threads(process, &headline->thread_cnt);
}

__u64 view_least_ns(const struct view *view, const struct process *process)
{
	struct headline headline;

	if (view->opts.min_share <= 0 || headline_find(process, &headline) ||
	    headline.imports_ns == NS_UNKNOWN)
		return 0;
	return (__u64)((double)headline.imports_ns * view->opts.min_share);
}
