// SPDX-License-Identifier: BSD-2-Clause
/*
 * JSON: the frame of the document, and the small functions its parts are made with. The contract
 * is docs/json.md: names are never renamed, unknown is null and never 0.
 */
#include "report/json/json_out.h"

#include <errno.h>

#include "base/cleanup.h"

#ifndef PYIMPORT_VERSION
#define PYIMPORT_VERSION "unknown"
#endif

void json_set(struct json_out *jo, json_t *obj, const char *key, json_t *value)
{
	if (!value || json_object_set_new(obj, key, value))
		jo->err = -ENOMEM;
}

json_t *json_new_str(struct json_out *jo, const char *text)
{
	struct text_buf buf = {0};
	json_t *value;

	if (!text)
		return json_null();
	if (text_is_harmless(text))
		return json_string(text);
	jo->needs_ascii = true;
	text_buf__repair(&buf, text);
	value = buf.err ? NULL : json_string(text_buf__str(&buf));
	text_buf__free(&buf);
	return value;
}

void json_set_str(struct json_out *jo, json_t *obj, const char *key, const char *text)
{
	json_set(jo, obj, key, json_new_str(jo, text));
}

void json_set_ns(struct json_out *jo, json_t *obj, const char *key, __u64 ns)
{
	/* JSON integers are signed here; a time that large is none. */
	json_set(jo, obj, key, ns > INT64_MAX ? json_null() : json_integer((json_int_t)ns));
}

void json_set_int(struct json_out *jo, json_t *obj, const char *key, long long value)
{
	json_set(jo, obj, key, json_integer(value));
}

void json_set_bool(struct json_out *jo, json_t *obj, const char *key, bool value)
{
	json_set(jo, obj, key, json_boolean(value));
}

void json_set_null(struct json_out *jo, json_t *obj, const char *key)
{
	json_set(jo, obj, key, json_null());
}

json_t *json_new_site(struct json_out *jo, const struct site *site)
{
	json_t *obj = json_object();

	json_set_str(jo, obj, "module", site->module);
	json_set_str(jo, obj, "file", site->file);
	if (site->line > 0)
		json_set_int(jo, obj, "line", site->line);
	else
		json_set_null(jo, obj, "line");
	return obj;
}

/* ASCII only; DEL, which jansson leaves as it is, included. */
static void put_ascii(struct json_out *jo, json_t *obj, size_t flags)
{
	_cleanup_free_ char *text = json_dumps(obj, flags | JSON_ENSURE_ASCII);

	if (!text)
		jo->err = -ENOMEM;
	for (const char *at = text; at && *at; at++) {
		if (*at == '\177')
			fputs("\\u007F", jo->out);
		else
			fputc(*at, jo->out);
	}
}

void json_put(struct json_out *jo, json_t *obj, bool is_embedded)
{
	size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | (is_embedded ? JSON_EMBED : 0);

	if (!obj)
		jo->err = -ENOMEM;
	else if (jo->needs_ascii)
		put_ascii(jo, obj, flags);
	else if (json_dumpf(obj, jo->out, flags) && !ferror(jo->out))
		jo->err = -ENOMEM; /* an error of the stream is report_write's, which knows it */
	jo->needs_ascii = false;
	json_decref(obj);
}

static void put_member(struct json_out *jo, const char *key, json_t *value)
{
	fprintf(jo->out, "\"%s\":", key);
	json_put(jo, value, false);
	fputs(",\n", jo->out);
}

static json_t *new_tool(struct json_out *jo, const struct host_info *host)
{
	json_t *tool = json_object();
	const char *version = host ? host->tool_version : NULL;

	json_set_str(jo, tool, "name", "pyimport-bpf");
	json_set_str(jo, tool, "version", version ? version : PYIMPORT_VERSION);
	return tool;
}

static json_t *new_host(struct json_out *jo, const struct host_info *host)
{
	json_t *obj = json_object();

	json_set_str(jo, obj, "kernel", host ? host->kernel : NULL);
	json_set_str(jo, obj, "arch", host ? host->arch : NULL);
	json_set_str(jo, obj, "hostname", host ? host->hostname : NULL);
	json_set(jo, obj, "cpus", host && host->cpu_cnt ? json_integer(host->cpu_cnt) :
							  json_null());
	return obj;
}

static json_t *new_trace(struct json_out *jo, const struct model *model)
{
	const struct host_info *host = model__host(model);
	json_t *obj = json_object();

	json_set_ns(jo, obj, "start_ns", host && host->trace_start_ns ? host->trace_start_ns :
							NS_UNKNOWN);
	json_set_ns(jo, obj, "end_ns", host && host->trace_end_ns ? host->trace_end_ns : NS_UNKNOWN);
	json_set_bool(jo, obj, "cut", model__is_cut(model));
	json_set_ns(jo, obj, "realtime_ns", host && host->realtime_ns ? host->realtime_ns :
							       NS_UNKNOWN);
	return obj;
}

/* Counters are null when nobody read them: that is not the same as nothing lost. */
static json_t *new_loss(struct json_out *jo, const struct model *model)
{
	json_t *obj = json_object();

	for (const struct loss_counter *counter = loss_counters; counter->name; counter++)
		json_set_ns(jo, obj, counter->name,
			    model__stats(model) || counter->get ?
			    loss_value(model, counter) : NS_UNKNOWN);
	return obj;
}

static json_t *new_hits(struct json_out *jo, const struct model *model)
{
	const struct pyi_stats *stats = model__stats(model);
	json_t *obj = json_object();

	json_set_ns(jo, obj, "hits", stats ? stats->hits : NS_UNKNOWN);
	json_set_ns(jo, obj, "bystander_hits", stats ? stats->bystander_hits : NS_UNKNOWN);
	json_set_ns(jo, obj, "ends_unmatched", stats ? stats->ends_unmatched : NS_UNKNOWN);
	return obj;
}

int json_write(const struct view *view)
{
	const struct host_info *host = model__host(view->model);
	struct json_out jo = {.out = view->out, .view = view};
	_cleanup_free_ struct process **processes = NULL;
	bool is_first = true;
	size_t cnt;
	int err = walk_processes(view->model, &processes, &cnt);

	if (err)
		return err;
	fputs("{\"schema_version\":1,\n", view->out);
	put_member(&jo, "tool", new_tool(&jo, host));
	put_member(&jo, "host", new_host(&jo, host));
	put_member(&jo, "trace", new_trace(&jo, view->model));
	put_member(&jo, "complete", json_boolean(model__is_complete(view->model)));
	put_member(&jo, "loss", new_loss(&jo, view->model));
	put_member(&jo, "holds", holds_new_json(&jo, view->model));
	put_member(&jo, "unprobed", unprobed_new_json(&jo, view->model));
	put_member(&jo, "probes", new_hits(&jo, view->model));
	put_member(&jo, "groups", json_new_groups(&jo, view->model));
	fputs("\"processes\":[", view->out);
	for (size_t i = 0; !jo.err && i < cnt && !ferror(view->out); i++) {
		fputs(is_first ? "\n" : ",\n", view->out);
		json_write_process(&jo, processes[i]);
		is_first = false;
	}
	fputs("\n]}\n", view->out);
	return jo.err;
}
