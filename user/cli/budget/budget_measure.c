// SPDX-License-Identifier: BSD-2-Clause
/* Limits from runs: counts as they are, times with room for what differs from run to run. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/budget/budget.h"

#define ROOM_PCT 25 /* above the worst of the runs */

static __u64 with_room(enum metric metric, __u64 value)
{
	return metrics[metric].is_timed ? value + value / 100 * ROOM_PCT : value;
}

static void raise_to(struct limit *limit, enum metric metric, __u64 value)
{
	if (value != NS_UNKNOWN && with_room(metric, value) > limit->max)
		limit->max = with_room(metric, value);
}

/* A limit that nothing was measured for stays as it is. */
struct kept { __u64 max[METRIC_CNT]; };

static struct kept start_anew(struct limit *limits)
{
	struct kept kept;

	for (int i = 0; i < METRIC_CNT; i++) {
		kept.max[i] = limits[i].max;
		limits[i].max = 0;
	}
	return kept;
}

static void keep_unmeasured(struct limit *limits, const struct kept *kept, const bool *is_measured)
{
	for (int i = 0; i < METRIC_CNT; i++)
		if (!is_measured[i])
			limits[i].max = kept->max[i];
}

static void measure_module(struct budget_modules *rule, const struct process *process,
			   bool *is_measured)
{
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		if (!load->module || load->result == LOAD_FAILED || load->via == VIA_MAIN ||
		    load->is_inherited || !glob_matches(rule->glob, load->module))
			continue;
		for (int metric = 0; metric < METRIC_CNT; metric++) {
			__u64 value = rule->limits[metric].is_set ?
				      metric_of_load(load, metric) : NS_UNKNOWN;

			is_measured[metric] |= value != NS_UNKNOWN;
			raise_to(&rule->limits[metric], metric, value);
		}
	}
}

static void measure_modules(struct budget_modules *rule, const struct process **processes,
			    size_t cnt)
{
	struct kept kept = start_anew(rule->limits);
	bool is_measured[METRIC_CNT] = {};

	for (size_t i = 0; i < cnt; i++)
		measure_module(rule, processes[i], is_measured);
	keep_unmeasured(rule->limits, &kept, is_measured);
}

static void measure_entry(struct budget_entry *entry, const struct process **processes, size_t cnt)
{
	struct kept kept = start_anew(entry->limits);
	bool is_measured[METRIC_CNT] = {};

	for (size_t i = 0; i < cnt; i++) {
		for (int metric = 0; metric < METRIC_CNT; metric++) {
			const struct limit *limit = &entry->limits[metric];
			__u64 value = limit->is_set ? metric_against(processes[i], metric,
								     limit->is_over_floor) :
						      NS_UNKNOWN;

			is_measured[metric] |= value != NS_UNKNOWN;
			raise_to(&entry->limits[metric], metric, value);
		}
	}
	keep_unmeasured(entry->limits, &kept, is_measured);
}

int budget_measure(struct budget_entry *entry, struct model *const *models, size_t cnt)
{
	_cleanup_free_ const struct process **processes = calloc(cnt + 1, sizeof(struct process *));
	size_t found = 0;

	if (!processes)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++) {
		processes[found] = budget_find_process(entry, models[i]);
		found += processes[found] != NULL;
	}
	if (!found) {
		log_warn("'%.80s' was not seen: its limits stay as they are", entry->name);
		return 0;
	}
	measure_entry(entry, processes, found);
	for (size_t i = 0; i < entry->module_cnt; i++)
		measure_modules(&entry->modules[i], processes, found);
	return 0;
}

/* In YAML's double quotes; arguments can hold anything. */
static void put_quoted(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

int budget_write_first(const char *path, char *const *argv)
{
	FILE *out = fopen(path, "wxe");
	int err = out ? 0 : -errno;

	if (err)
		return log_err(err, "cannot write the budget %s", path);
	fputs("# What this start-up may cost: docs/budget.md of pyimport-bpf. `check --update` measures anew.\n"
	      "version: 1\nentries:\n  - name: start-up\n", out);
	if (argv) {
		fputs("    command: [", out);
		for (size_t i = 0; argv[i]; i++) {
			fputs(i ? ", " : "", out);
			put_quoted(argv[i], out);
		}
		fputs("]\n", out);
	}
	fputs("    limits:\n      time: 0 ms\n      modules: 0\n      shared_objects: 0\n"
	      "    circular: true\n", out);
	if (ferror(out))
		err = -EIO;
	if (fclose(out) && !err)
		err = -errno;
	if (err)
		log_err(err, "cannot write the budget %s", path);
	return err;
}
