// SPDX-License-Identifier: BSD-2-Clause
/* See metrics.h. Times are seconds, sizes bytes, and sums end in _total. */
#include "agent/metrics.h"

#include <stdio_ext.h>
#include <string.h>

#include "report/head/loss.h"

struct writer {
	const struct snapshot *snapshot;
	FILE *out;
	bool is_openmetrics;
	char limits[BUCKET_CNT][16]; /* of buckets, as OpenMetrics writes numbers: 1.0, not 1 */
};

const struct time_metric time_metrics[TIME_CNT] = {
	[TIME_STARTUP] = { "pyimport_startup_seconds", "From exec to when it was ready, or to the end of its run of imports." },
	[TIME_INTERPRETER] = { "pyimport_interpreter_seconds", "From exec to where the program is about to run." },
	[TIME_IMPORTS] = { "pyimport_imports_seconds", "Imports of the main thread during start-up." },
	[TIME_READY] = { "pyimport_ready_seconds", "From exec to the first wait for connections." },
};

const struct count_metric count_metrics[COUNT_CNT] = {
	[COUNT_STARTS] = { "pyimport_starts", NULL, NULL, "Start-ups that are over, of programs and of workers that became ready." },
	[COUNT_FAILED_STARTS] = { "pyimport_failed_starts", NULL, NULL, "Of these, those that ended with an error before the start-up was over, or within a second of it." },
	[COUNT_LOADED] = { "pyimport_modules", NULL, "loaded", "Imports that did work in start-ups, by how they ended." },
	[COUNT_FAILED] = { "pyimport_modules", NULL, "failed", NULL },
	[COUNT_UNFINISHED] = { "pyimport_modules", NULL, "unfinished", NULL },
	[COUNT_COMPILED] = { "pyimport_compiled_modules", NULL, NULL, "Modules that start-ups compiled from source, as there was no valid .pyc." },
	[COUNT_READ_BYTES] = { "pyimport_read_bytes", "bytes", NULL, "Bytes that imports of start-ups read from files, cached or not." },
	[COUNT_DISK_BYTES] = { "pyimport_disk_read_bytes", "bytes", NULL, "Bytes that imports of start-ups had to read from a disk." },
	[COUNT_NET] = { "pyimport_network_uses", NULL, NULL, "Connections and look-ups of names made inside imports of start-ups." },
	[COUNT_NET_BLOCKED_NS] = { "pyimport_network_blocked_seconds", "seconds", NULL, "Time that imports of start-ups waited for these." },
	[COUNT_LATE] = { "pyimport_late_imports", NULL, NULL, "Imports that services made after they were ready." },
	[COUNT_LATE_NS] = { "pyimport_late_imports_seconds", "seconds", NULL, "Time of these." },
	[COUNT_LATE_BLOCKED_NS] = { "pyimport_late_imports_blocked_seconds", "seconds", NULL, "Of that, time in which the thread that waits for connections could not." },
};

static void put_head(const struct writer *to, const char *name, const char *type, const char *unit,
		     const char *help)
{
	const char *suffix = "";

	/* There, a family is called as its samples are. */
	if (!to->is_openmetrics && !strcmp(type, "counter"))
		suffix = "_total";
	if (!to->is_openmetrics && !strcmp(type, "info")) {
		suffix = "_info";
		type = "gauge";
	}
	fprintf(to->out, "# TYPE %s%s %s\n", name, suffix, type);
	if (unit && to->is_openmetrics)
		fprintf(to->out, "# UNIT %s %s\n", name, unit);
	fprintf(to->out, "# HELP %s%s %s\n", name, suffix, help);
}

/* Harmless text already: what is left is quoting. */
static void put_label(const struct writer *to, const char *name, const char *value)
{
	size_t sz;

	fputs(name, to->out);
	fputs("=\"", to->out);
	for (;; value += sz) {
		sz = strcspn(value, "\"\\");
		fwrite(value, 1, sz, to->out);
		if (!value[sz])
			break;
		fputc('\\', to->out);
		fputc(value[sz++], to->out);
	}
	fputc('"', to->out);
}

static void put_labels(const struct writer *to, const struct labels *labels)
{
	struct label list[LABEL_CNT];

	put_label(to, "entry", labels->entry);
	labels_list(labels, list);
	for (size_t i = 0; i < LABEL_CNT; i++) {
		if (!list[i].value[0])
			continue;
		fputc(',', to->out);
		put_label(to, list[i].name, list[i].value);
	}
}

static void put_seconds(const struct writer *to, __u64 ns)
{
	fprintf(to->out, "%llu.%09llu\n", ns / 1000000000, ns % 1000000000);
}

static void put_histogram(const struct writer *to, const char *name, const struct series *series,
			  const struct histogram *histogram)
{
	__u64 sum = 0;

	for (size_t i = 0; i <= BUCKET_CNT; i++) {
		sum = i < BUCKET_CNT ? sum + histogram->buckets[i] : histogram->cnt;
		fprintf(to->out, "%s_bucket{", name);
		put_labels(to, &series->labels);
		fprintf(to->out, ",le=\"%s\"} %llu\n", i < BUCKET_CNT ? to->limits[i] : "+Inf", sum);
	}
	fprintf(to->out, "%s_sum{", name);
	put_labels(to, &series->labels);
	fputs("} ", to->out);
	put_seconds(to, histogram->sum_ns);
	fprintf(to->out, "%s_count{", name);
	put_labels(to, &series->labels);
	fprintf(to->out, "} %llu\n", histogram->cnt);
}

static void put_times(const struct writer *to)
{
	const struct series_table *table = &to->snapshot->table;

	for (size_t i = 0; i < TIME_CNT; i++) {
		put_head(to, time_metrics[i].name, "histogram", "seconds", time_metrics[i].help);
		for (size_t k = 0; k < table->cnt; k++)
			if (table->series[k].times[i].cnt)
				put_histogram(to, time_metrics[i].name, &table->series[k],
					      &table->series[k].times[i]);
	}
}

static void put_count(const struct writer *to, enum series_count count, const struct series *series)
{
	__u64 value = series->counts[count];

	fprintf(to->out, "%s_total{", count_metrics[count].name);
	put_labels(to, &series->labels);
	if (count_metrics[count].result)
		fprintf(to->out, ",result=\"%s\"", count_metrics[count].result);
	fputs("} ", to->out);
	if (count_metrics[count].unit && !strcmp(count_metrics[count].unit, "seconds"))
		put_seconds(to, value);
	else
		fprintf(to->out, "%llu\n", value);
}

static void put_counts(const struct writer *to)
{
	const struct series_table *table = &to->snapshot->table;

	for (enum series_count i = 0; i < COUNT_CNT; i++) {
		if (count_metrics[i].help)
			put_head(to, count_metrics[i].name, "counter", count_metrics[i].unit, count_metrics[i].help);
		for (size_t k = 0; k < table->cnt; k++)
			if (k || table->series[k].last_ns)
				put_count(to, i, &table->series[k]);
	}
}

static void put_modules(const struct writer *to)
{
	const struct snapshot *snapshot = to->snapshot;

	put_head(to, "pyimport_module_self_seconds", "counter", "seconds",
		 "Time of the slowest modules' imports in start-ups, without what they import.");
	for (size_t i = 0; i < snapshot->top_cnt; i++) {
		fputs("pyimport_module_self_seconds_total{", to->out);
		put_label(to, "module", snapshot->top[i].name);
		fputs("} ", to->out);
		put_seconds(to, snapshot->top[i].self_ns);
	}
	put_head(to, "pyimport_module_loads", "counter", NULL, "Imports of these modules in start-ups.");
	for (size_t i = 0; i < snapshot->top_cnt; i++) {
		fputs("pyimport_module_loads_total{", to->out);
		put_label(to, "module", snapshot->top[i].name);
		fprintf(to->out, "} %llu\n", snapshot->top[i].cnt);
	}
}

static void put_losses(const struct writer *to)
{
	const struct agent_state *state = &to->snapshot->state;

	put_head(to, "pyimport_complete", "gauge", NULL, "1: nothing was lost while tracing.");
	fprintf(to->out, "pyimport_complete %d\n", state->is_complete);
	put_head(to, "pyimport_lost_records", "counter", NULL, "What was lost while tracing, by cause.");
	for (size_t i = 0; i < LOSSES_MAX && loss_counters[i].name; i++)
		fprintf(to->out, "pyimport_lost_records_total{cause=\"%s\"} %llu\n",
			loss_counters[i].name, state->losses[i]);
}

static void put_number(const struct writer *to, const char *name, const char *type,
		       const char *unit, __u64 value, const char *help)
{
	put_head(to, name, type, unit, help);
	fprintf(to->out, "%s%s %llu\n", name, strcmp(type, "counter") ? "" : "_total", value);
}

static void put_cost(const struct writer *to)
{
	const struct snapshot *snapshot = to->snapshot;
	const struct agent_state *state = &snapshot->state;

	put_head(to, "pyimport_agent", "info", NULL, "The agent.");
	fprintf(to->out, "pyimport_agent_info{version=\"%s\"} 1\n", PYIMPORT_VERSION);
	put_number(to, "pyimport_agent_series", "gauge", NULL, snapshot->table.cnt - 1,
		   "Entry points told apart.");
	put_number(to, "pyimport_agent_series_limit", "gauge", NULL, snapshot->table.max - 1,
		   "How many there may be.");
	put_number(to, "pyimport_agent_other", "counter", NULL, snapshot->table.refused_cnt,
		   "Start-ups and late imports that are counted under other.");
	put_number(to, "pyimport_agent_records", "counter", NULL, state->record_cnt,
		   "Records that came from the kernel.");
	put_number(to, "pyimport_agent_scrapes", "counter", NULL, state->scrape_cnt,
		   "Answers to requests for metrics.");
	put_number(to, "pyimport_agent_config_reloads", "counter", NULL, state->reload_cnt,
		   "How often SIGHUP asked to read the configuration again.");
	put_number(to, "pyimport_agent_config_last_reload_successful", "gauge", NULL,
		   state->is_config_good, "1: the configuration was right the last time it was read.");
	put_head(to, "pyimport_agent_holder_cpu_seconds", "counter", "seconds",
		 "CPU time of the process that holds what starts.");
	fputs("pyimport_agent_holder_cpu_seconds_total ", to->out);
	put_seconds(to, state->holder_cpu_ns);
	put_number(to, "pyimport_agent_holder_resident_bytes", "gauge", "bytes",
		   state->holder_resident_bytes, "Resident memory of the process that holds what starts.");
	put_head(to, "process_cpu_seconds", "counter", "seconds", "CPU time of the agent.");
	fputs("process_cpu_seconds_total ", to->out);
	put_seconds(to, state->cpu_ns);
	put_number(to, "process_resident_memory_bytes", "gauge", "bytes", state->resident_bytes,
		   "Resident memory of the agent.");
	put_number(to, "pyimport_agent_heap_bytes", "gauge", "bytes", state->heap_bytes,
		   "What the agent has allocated.");
	put_number(to, "pyimport_agent_startups", "gauge", NULL, state->memory.startup_cnt,
		   "Start-ups in memory: of any program, under way or over within the last seconds.");
	put_number(to, "pyimport_agent_processes", "gauge", NULL, state->memory.tail_cnt,
		   "Processes whose start-up has been told and that run on.");
	put_number(to, "pyimport_agent_kept_bytes", "gauge", "bytes", state->memory.kept_bytes,
		   "Records that are kept until it is known whether a capture is made of them.");
	put_number(to, "process_start_time_seconds", "gauge", "seconds", state->start_s,
		   "When the agent began, since the epoch.");
}

static void put_push(const struct writer *to)
{
	const struct push_stats *push = &to->snapshot->state.push;

	if (!to->snapshot->state.has_push)
		return;
	put_number(to, "pyimport_agent_otlp_documents", "counter", NULL, push->sent_cnt,
		   "Documents that the collector took.");
	put_number(to, "pyimport_agent_otlp_failures", "counter", NULL, push->failed_cnt,
		   "Attempts that failed.");
	put_number(to, "pyimport_agent_otlp_dropped", "counter", NULL, push->dropped_cnt,
		   "Traces of slow start-ups that never arrived.");
	put_number(to, "pyimport_agent_otlp_waiting", "gauge", NULL, push->waiting_cnt,
		   "Traces of slow start-ups that wait to be sent.");
}

static void put_spool(const struct writer *to)
{
	const struct spool_stats *spool = &to->snapshot->state.spool;

	if (!to->snapshot->state.has_spool)
		return;
	put_number(to, "pyimport_agent_spool_captures", "counter", NULL, spool->kept_cnt,
		   "Captures of start-ups that were kept.");
	put_number(to, "pyimport_agent_spool_failures", "counter", NULL, spool->failed_cnt,
		   "Captures that could not be written.");
	put_number(to, "pyimport_agent_spool_removed", "counter", NULL, spool->dropped_cnt,
		   "Captures that were removed by a limit.");
	put_number(to, "pyimport_agent_spool_files", "gauge", NULL, spool->files,
		   "Captures in the spool.");
	put_number(to, "pyimport_agent_spool_bytes", "gauge", "bytes", spool->bytes,
		   "What they take.");
}

void metrics_write(const struct snapshot *snapshot, bool is_openmetrics, FILE *out)
{
	struct writer to = { .snapshot = snapshot, .out = out, .is_openmetrics = is_openmetrics };

	for (size_t i = 0; i < BUCKET_CNT; i++)
		snprintf(to.limits[i], sizeof(to.limits[i]), "%g%s", bucket_ns[i] / 1e9,
			 bucket_ns[i] % 1000000000 ? "" : ".0");
	__fsetlocking(out, FSETLOCKING_BYCALLER); /* nobody else has it */
	put_times(&to);
	put_counts(&to);
	put_modules(&to);
	put_losses(&to);
	put_cost(&to);
	put_spool(&to);
	put_push(&to);
	if (is_openmetrics)
		fputs("# EOF\n", out);
}
