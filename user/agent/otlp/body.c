// SPDX-License-Identifier: BSD-2-Clause
/*
 * See body.h. Metrics have the names that Prometheus reads, without _total. Traces are what
 * `report --format otlp` writes of the same capture.
 */
#include "agent/otlp/body.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "agent/metrics.h"
#include "agent/otlp/proto.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "model/model.h"
#include "model/tape/tape.h"
#include "report/head/loss.h"
#include "report/report.h"

#define CUMULATIVE 2
#define SHARE_LEAST 0.005 /* of all imports: shorter ones are folded into the one around them */

struct body {
	const struct snapshot *snapshot;
	json_t *metrics;
	char now[24], start[24]; /* nanoseconds since the epoch */
	bool has_failed;
};

/* 64-bit integers are strings in protobuf's JSON. */
static json_t *number(__u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", value);
	return json_string(text);
}

static void add(struct body *body, json_t *list, json_t *item)
{
	if (!list || !item || json_array_append_new(list, item))
		body->has_failed = true;
}

static json_t *attribute(const char *key, const char *text)
{
	return json_pack("{s:s, s:{s:s}}", "key", key, "value", "stringValue", text);
}

static json_t *attributes_of(struct body *body, const struct labels *labels)
{
	json_t *list = json_array();
	struct label more[LABEL_CNT];

	add(body, list, attribute("entry", labels->entry));
	labels_list(labels, more);
	for (size_t i = 0; i < LABEL_CNT; i++)
		if (more[i].value[0])
			add(body, list, attribute(more[i].name, more[i].value));
	return list;
}

static const char *unit_of(const char *unit)
{
	return !unit ? "" : !strcmp(unit, "seconds") ? "s" : "By";
}

/* Points are stolen. */
static void add_sum(struct body *body, const char *name, const char *unit, json_t *points)
{
	add(body, body->metrics,
	    json_pack("{s:s, s:s, s:{s:o, s:i, s:b}}", "name", name, "unit", unit_of(unit), "sum",
		      "dataPoints", points, "aggregationTemporality", CUMULATIVE, "isMonotonic", 1));
}

/* Attributes are stolen; times are seconds, all else whole numbers. */
static json_t *new_point(const struct body *body, json_t *attributes, const char *unit, __u64 value)
{
	bool is_time = unit && !strcmp(unit, "seconds");

	return json_pack("{s:o, s:s, s:s, s:o}", "attributes", attributes, "startTimeUnixNano",
			 body->start, "timeUnixNano", body->now,
			 is_time ? "asDouble" : "asInt",
			 is_time ? json_real((double)value / 1e9) : number(value));
}

static json_t *new_histogram(const struct body *body, json_t *attributes,
			     const struct histogram *histogram)
{
	json_t *counts = json_array(), *bounds = json_array();
	__u64 left = histogram->cnt;

	for (size_t i = 0; i < BUCKET_CNT; i++) {
		json_array_append_new(counts, number(histogram->buckets[i]));
		json_array_append_new(bounds, json_real((double)bucket_ns[i] / 1e9));
		left -= histogram->buckets[i];
	}
	json_array_append_new(counts, number(left));
	return json_pack("{s:o, s:s, s:s, s:o, s:f, s:o, s:o}", "attributes", attributes,
			 "startTimeUnixNano", body->start, "timeUnixNano", body->now, "count",
			 number(histogram->cnt), "sum", (double)histogram->sum_ns / 1e9,
			 "bucketCounts", counts, "explicitBounds", bounds);
}

static void add_times(struct body *body)
{
	const struct series_table *table = &body->snapshot->table;

	for (size_t i = 0; i < TIME_CNT; i++) {
		json_t *points = json_array();

		for (size_t k = 0; k < table->cnt; k++) {
			const struct series *series = &table->series[k];

			if (series->times[i].cnt)
				add(body, points,
				    new_histogram(body, attributes_of(body, &series->labels),
						  &series->times[i]));
		}
		add(body, body->metrics,
		    json_pack("{s:s, s:s, s:{s:o, s:i}}", "name", time_metrics[i].name, "unit", "s",
			      "histogram", "dataPoints", points, "aggregationTemporality",
			      CUMULATIVE));
	}
}

/* Those of one name are one metric. */
static void add_counts(struct body *body)
{
	const struct series_table *table = &body->snapshot->table;
	json_t *points = NULL;

	for (size_t i = 0; i < COUNT_CNT; i++) {
		const struct count_metric *metric = &count_metrics[i];

		if (metric->help)
			points = json_array();
		for (size_t k = 0; k < table->cnt; k++) {
			const struct series *series = &table->series[k];
			json_t *attributes;

			if (!k && !series->last_ns)
				continue;
			attributes = attributes_of(body, &series->labels);
			if (metric->result)
				add(body, attributes, attribute("result", metric->result));
			add(body, points,
			    new_point(body, attributes, metric->unit, series->counts[i]));
		}
		if (i + 1 == COUNT_CNT || count_metrics[i + 1].help)
			add_sum(body, metric->name, metric->unit, points);
	}
}

static void add_rest(struct body *body)
{
	const struct snapshot *snapshot = body->snapshot;
	const struct agent_state *state = &snapshot->state;
	json_t *times = json_array(), *losses = json_array(), *cpu = json_array();

	for (size_t i = 0; i < snapshot->top_cnt; i++) {
		const struct module *module = &snapshot->top[i];

		add(body, times,
		    new_point(body, json_pack("[o]", attribute("module", module->name)),
			      "seconds", module->self_ns));
	}
	add_sum(body, "pyimport_module_self_seconds", "seconds", times);
	for (size_t i = 0; i < LOSSES_MAX && loss_counters[i].name; i++) {
		json_t *cause = attribute("cause", loss_counters[i].name);

		add(body, losses,
		    new_point(body, json_pack("[o]", cause), NULL, state->losses[i]));
	}
	add_sum(body, "pyimport_lost_records", NULL, losses);
	add(body, cpu, new_point(body, json_array(), "seconds", state->cpu_ns));
	add_sum(body, "process_cpu_seconds", "seconds", cpu);
}

static json_t *new_resource(struct body *body)
{
	json_t *list = json_array();
	struct utsname name;

	add(body, list, attribute("service.name", "pyimport-bpf"));
	add(body, list, attribute("service.version", PYIMPORT_VERSION));
	add(body, list, attribute("os.type", "linux"));
	if (!uname(&name)) {
		add(body, list, attribute("service.instance.id", name.nodename));
		add(body, list, attribute("host.name", name.nodename));
		add(body, list, attribute("host.arch", name.machine));
	}
	return list;
}

/* As it is sent; @request is taken. */
static char *encode(json_t *request, bool is_json, size_t *sz)
{
	char *text = NULL;

	*sz = 0;
	if (is_json && request) {
		text = json_dumps(request, JSON_COMPACT);
		*sz = text ? strlen(text) : 0;
	} else if (request && proto_encode(request, &text, sz)) {
		log_debug("--otlp: a document could not be made");
	}
	json_decref(request);
	return text;
}

char *body_metrics(const struct snapshot *snapshot, bool is_json, size_t *sz)
{
	struct body body = { .snapshot = snapshot, .metrics = json_array() };
	__u64 start_s = snapshot->state.start_s;
	struct timespec now = {};
	json_t *request;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(body.now, sizeof(body.now), "%lld%09ld", (long long)now.tv_sec, now.tv_nsec);
	/* A clock that was set back since: nothing begins after it was read. */
	if (snapshot->state.start_s > (__u64)now.tv_sec)
		start_s = (__u64)now.tv_sec;
	snprintf(body.start, sizeof(body.start), "%llu000000000", start_s);
	add_times(&body);
	add_counts(&body);
	add_rest(&body);
	request = json_pack("{s:[{s:{s:o}, s:[{s:{s:s, s:s}, s:o}]}]}", "resourceMetrics", "resource",
			    "attributes", new_resource(&body), "scopeMetrics", "scope", "name",
			    "pyimport-bpf", "version", PYIMPORT_VERSION, "metrics", body.metrics);
	if (body.has_failed) {
		json_decref(request);
		request = NULL;
	}
	return encode(request, is_json, sz);
}

/* Takes the text. */
static char *encode_text(char *text, bool is_json, size_t *sz)
{
	json_t *request;

	if (is_json || !text)
		return text;
	request = json_loadb(text, *sz, 0, NULL);
	free(text);
	return encode(request, false, sz);
}

char *body_traces(void *capture, size_t capture_sz, bool is_json, size_t *sz)
{
	const struct report_opts opts = { .min_share = SHARE_LEAST };
	_cleanup_fclose_ FILE *in = fmemopen(capture, capture_sz, "r");
	struct report_input input = {};
	struct tape_result result;
	struct model *model = NULL;
	char *text = NULL;
	FILE *out;
	int err = in ? model__new(&model) : -1;

	if (!err)
		err = tape_play_ours(in, model, &result);
	out = err ? NULL : open_memstream(&text, sz);
	if (out) {
		input.model = model;
		err = report_write(&input, NULL, "otlp", &opts, out);
		err |= fclose(out);
	}
	model__free(model);
	if (err) {
		free(text);
		text = NULL;
	}
	return encode_text(text, is_json, sz);
}
