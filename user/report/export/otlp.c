// SPDX-License-Identifier: BSD-2-Clause
/*
 * OTLP/JSON, one ExportTraceServiceRequest: a start-up is one trace. Its root span is the process
 * that began it; processes it started, their phases and their imports are spans below. Ids are
 * made from what was traced, so that the same capture gives the same document. Times are the wall
 * clock's; without it (trace.realtime_ns unknown) they count from boot, and the resource says so.
 */
#include "report/json/json_out.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/pod.h"
#include "report/text/lanes.h"
#include "report/text/ranking.h"
#include "report/text/walk.h"
#include "report/text/wording.h"
#include "report/enum_words.h"

enum { SPAN_KIND_INTERNAL = 1, STATUS_ERROR = 2 };

struct otlp {
	const struct view *view;
	struct json_out jo;
	__u64 offset_ns;  /* wall clock less monotonic clock; 0 = unknown */
	bool has_items;
};

struct ids {
	char trace[33];
	char process[17]; /* span of the process */
};

/* ---- ids: FNV-1a, twice for 128 bits */

static __u64 hash_more(__u64 hash, const void *data, size_t sz)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < sz; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
	return hash;
}

static __u64 hash_process(const struct otlp *otlp, const struct process *process, __u64 seed)
{
	const struct host_info *host = model__host(otlp->view->model);
	const char *hostname = host && host->hostname ? host->hostname : "";
	__u64 start_ns = process->start_ns + otlp->offset_ns, hash = 0xcbf29ce484222325ULL;

	hash = hash_more(hash, &seed, sizeof(seed));
	hash = hash_more(hash, hostname, strlen(hostname));
	hash = hash_more(hash, &start_ns, sizeof(start_ns));
	hash = hash_more(hash, &process->tgid, sizeof(process->tgid));
	return hash_more(hash, &process->serial, sizeof(process->serial));
}

/* All zeros would be no id. */
static void set_hex(char out[17], __u64 hash)
{
	snprintf(out, 17, "%016" PRIx64, (uint64_t)(hash ? hash : 1));
}

static void set_span_id(const struct otlp *otlp, const struct process *process, char kind,
			__u32 number, char out[17])
{
	__u64 hash = hash_process(otlp, process, 0);

	hash = hash_more(hash, &kind, sizeof(kind));
	set_hex(out, hash_more(hash, &number, sizeof(number)));
}

/* The process a start-up began with: the first of its line that ran Python. */
static const struct process *origin_of(const struct process *process)
{
	const struct process *origin = process;

	for (; process; process = process->parent)
		if (process_is_shown(process))
			origin = process;
	return origin;
}

static const struct process *parent_of(const struct process *process)
{
	do
		process = process->parent;
	while (process && !process_is_shown(process));
	return process;
}

static void set_ids(const struct otlp *otlp, const struct process *process, struct ids *ids)
{
	const struct process *origin = origin_of(process);

	set_hex(ids->trace, hash_process(otlp, origin, 1));
	set_hex(ids->trace + 16, hash_process(otlp, origin, 2));
	set_span_id(otlp, process, 'p', 0, ids->process);
}

/* ---- attributes: [{"key", "value": {"stringValue": …}}] */

static void add_value(struct otlp *otlp, json_t *list, const char *key, const char *type,
		      json_t *value)
{
	json_t *item = json_object(), *any = json_object();

	json_set(&otlp->jo, any, type, value);
	json_set_str(&otlp->jo, item, "key", key);
	json_set(&otlp->jo, item, "value", any);
	if (json_array_append_new(list, item))
		otlp->jo.err = -ENOMEM;
}

static void add_str(struct otlp *otlp, json_t *list, const char *key, const char *text)
{
	if (text && *text)
		add_value(otlp, list, key, "stringValue", json_new_str(&otlp->jo, text));
}

/* 64-bit integers are strings in protobuf's JSON. */
static json_t *new_number(long long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", value);
	return json_string(text);
}

static void add_int(struct otlp *otlp, json_t *list, const char *key, long long value)
{
	add_value(otlp, list, key, "intValue", new_number(value));
}

/* Whatever figure of the JSON object is known and not 0, by its name there: "io.opens". */
static void add_figures(struct otlp *otlp, json_t *list, const char *prefix, json_t *obj)
{
	const char *key;
	json_t *value;

	json_object_foreach(obj, key, value) {
		char name[120];

		snprintf(name, sizeof(name), "%s.%s", prefix, key);
		if (json_is_object(value))
			add_figures(otlp, list, name, value);
		else if (json_is_integer(value) && json_integer_value(value))
			add_int(otlp, list, name, json_integer_value(value));
	}
}

/* ---- spans */

static void put_item(struct otlp *otlp, json_t *item)
{
	fputs(otlp->has_items ? ",\n" : "\n", otlp->view->out);
	otlp->has_items = true;
	json_put(&otlp->jo, item, false);
}

static json_t *new_span(struct otlp *otlp, const struct ids *ids, const char *id,
			const char *parent, const char *name, __u64 start_ns, __u64 end_ns)
{
	json_t *span = json_object();

	json_set_str(&otlp->jo, span, "traceId", ids->trace);
	json_set_str(&otlp->jo, span, "spanId", id);
	if (parent)
		json_set_str(&otlp->jo, span, "parentSpanId", parent);
	json_set_str(&otlp->jo, span, "name", name);
	json_set_int(&otlp->jo, span, "kind", SPAN_KIND_INTERNAL);
	json_set(&otlp->jo, span, "startTimeUnixNano",
		 new_number((long long)(start_ns + otlp->offset_ns)));
	json_set(&otlp->jo, span, "endTimeUnixNano",
		 new_number((long long)(end_ns + otlp->offset_ns)));
	return span;
}

static void set_error(struct otlp *otlp, json_t *span, const char *message)
{
	json_t *status = json_object();

	json_set_int(&otlp->jo, status, "code", STATUS_ERROR);
	if (message)
		json_set_str(&otlp->jo, status, "message", message);
	json_set(&otlp->jo, span, "status", status);
}

static json_t *new_load_attributes(struct otlp *otlp, const struct load *load)
{
	static const char *const identity[] = { "id", "parent", "tid", "seq", "interp", "start_ns",
					       "importer", "declared", "wall_ns" };
	json_t *list = json_array(), *figures = json_new_import(&otlp->jo, load);

	add_str(otlp, list, "code.namespace", load->module);
	add_str(otlp, list, "pyimport.kind", word_kind(load->kind));
	add_str(otlp, list, "pyimport.result", word_result(load->result));
	add_str(otlp, list, "pyimport.via", word_via(load->via));
	add_str(otlp, list, "pyimport.file", load->file);
	add_str(otlp, list, "pyimport.importer.module", load->importer.module);
	add_str(otlp, list, "code.filepath", load->importer.file);
	if (load->importer.line > 0)
		add_int(otlp, list, "code.lineno", load->importer.line);
	add_int(otlp, list, "thread.id", load->tid);
	for (size_t i = 0; i < sizeof(identity) / sizeof(identity[0]); i++)
		json_object_del(figures, identity[i]);
	add_figures(otlp, list, "pyimport", figures);
	json_decref(figures);
	return list;
}

/* What began before the fork is the parent's: its span is there. */
static void put_load(struct otlp *otlp, const struct ids *ids, const struct load *load,
		     __u64 until_ns, __u64 least_ns)
{
	const struct load *parent = load->parent;
	char id[17], parent_id[17];
	struct text_buf name = { 0 };
	json_t *span;

	if (load->is_inherited || (load->wall_ns != NS_UNKNOWN && load->wall_ns < least_ns))
		return; /* what it has inside is shorter still */
	while (parent && parent->is_inherited)
		parent = parent->parent;
	set_span_id(otlp, load->process, 'i', load->id, id);
	if (parent)
		set_span_id(otlp, load->process, 'i', parent->id, parent_id);
	text_buf__printf(&name, "import %s", load->module ? load->module : "?");
	span = new_span(otlp, ids, id, parent ? parent_id : ids->process, text_buf__str(&name),
			load->start_ns,
			load->wall_ns == NS_UNKNOWN ? until_ns : load_end_ns(load));
	json_set(&otlp->jo, span, "attributes", new_load_attributes(otlp, load));
	if (load->result == LOAD_FAILED)
		set_error(otlp, span, load->error);
	put_item(otlp, span);
	text_buf__free(&name);
}

static void put_phases(struct otlp *otlp, const struct ids *ids, const struct process *process,
		       const json_t *identity)
{
	size_t i;
	json_t *phase;

	json_array_foreach(json_object_get(identity, "phases"), i, phase) {
		const json_t *start = json_object_get(phase, "start_ns");
		const json_t *end = json_object_get(phase, "end_ns");
		struct text_buf name = { 0 };
		char id[17];

		if (!json_is_integer(start) || !json_is_integer(end) ||
		    json_integer_value(end) < json_integer_value(start))
			continue;
		set_span_id(otlp, process, 'f', (__u32)i, id);
		text_buf__printf(&name, "phase %s",
				 json_string_value(json_object_get(phase, "name")) ?: "?");
		put_item(otlp, new_span(otlp, ids, id, ids->process, text_buf__str(&name),
					(__u64)json_integer_value(start),
					(__u64)json_integer_value(end)));
		text_buf__free(&name);
	}
}

static void put_root(struct otlp *otlp, const struct ids *ids, const struct process *process)
{
	const struct process *parent = parent_of(process);
	struct text_buf name = { 0 };
	char parent_id[17];
	json_t *span, *list = json_array();

	if (parent)
		set_span_id(otlp, parent, 'p', 0, parent_id);
	phrase_label(otlp->view, process, &name);
	span = new_span(otlp, ids, ids->process, parent ? parent_id : NULL, text_buf__str(&name),
			process->start_ns, lanes_end_ns(otlp->view->model, process));
	add_int(otlp, list, "pyimport.loaded", process->loaded_cnt);
	add_int(otlp, list, "pyimport.failed", process->failed_cnt);
	add_int(otlp, list, "pyimport.unfinished", process->unfinished_cnt);
	if (process_cached_cnt(process) != NS_UNKNOWN)
		add_int(otlp, list, "pyimport.cached", (long long)process->cached_cnt);
	if (process->has_exit && !process->exit_signal)
		add_int(otlp, list, "process.exit.code", process->exit_code);
	json_set(&otlp->jo, span, "attributes", list);
	if (process->has_exit && (process->exit_signal || process->exit_code))
		set_error(otlp, span, NULL);
	put_item(otlp, span);
	text_buf__free(&name);
}

static void add_args(struct otlp *otlp, json_t *list, const struct process *process)
{
	json_t *values = json_array(), *array = json_object();

	for (size_t i = 0; process->argv && i < process->argc; i++) {
		json_t *any = json_object();

		json_set_str(&otlp->jo, any, "stringValue", process->argv[i]);
		if (json_array_append_new(values, any))
			otlp->jo.err = -ENOMEM;
	}
	json_set(&otlp->jo, array, "values", values);
	add_value(otlp, list, "process.command_args", "arrayValue", array);
}

static json_t *new_resource(struct otlp *otlp, const struct process *process,
			    const json_t *identity)
{
	const struct host_info *host = model__host(otlp->view->model);
	const struct python_info *python = process->python;
	const json_t *container = json_object_get(identity, "container");
	json_t *list = json_array(), *resource = json_object();
	struct text_buf program = { 0 };
	struct pod_name pod;

	phrase_program(process, &program);
	add_str(otlp, list, "service.name", text_buf__str(&program));
	text_buf__free(&program);
	if (process->tgid)
		add_int(otlp, list, "process.pid", process->tgid);
	if (process->ppid)
		add_int(otlp, list, "process.parent_pid", process->ppid);
	add_str(otlp, list, "process.executable.path", process->exe);
	add_args(otlp, list, process);
	if (python) {
		add_str(otlp, list, "process.runtime.name", python->implementation);
		add_str(otlp, list, "process.runtime.version", python->version);
	}
	add_str(otlp, list, "container.id", json_string_value(json_object_get(container, "id")));
	add_str(otlp, list, "container.name",
		json_string_value(json_object_get(container, "name")));
	add_str(otlp, list, "container.image.name", process->container.image);
	if (pod_name_parse(process->container.name, &pod)) {
		add_str(otlp, list, "k8s.namespace.name", pod.space);
		add_str(otlp, list, "k8s.pod.name", pod.pod);
		add_str(otlp, list, "k8s.container.name", pod.container);
	}
	if (host) {
		add_str(otlp, list, "host.name", host->hostname);
		add_str(otlp, list, "host.arch", host->arch);
		add_str(otlp, list, "os.version", host->kernel);
	}
	add_str(otlp, list, "os.type", "linux");
	add_str(otlp, list, "pyimport.times", LANES_TIMES);
	add_str(otlp, list, "pyimport.clock", otlp->offset_ns ? "realtime" : "monotonic");
	json_set(&otlp->jo, resource, "attributes", list);
	return resource;
}

static void put_process(struct otlp *otlp, const struct process *process)
{
	const struct host_info *host = model__host(otlp->view->model);
	json_t *identity = json_new_identity(&otlp->jo, process), *scope = json_object();
	__u64 until_ns = lanes_end_ns(otlp->view->model, process);
	struct ids ids;

	set_ids(otlp, process, &ids);
	fputs("{\"resource\":", otlp->view->out);
	json_put(&otlp->jo, new_resource(otlp, process, identity), false);
	json_set_str(&otlp->jo, scope, "name", "pyimport-bpf");
	if (host && host->tool_version)
		json_set_str(&otlp->jo, scope, "version", host->tool_version);
	fputs(",\n\"scopeSpans\":[{\"scope\":", otlp->view->out);
	json_put(&otlp->jo, scope, false);
	fputs(",\"spans\":[", otlp->view->out);
	otlp->has_items = false;
	put_root(otlp, &ids, process);
	put_phases(otlp, &ids, process, identity);
	for (size_t i = 0; i < process->load_cnt && !ferror(otlp->view->out); i++)
		put_load(otlp, &ids, process->loads[i], until_ns,
			 view_least_ns(otlp->view, process));
	fputs("]}]}", otlp->view->out);
	json_decref(identity);
}

int otlp_write(const struct view *view)
{
	const struct host_info *host = model__host(view->model);
	struct otlp otlp = { .view = view, .jo = { .view = view, .out = view->out } };
	_cleanup_free_ struct process **processes = NULL;
	bool is_first = true;
	size_t cnt;
	int err = walk_processes(view->model, &processes, &cnt);

	if (err)
		return err;
	if (host && host->realtime_ns > host->trace_start_ns)
		otlp.offset_ns = host->realtime_ns - host->trace_start_ns;
	fputs("{\"resourceSpans\":[", view->out);
	for (size_t i = 0; i < cnt && !otlp.jo.err && !ferror(view->out); i++) {
		if (!process_is_shown(processes[i]))
			continue;
		fputs(is_first ? "\n" : ",\n", view->out);
		is_first = false;
		put_process(&otlp, processes[i]);
	}
	fputs("\n]}\n", view->out);
	return otlp.jo.err;
}
