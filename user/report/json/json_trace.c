// SPDX-License-Identifier: BSD-2-Clause
/* The trace as a whole in JSON: tool, host, time, losses, starts that were held. */
#include <errno.h>

#include "model/unexamined.h"
#include "report/head/lines.h"
#include "report/head/loss.h"
#include "report/json/json_out.h"

#ifndef PYIMPORT_VERSION
#define PYIMPORT_VERSION "unknown"
#endif

json_t *json_new_tool(struct json_out *jo, const struct host_info *host)
{
	json_t *tool = json_object();
	const char *version = host ? host->tool_version : NULL;

	json_set_str(jo, tool, "name", "pyimport-bpf");
	json_set_str(jo, tool, "version", version ? version : PYIMPORT_VERSION);
	return tool;
}

json_t *json_new_host(struct json_out *jo, const struct host_info *host)
{
	json_t *obj = json_object();

	json_set_str(jo, obj, "kernel", host ? host->kernel : NULL);
	json_set_str(jo, obj, "arch", host ? host->arch : NULL);
	json_set_str(jo, obj, "hostname", host ? host->hostname : NULL);
	json_set(jo, obj, "cpus", host && host->cpu_cnt ? json_integer(host->cpu_cnt) :
							  json_null());
	return obj;
}

json_t *json_new_recorded(struct json_out *jo, __u32 groups)
{
	json_t *array = json_array();
	const char *key;
	__u32 group;

	for (size_t i = 0; (key = recorded_key(i, &group)); i++)
		if (groups & group && json_array_append_new(array, json_string(key)))
			jo->err = -ENOMEM;
	return array;
}

json_t *json_new_trace(struct json_out *jo, const struct model *model)
{
	const struct host_info *host = model__host(model);
	json_t *obj = json_object();

	json_set_ns(jo, obj, "start_ns", host && host->trace_start_ns ? host->trace_start_ns :
							NS_UNKNOWN);
	json_set_ns(jo, obj, "end_ns", host && host->trace_end_ns ? host->trace_end_ns : NS_UNKNOWN);
	json_set_bool(jo, obj, "cut", model__is_cut(model));
	json_set_ns(jo, obj, "realtime_ns", host && host->realtime_ns ? host->realtime_ns :
							       NS_UNKNOWN);
	json_set_str(jo, obj, "profile", recorded_name(model));
	json_set(jo, obj, "recorded", model__measured(model) & MEASURED_TOLD ?
		 json_new_recorded(jo, model__measured(model)) : json_null());
	if (host && host->file_nr)
		json_set_int(jo, obj, "file", host->file_nr);
	return obj;
}

/* Counters are null when nobody read them: that is not the same as nothing lost. */
json_t *json_new_loss(struct json_out *jo, const struct model *model)
{
	json_t *obj = json_object();

	for (const struct loss_counter *counter = loss_counters; counter->name; counter++)
		json_set_ns(jo, obj, counter->name,
			    model__stats(model) || counter->get ?
			    loss_value(model, counter) : NS_UNKNOWN);
	return obj;
}

static json_t *new_price(struct json_out *jo, const struct model *model)
{
	const struct price_info *price = model__price(model);
	json_t *obj;

	if (!price || !price->trap_ns)
		return json_null();
	obj = json_object();
	json_set_ns(jo, obj, "trap_ns", price->trap_ns);
	json_set_ns(jo, obj, "step_ns", price->step_ns);
	json_set_ns(jo, obj, "end_trap_ns", price->end_trap_ns ? price->end_trap_ns : NS_UNKNOWN);
	json_set_ns(jo, obj, "end_step_ns", price->end_step_ns ? price->end_step_ns : NS_UNKNOWN);
	json_set_ns(jo, obj, "call_ns", price->call_ns);
	return obj;
}

json_t *json_new_hits(struct json_out *jo, const struct model *model)
{
	const struct pyi_stats *stats = model__stats(model);
	json_t *obj = json_object();

	json_set_ns(jo, obj, "hits", stats ? stats->hits : NS_UNKNOWN);
	json_set_ns(jo, obj, "bystander_hits", stats ? stats->bystander_hits : NS_UNKNOWN);
	json_set(jo, obj, "price", new_price(jo, model));
	json_set_ns(jo, obj, "ends_unmatched", stats ? stats->ends_unmatched : NS_UNKNOWN);
	return obj;
}

json_t *json_new_holds(struct json_out *jo, const struct model *model)
{
	json_t *list = json_array();
	const struct hold_info *hold;

	for (size_t i = 0; (hold = model__hold(model, i)); i++) {
		json_t *obj = json_object();

		json_set_int(jo, obj, "pid", hold->tgid);
		json_set_str(jo, obj, "file", hold->path);
		json_set_str(jo, obj, "at", hold->is_exec ? "exec" : "mapping");
		json_set_ns(jo, obj, "start_ns", hold->start_ns ? hold->start_ns : NS_UNKNOWN);
		json_set_ns(jo, obj, "wall_ns", hold->wall_ns);
		json_array_append_new(list, obj);
	}
	return list;
}

json_t *json_new_held(struct json_out *jo, const struct model *model)
{
	const struct held_info *held = model__held(model);
	json_t *obj;

	if (!held)
		return json_null();
	obj = json_object();
	json_set_int(jo, obj, "count", held->cnt);
	json_set_ns(jo, obj, "total_ns", held->total_ns);
	json_set_ns(jo, obj, "exec_max_ns", held->exec_max_ns);
	json_set_ns(jo, obj, "stop_max_ns", held->stop_max_ns);
	json_set_int(jo, obj, "refused", held->refused_cnt);
	return obj;
}

json_t *json_new_unexamined(struct json_out *jo, const struct model *model)
{
	const struct unexamined_info *info = model__unexamined(model);
	json_t *list = json_array();

	for (size_t i = 0; i < info->path_cnt; i++)
		json_array_append_new(list, json_new_str(jo, info->paths[i]));
	return list;
}

json_t *json_new_unprobed(struct json_out *jo, const struct model *model)
{
	json_t *list = json_array();
	const struct python_info *info;

	for (size_t i = 0; (info = model__unprobed(model, i)); i++) {
		json_t *obj = json_object(), *notes = json_array();

		json_set_str(jo, obj, "binary", info->binary);
		json_set_str(jo, obj, "implementation", info->implementation);
		json_set_str(jo, obj, "version", info->version);
		for (size_t j = 0; j < info->note_cnt; j++)
			json_array_append_new(notes, json_new_str(jo, info->notes[j]));
		json_set(jo, obj, "notes", notes);
		json_array_append_new(list, obj);
	}
	return list;
}
