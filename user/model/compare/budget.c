// SPDX-License-Identifier: BSD-2-Clause
/* What can be limited, and where its value is found in a process or a load. */
#include "model/compare/budget.h"

#include <stdlib.h>
#include <string.h>

const struct metric_info metrics[METRIC_CNT] = {
	[METRIC_TIME] = { "time", UNIT_NS, true, true, 0 },
	[METRIC_CPU] = { "cpu", UNIT_NS, true, true, PYI_GROUP_CPU },
	[METRIC_READY] = { "ready", UNIT_NS, true, false, PYI_GROUP_PHASES },
	[METRIC_MEMORY] = { "memory", UNIT_BYTES, true, true, PYI_GROUP_MEMORY },
	[METRIC_MODULES] = { "modules", UNIT_COUNT, false, true, 0 },
	[METRIC_OPENS] = { "opens", UNIT_COUNT, false, true, PYI_GROUP_FILES },
	[METRIC_MISSES] = { "misses", UNIT_COUNT, false, true, PYI_GROUP_FILES },
	[METRIC_BYTES] = { "bytes", UNIT_BYTES, false, true, PYI_GROUP_FILES },
	[METRIC_LIBS] = { "shared_objects", UNIT_COUNT, false, false, 0 },
};

static __u64 count_libs(const struct process *process)
{
	__u64 cnt = process->other_lib_cnt;

	for (size_t i = 0; i < process->lib_cnt; i++)
		cnt += !process->libs[i]->failed;
	return cnt;
}

static __u64 of_charge(const struct pyi_charge *charge, __u32 measured, enum metric metric)
{
	if (metrics[metric].groups & ~measured)
		return NS_UNKNOWN;
	switch (metric) {
	case METRIC_CPU: return charge->cpu_ns;
	case METRIC_OPENS: return charge->opens;
	case METRIC_MISSES: return charge->open_misses + charge->stat_misses;
	case METRIC_BYTES: return charge->bytes_read;
	default: return NS_UNKNOWN;
	}
}

__u64 metric_of_process(const struct process *process, enum metric metric)
{
	switch (metric) {
	case METRIC_TIME: return process->startup.wall_ns;
	case METRIC_READY: return process_since_ns(process, process->ready_ns);
	case METRIC_MODULES: return process->loaded_cnt;
	case METRIC_LIBS: return count_libs(process);
	case METRIC_MEMORY:
		return process->measured & PYI_GROUP_MEMORY && process->total.rss_peak ?
		       process->total.rss_peak : NS_UNKNOWN;
	default: return of_charge(&process->total, process->measured, metric);
	}
}

__u64 metric_against(const struct process *process, enum metric metric, bool is_over_floor)
{
	__u64 floor_ns = process->startup.interpreter_ns;
	__u64 value = metric_of_process(process, metric);

	if (!is_over_floor || value == NS_UNKNOWN)
		return value;
	if (floor_ns == NS_UNKNOWN)
		return NS_UNKNOWN;
	return value > floor_ns ? value - floor_ns : 0;
}

/* With itself; without recursion, in order of seq: what it loaded follows it. */
static __u64 count_below(const struct load *load)
{
	const struct process *process = load->process;
	__u64 cnt = 0;

	for (size_t i = load->seq; i < process->load_cnt; i++) {
		const struct load *at = process->loads[i], *above = at;

		if (at->start_ns > load_end_ns(load))
			break;
		while (above && above != load && above->seq > load->seq)
			above = above->parent;
		cnt += above == load && at->result != LOAD_FAILED;
	}
	return cnt;
}

__u64 metric_of_load(const struct load *load, enum metric metric)
{
	__s64 bytes;

	switch (metric) {
	case METRIC_TIME: return load->wall_ns;
	case METRIC_CPU: return load->cpu_ns;
	case METRIC_MODULES: return count_below(load);
	case METRIC_MEMORY:
		if (!(load->process->measured & PYI_GROUP_MEMORY))
			return NS_UNKNOWN;
		bytes = (__s64)(load->charge_all->rss_anon + load->charge_all->rss_file);
		return bytes > 0 ? (__u64)bytes : 0;
	default: return of_charge(load->charge_all, load->process->measured, metric);
	}
}

bool glob_matches(const char *glob, const char *text)
{
	const char *star = NULL, *again = NULL;

	while (*text) {
		if (*glob == '*') {
			star = glob++;
			again = text;
		} else if (*glob == '?' || *glob == *text) {
			glob++;
			text++;
		} else if (star) {
			glob = star + 1;
			text = ++again;
		} else {
			return false;
		}
	}
	return !glob[strspn(glob, "*")];
}

static bool is_candidate(const struct process *process)
{
	return process->is_python || process->loaded_cnt;
}

static bool matches(const char *glob, const struct process *process)
{
	char line[4096];
	size_t at = 0;

	for (size_t i = 0; i < process->argc && at < sizeof(line) - 1; i++) {
		size_t len = strlen(process->argv[i]);

		if (i)
			line[at++] = ' ';
		len = len < sizeof(line) - 1 - at ? len : sizeof(line) - 1 - at;
		memcpy(line + at, process->argv[i], len);
		at += len;
	}
	line[at] = '\0';
	return glob_matches(glob, line);
}

const struct process *budget_find_process(const struct budget_entry *entry,
					  const struct model *model)
{
	const struct process *process;

	for (size_t i = 0; (process = model__process(model, i)); i++)
		if (is_candidate(process) && (!entry->match || matches(entry->match, process))) {
			while (process->next) /* one start-up, judged as a whole */
				process = process->next;
			return process;
		}
	return NULL;
}

static void free_all(char **texts, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		free(texts[i]);
	free(texts);
}

void budget_clear(struct budget *budget)
{
	for (size_t i = 0; i < budget->entry_cnt; i++) {
		struct budget_entry *entry = &budget->entries[i];

		for (size_t k = 0; k < entry->module_cnt; k++)
			free(entry->modules[k].glob);
		free(entry->modules);
		free_all(entry->argv, entry->argc);
		free_all(entry->forbidden, entry->forbidden_cnt);
		free_all(entry->allowed, entry->allowed_cnt);
		free(entry->name);
		free(entry->match);
	}
	free(budget->entries);
	*budget = (struct budget){};
}
