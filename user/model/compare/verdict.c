// SPDX-License-Identifier: BSD-2-Clause
/* Runs of an entry point against its budget. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/advice/advice.h"
#include "model/compare/budget.h"
#include "model/compare/sample.h"
#include "model/compare/verdict_list.h"

/* The run whose value is what was judged, or next to it. */
static size_t nearest_run(const struct runs *runs, __u64 value)
{
	__u64 best = NS_UNKNOWN;
	size_t found = 0;

	for (size_t i = 0; i < runs->cnt; i++) {
		__u64 at = runs->by_run[i], away = at > value ? at - value : value - at;

		if (at == NS_UNKNOWN || (best != NS_UNKNOWN && away >= best))
			continue;
		best = away;
		found = i;
	}
	return found;
}

/* By the values of those runs that have one, which are to be @run_cnt. */
static void judge(struct verdict *verdict, const struct runs *runs, size_t run_cnt)
{
	bool is_timed = metrics[verdict->metric].is_timed;
	size_t cnt = 0;

	for (size_t i = 0; i < runs->cnt; i++)
		if (runs->by_run[i] != NS_UNKNOWN)
			runs->values[cnt++] = runs->by_run[i];
	verdict->value_cnt = cnt;
	if (!cnt || cnt < run_cnt) {
		verdict->result = VERDICT_UNKNOWN;
		return;
	}
	median_of(runs->values, cnt, &verdict->value, &verdict->low, &verdict->high);
	if (!is_timed)
		verdict->value = runs->values[cnt - 1];
	verdict_tell(verdict, runs, nearest_run(runs, verdict->value));
	if (verdict->value <= verdict->max)
		return;
	verdict->result = is_timed && verdict->low <= verdict->max ? VERDICT_NOISY : VERDICT_BROKEN;
}

/* What most of a process's start is about: the dearest thing to defer, or the dearest load. */
static int find_culprit(const struct process *process, const struct load **out)
{
	_cleanup_(advice__freep) struct advice *advice = NULL;
	int err = advice__new(process, &advice);

	if (err)
		return err;
	for (size_t i = 0; i < advice->finding_cnt; i++) {
		if (advice->findings[i].rule != FINDING_DEFER)
			continue;
		*out = advice->findings[i].load;
		return 0;
	}
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		if (load->via != VIA_MAIN && load->self_ns != NS_UNKNOWN &&
		    (!*out || load->self_ns > (*out)->self_ns))
			*out = load;
	}
	return 0;
}

/* Of @loads, the program's own statement that brought most modules or libraries, @most of them. */
static const struct load *find_most(struct load *const *loads, size_t cnt, enum metric metric,
				    __u64 *most)
{
	const struct load *found = NULL;

	*most = 0;
	for (size_t i = 0; i < cnt; i++) {
		__u64 value = loads[i]->importer.file && file_is_own(loads[i]->importer.file) ?
				      metric_of_load(loads[i], metric) : 0;

		if (value == NS_UNKNOWN || value <= *most || loads[i]->via == VIA_MAIN)
			continue;
		found = loads[i];
		*most = value;
	}
	return found;
}

/* Down the program's own modules as long as one statement brings more than half. */
static const struct load *find_bringer(const struct process *process, enum metric metric)
{
	const struct load *found, *next;
	__u64 most, part;

	found = find_most(process->loads, process->load_cnt, metric, &most);
	while (found) {
		next = find_most(found->children, found->child_cnt, metric, &part);
		if (!next || part * 2 <= most)
			break;
		found = next;
		most = part;
	}
	return found;
}

/* How many modules the runs loaded, as far as that is known of each. */
static void count_modules(struct verdict *verdict, const struct runs *runs)
{
	for (size_t i = 0; i < runs->cnt; i++) {
		__u64 cnt = metric_of_process(runs->processes[i], METRIC_MODULES);

		if (cnt == NS_UNKNOWN) {
			verdict->modules = NS_UNKNOWN;
			return;
		}
		if (!i || cnt < verdict->modules_low)
			verdict->modules_low = cnt;
		if (!i || cnt > verdict->modules)
			verdict->modules = cnt;
	}
}

static int check_limits(struct verdicts *result, const struct runs *runs)
{
	int err = 0;

	for (int metric = 0; metric < METRIC_CNT; metric++) {
		const struct limit *limit = &runs->entry->limits[metric];
		struct verdict *verdict;

		if (!limit->is_set)
			continue;
		verdict = verdict_add(result, runs, VERDICT_LIMIT);
		if (!verdict)
			return -ENOMEM;
		verdict->metric = metric;
		verdict->max = limit->max;
		verdict->is_over_floor = limit->is_over_floor;
		count_modules(verdict, runs);
		for (size_t i = 0; i < runs->cnt; i++)
			runs->by_run[i] = metric_against(runs->processes[i], metric,
							 limit->is_over_floor);
		judge(verdict, runs, runs->cnt);
		verdict_needs(verdict, runs, metrics[metric].groups);
		if (verdict->result != VERDICT_BROKEN)
			continue;
		/* What takes the time need not be what brings the modules or libraries. */
		if (metric == METRIC_LIBS || metric == METRIC_MODULES) {
			verdict->load = find_bringer(verdict->process, metric);
			continue;
		}
		err = find_culprit(verdict->process, &verdict->load);
		if (err)
			return err;
	}
	return 0;
}

static bool is_asked(const char *glob, const struct load *load)
{
	return load->module && load->result != LOAD_FAILED && load->via != VIA_MAIN &&
	       !load->is_inherited && glob_matches(glob, load->module);
}

static int check_module(struct verdicts *result, const struct runs *runs,
			const struct budget_modules *rule, const struct load *load, int metric)
{
	struct verdict *verdict = verdict_add(result, runs, VERDICT_MODULE);
	size_t seen = 0;

	if (!verdict)
		return -ENOMEM;
	verdict->metric = metric;
	verdict->max = rule->limits[metric].max;
	verdict->what = load->module;
	for (size_t i = 0; i < runs->cnt; i++) {
		const struct load *at = graph__find(runs->graphs[i], load->module);

		seen += at != NULL;
		runs->by_run[i] = at ? metric_of_load(at, metric) : NS_UNKNOWN;
	}
	judge(verdict, runs, seen);
	verdict->load = load;
	for (size_t i = 0; i < runs->cnt; i++)
		if (runs->processes[i] == verdict->process && verdict->value_cnt)
			verdict->load = graph__find(runs->graphs[i], load->module) ?: load;
	return 0;
}

/* The first run that has it; its first load, as a package's body may have loaded it before. */
static bool is_first(const struct runs *runs, size_t run, const struct load *load)
{
	for (size_t i = 0; i < run; i++)
		if (graph__find(runs->graphs[i], load->module))
			return false;
	return graph__find(runs->graphs[run], load->module) == load;
}

/* Keeps the verdicts on modules beyond their limit; the worst of the others is in @worst. */
static int check_run(struct verdicts *result, const struct runs *runs, size_t run,
		     const struct budget_modules *rule, struct verdict *worst)
{
	const struct process *process = runs->processes[run];
	struct verdict *verdict;

	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		if (!is_asked(rule->glob, load) || !is_first(runs, run, load))
			continue;
		if (check_module(result, runs, rule, load, worst->metric))
			return -ENOMEM;
		verdict = &result->all[result->cnt - 1];
		if (verdict->result != VERDICT_OK)
			continue;
		if (verdict->value >= worst->value)
			*worst = *verdict;
		result->cnt--;
	}
	return 0;
}

/* One verdict for each module beyond its limit, or one for all of them together. */
static int check_rule(struct verdicts *result, const struct runs *runs,
		      const struct budget_modules *rule, int metric)
{
	struct verdict worst = { .metric = metric }, *verdict;
	size_t before = result->cnt;
	bool has_all = true;
	int err = 0;

	for (size_t run = 0; run < runs->cnt; run++)
		has_all &= !process_lacks(runs->processes[run], metrics[metric].groups);
	for (size_t run = 0; has_all && run < runs->cnt && !err; run++)
		err = check_run(result, runs, run, rule, &worst);
	if (err || result->cnt > before)
		return err;
	verdict = verdict_add(result, runs, VERDICT_MODULE);
	if (!verdict)
		return -ENOMEM;
	verdict_needs(verdict, runs, metrics[metric].groups);
	verdict->metric = metric;
	verdict->max = rule->limits[metric].max;
	verdict->what = rule->glob;
	verdict->value = worst.value;
	verdict->low = worst.low;
	verdict->high = worst.high;
	verdict->value_cnt = worst.value_cnt;
	return 0;
}

static int check_modules(struct verdicts *result, const struct runs *runs)
{
	int err = 0;

	for (size_t k = 0; k < runs->entry->module_cnt; k++)
		for (int metric = 0; !err && metric < METRIC_CNT; metric++)
			if (runs->entry->modules[k].limits[metric].is_set)
				err = check_rule(result, runs, &runs->entry->modules[k], metric);
	return err;
}

static int find_runs(struct runs *runs, struct model *const *models, size_t cnt)
{
	runs->processes = calloc(cnt + 1, sizeof(struct process *));
	runs->values = calloc(cnt + 1, sizeof(*runs->values));
	runs->by_run = calloc(cnt + 1, sizeof(*runs->by_run));
	runs->graphs = calloc(cnt + 1, sizeof(struct graph *));
	runs->models = calloc(cnt + 1, sizeof(struct model *));
	if (!runs->processes || !runs->models || !runs->values || !runs->by_run ||
	    !runs->graphs)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++) {
		const struct process *process = budget_find_process(runs->entry, models[i]);

		if (!process)
			continue;
		if (runs->entry->module_cnt && graph__new(process, 0, &runs->graphs[runs->cnt]))
			return -ENOMEM;
		runs->models[runs->cnt] = models[i];
		runs->processes[runs->cnt++] = process;
	}
	return 0;
}

static int check_runs(struct verdicts *result, const struct runs *runs)
{
	const struct budget_entry *entry = runs->entry;
	struct verdict *verdict;
	int err;

	if (!runs->cnt) {
		verdict = verdict_add(result, runs, VERDICT_MISSING);
		if (verdict)
			verdict->result = VERDICT_UNKNOWN;
		return verdict ? 0 : -ENOMEM;
	}
	err = check_limits(result, runs);
	if (!err)
		err = check_modules(result, runs);
	if (!err)
		err = verdict_forbidden(result, runs);
	if (!err && entry->has_allowed)
		err = verdict_allowed(result, runs);
	if (!err && entry->no_network)
		err = verdict_network(result, runs);
	if (!err && entry->no_circular)
		err = verdict_circular(result, runs);
	if (!err && entry->no_compile)
		err = verdict_compile(result, runs);
	return err;
}

int check_entry(struct verdicts *result, const struct budget_entry *entry,
		struct model *const *models, size_t run_cnt)
{
	struct runs runs = { .entry = entry };
	size_t before = result->cnt;
	int err = find_runs(&runs, models, run_cnt);

	if (!result->cnt)
		result->is_complete = true;
	for (size_t i = 0; i < run_cnt; i++)
		result->is_complete &= model__is_complete(models[i]);
	if (!err)
		err = check_runs(result, &runs);
	for (size_t i = before; i < result->cnt; i++) {
		result->broken_cnt += result->all[i].result == VERDICT_BROKEN ||
				      result->all[i].result == VERDICT_UNKNOWN;
		result->noisy_cnt += result->all[i].result == VERDICT_NOISY;
	}
	for (size_t i = 0; runs.graphs && i < runs.cnt; i++)
		graph__free(runs.graphs[i]);
	free(runs.graphs);
	free(runs.processes);
	free(runs.models);
	free(runs.values);
	free(runs.by_run);
	return err;
}

void check_clear(struct verdicts *result)
{
	free(result->all);
	*result = (struct verdicts){};
}
