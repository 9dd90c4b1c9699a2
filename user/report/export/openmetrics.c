// SPDX-License-Identifier: BSD-2-Clause
/*
 * OpenMetrics text, for node_exporter's textfile collector or a push. Samples of a family stand
 * together, names end in their unit, and there are at most --top modules per process (20): labels
 * are what a time series database pays for. What was not measured has no sample.
 */
#include "report/text/measure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/head/loss.h"
#include "report/text/ranking.h"
#include "report/text/walk.h"
#include "report/text/wording.h"

#define METRICS_TOP 20

/* A module of a process: what all loads of that name cost. */
struct module {
	const char *name;
	__u64 self_ns, total_ns;
	long long cost[MEASURE_MAX]; /* of the others */
	bool has_cost[MEASURE_MAX];
};

struct source {
	const struct process *process;
	struct headline headline;
	__u64 ready_ns;         /* since its begin; NS_UNKNOWN */
	struct module *modules; /* dearest first */
	size_t module_cnt;
	bool is_pid_shared;     /* another process of the trace had the same pid */
};

struct metrics {
	const struct view *view;
	struct source *sources;
	size_t source_cnt;
	struct text_buf buf;
};

/* ---- what there is to tell */

static int cmp_name(const void *a, const void *b)
{
	const struct load *x = *(struct load *const *)a, *y = *(struct load *const *)b;
	int order = strcmp(x->module, y->module);

	return order ? order : x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int cmp_cost(const void *a, const void *b)
{
	const struct module *x = a, *y = b;

	if (x->self_ns != y->self_ns)
		return x->self_ns > y->self_ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Inside a load of the same name its time is counted already. */
static bool is_inside_itself(const struct load *load)
{
	for (const struct load *above = load->parent; above; above = above->parent)
		if (above->module && !strcmp(above->module, load->module))
			return true;
	return false;
}

static void add_load(struct module *module, const struct load *load)
{
	module->self_ns += load->self_ns;
	if (!is_inside_itself(load))
		module->total_ns += load->wall_ns;
	for (enum measure measure = MEASURE_CPU; measure < MEASURE_MAX; measure++) {
		long long cost;

		if (!measure_self(measure, load, &cost))
			continue;
		module->cost[measure] += cost;
		module->has_cost[measure] = true;
	}
}

static bool is_module(const struct load *load)
{
	return load->module && load->via != VIA_MAIN && !load->is_inherited &&
	       load->wall_ns != NS_UNKNOWN && load->self_ns != NS_UNKNOWN;
}

static int find_modules(struct source *source)
{
	const struct process *process = source->process;
	_cleanup_free_ struct load **loads = calloc(process->load_cnt + 1, sizeof(struct load *));
	size_t cnt = 0;

	source->modules = calloc(process->load_cnt + 1, sizeof(*source->modules));
	if (!loads || !source->modules)
		return -ENOMEM;
	for (size_t i = 0; i < process->load_cnt; i++)
		if (is_module(process->loads[i]))
			loads[cnt++] = process->loads[i];
	qsort(loads, cnt, sizeof(struct load *), cmp_name);
	for (size_t i = 0; i < cnt; i++) {
		if (!i || strcmp(loads[i]->module, loads[i - 1]->module))
			source->modules[source->module_cnt++].name = loads[i]->module;
		add_load(&source->modules[source->module_cnt - 1], loads[i]);
	}
	qsort(source->modules, source->module_cnt, sizeof(*source->modules), cmp_cost);
	return 0;
}

static int find_sources(struct metrics *metrics)
{
	size_t cnt = model__process_cnt(metrics->view->model);
	int err = 0;

	metrics->sources = calloc(cnt + 1, sizeof(*metrics->sources));
	if (!metrics->sources)
		return -ENOMEM;
	for (size_t i = 0; !err && i < cnt; i++) {
		const struct process *process = model__process(metrics->view->model, i);
		struct source *source = &metrics->sources[metrics->source_cnt];

		if (!process_is_shown(process))
			continue;
		source->process = process;
		for (size_t k = 0; k < metrics->source_cnt; k++)
			source->is_pid_shared |= metrics->sources[k].process->tgid == process->tgid;
		metrics->source_cnt++;
		source->ready_ns = process_since_ns(process, process->ready_ns);
		err = headline_find(process, &source->headline);
		if (!err)
			err = find_modules(source);
	}
	return err;
}

/* ---- how it is told */

/* A label's value: the text for a terminal, then quoted as the format wants it. */
static void put_value(struct metrics *metrics, const char *text)
{
	text_buf__reset(&metrics->buf);
	text_buf__escape(&metrics->buf, text, 0);
	for (const char *at = text_buf__str(&metrics->buf); *at; at++) {
		if (*at == '"' || *at == '\\')
			fputc('\\', metrics->view->out);
		fputc(*at, metrics->view->out);
	}
}

static void put_sample(struct metrics *metrics, const char *name, const struct source *source,
		       const char *label, const char *value)
{
	const struct process *process = source->process;
	struct text_buf program = { 0 };

	phrase_program(process, &program);
	fprintf(metrics->view->out, "%s{", name);
	if (process->tgid) /* a log of -X importtime has none */
		fprintf(metrics->view->out, "pid=\"%u\",", process->tgid);
	fputs("process=\"", metrics->view->out);
	put_value(metrics, process->is_log ? "log" : text_buf__str(&program));
	text_buf__free(&program);
	fputc('"', metrics->view->out);
	if (source->is_pid_shared)
		fprintf(metrics->view->out, ",serial=\"%u\"", process->serial);
	if (label) {
		fprintf(metrics->view->out, ",%s=\"", label);
		put_value(metrics, value);
		fputc('"', metrics->view->out);
	}
	fputs("} ", metrics->view->out);
}

static void put_head(struct metrics *metrics, const char *name, const char *unit, const char *help)
{
	fprintf(metrics->view->out, "# TYPE %s gauge\n", name);
	if (unit)
		fprintf(metrics->view->out, "# UNIT %s %s\n", name, unit);
	fprintf(metrics->view->out, "# HELP %s %s\n", name, help);
}

static void put_seconds(struct metrics *metrics, __u64 ns)
{
	fprintf(metrics->view->out, "%llu.%09llu\n", (unsigned long long)(ns / 1000000000),
		(unsigned long long)(ns % 1000000000));
}

/* A time of each process, at @off in its struct source. */
static void put_times(struct metrics *metrics, const char *name, size_t off, const char *help)
{
	put_head(metrics, name, "seconds", help);
	for (size_t i = 0; i < metrics->source_cnt; i++) {
		const struct source *source = &metrics->sources[i];
		__u64 ns;

		memcpy(&ns, (const char *)source + off, sizeof(ns));
		if (ns == NS_UNKNOWN)
			continue;
		put_sample(metrics, name, source, NULL, NULL);
		put_seconds(metrics, ns);
	}
}

static void put_counts(struct metrics *metrics)
{
	put_head(metrics, "pyimport_modules", NULL, "Imports that did work, by how they ended.");
	for (size_t i = 0; i < metrics->source_cnt; i++) {
		const struct source *source = &metrics->sources[i];
		const struct process *process = source->process;

		put_sample(metrics, "pyimport_modules", source, "result", "loaded");
		fprintf(metrics->view->out, "%u\n", process->loaded_cnt);
		put_sample(metrics, "pyimport_modules", source, "result", "failed");
		fprintf(metrics->view->out, "%u\n", process->failed_cnt);
		put_sample(metrics, "pyimport_modules", source, "result", "unfinished");
		fprintf(metrics->view->out, "%u\n", process->unfinished_cnt);
	}
	put_head(metrics, "pyimport_cached_imports", NULL,
		 "Import statements that found their module loaded.");
	for (size_t i = 0; i < metrics->source_cnt; i++) {
		if (process_cached_cnt(metrics->sources[i].process) == NS_UNKNOWN)
			continue;
		put_sample(metrics, "pyimport_cached_imports", &metrics->sources[i], NULL, NULL);
		fprintf(metrics->view->out, "%llu\n",
			(unsigned long long)metrics->sources[i].process->cached_cnt);
	}
}

static bool has_measure(const struct metrics *metrics, enum measure measure)
{
	for (size_t i = 0; i < metrics->source_cnt; i++)
		for (size_t k = 0; k < metrics->sources[i].module_cnt; k++)
			if (metrics->sources[i].modules[k].has_cost[measure])
				return true;
	return false;
}

static void put_module(struct metrics *metrics, const struct source *source,
		       const struct module *module, const char *name, enum measure measure,
		       bool is_total)
{
	put_sample(metrics, name, source, "module", module->name);
	if (measure == MEASURE_TIME)
		put_seconds(metrics, is_total ? module->total_ns : module->self_ns);
	else if (measure == MEASURE_CPU)
		put_seconds(metrics, module->cost[measure] > 0 ? (__u64)module->cost[measure] : 0);
	else
		fprintf(metrics->view->out, "%lld\n", module->cost[measure]);
}

static void put_modules(struct metrics *metrics)
{
	static const struct {
		const char *name, *unit, *help;
		enum measure measure;
		bool is_total;
	} families[] = {
		{ "pyimport_module_self_seconds", "seconds",
		 "Time of a module's import without what it imports.", MEASURE_TIME, false },
		{ "pyimport_module_total_seconds", "seconds",
		 "Time of a module's import with what it imports.", MEASURE_TIME, true },
		{ "pyimport_module_cpu_seconds", "seconds",
		 "CPU of a module's import without what it imports.", MEASURE_CPU, false },
		{ "pyimport_module_memory_bytes", "bytes",
		 "Resident memory a module's import added.", MEASURE_MEMORY, false },
		{ "pyimport_module_read_bytes", "bytes",
		 "Bytes a module's import read from files.", MEASURE_BYTES, false },
	};
	size_t top = metrics->view->opts.top ? metrics->view->opts.top : METRICS_TOP;

	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
		enum measure measure = families[f].measure;

		if (measure != MEASURE_TIME && !has_measure(metrics, measure))
			continue;
		put_head(metrics, families[f].name, families[f].unit, families[f].help);
		for (size_t i = 0; i < metrics->source_cnt; i++) {
			const struct source *source = &metrics->sources[i];

			for (size_t k = 0; k < source->module_cnt && k < top; k++)
				if (measure == MEASURE_TIME || source->modules[k].has_cost[measure])
					put_module(metrics, source, &source->modules[k],
						   families[f].name, measure, families[f].is_total);
		}
	}
}

static void put_trace(struct metrics *metrics)
{
	const struct model *model = metrics->view->model;

	put_head(metrics, "pyimport_complete", NULL, "1: nothing was lost while tracing.");
	fprintf(metrics->view->out, "pyimport_complete %d\n", model__is_complete(model));
	if (!model__stats(model))
		return;
	put_head(metrics, "pyimport_lost_records", NULL, "What was lost while tracing, by cause.");
	for (const struct loss_counter *counter = loss_counters; counter->name; counter++) {
		unsigned long long value = loss_value(model, counter);

		if (value)
			fprintf(metrics->view->out, "pyimport_lost_records{cause=\"%s\"} %llu\n",
				counter->name, value);
	}
}

int openmetrics_write(const struct view *view)
{
	struct metrics metrics = { .view = view };
	int err = find_sources(&metrics);

	if (!err) {
		put_times(&metrics, "pyimport_startup_seconds",
			  offsetof(struct source, headline.startup_ns),
			  "From exec to the end of the last import of start-up.");
		put_times(&metrics, "pyimport_interpreter_seconds",
			  offsetof(struct source, headline.interpreter_ns),
			  "From exec to where the program is about to run.");
		put_times(&metrics, "pyimport_imports_seconds",
			  offsetof(struct source, headline.imports_ns),
			  "Imports of the main thread during start-up.");
		put_times(&metrics, "pyimport_ready_seconds",
			  offsetof(struct source, ready_ns),
			  "From exec to the first wait for connections.");
		put_times(&metrics, "pyimport_lock_wait_seconds",
			  offsetof(struct source, headline.wait_ns),
			  "Waiting for imports of other threads.");
		put_counts(&metrics);
		put_modules(&metrics);
		put_trace(&metrics);
		fputs("# EOF\n", view->out);
		err = metrics.buf.err;
	}
	for (size_t i = 0; i < metrics.source_cnt; i++)
		free(metrics.sources[i].modules);
	free(metrics.sources);
	text_buf__free(&metrics.buf);
	return err;
}
