// SPDX-License-Identifier: BSD-2-Clause
/*
 * Imports, edges and libraries in JSON. Keys of the contract that nothing measures yet are there
 * and null, so that a reader can tell "not measured" from "not known to this version".
 */
#include "model/lazy.h"
#include "model/tree/late_imports.h"
#include "report/json/json_out.h"

#include "model/tree/late_imports.h"
#include "report/enum_words.h"

static json_t *new_stages(struct json_out *jo, const struct load *load)
{
	json_t *obj = json_object();

	json_set_ns(jo, obj, "find", load->find_ns);
	json_set_ns(jo, obj, "read", load->read_ns);
	json_set_ns(jo, obj, "compile", load->compile_ns);
	json_set_ns(jo, obj, "unmarshal", load->unmarshal_ns);
	json_set_ns(jo, obj, "dlopen", load->dlopen_ns);
	json_set_ns(jo, obj, "init", load->init_ns);
	json_set_ns(jo, obj, "exec", load->exec_ns);
	return obj;
}

/* Only lazy imports have a second place: null says that this one is none. */
static json_t *new_declared(struct json_out *jo, const struct load *load)
{
	const struct site *site = load_declared_at(load);

	return site ? json_new_site(jo, site) : json_null();
}

/* Names of keys whose null says that it could not be told. */
static json_t *new_unknown(struct json_out *jo, const struct load *load)
{
	const char *names[3];
	size_t cnt = 0;

	if (load->unknown & UNKNOWN_IMPORTER)
		names[cnt++] = "importer";
	if (load->unknown & UNKNOWN_LINE)
		names[cnt++] = "importer.line";
	if (load->unknown & UNKNOWN_ERROR)
		names[cnt++] = "error";
	return json_new_strs(jo, names, cnt);
}

json_t *json_new_import(struct json_out *jo, const struct load *load)
{
	json_t *obj = json_object();

	json_set_int(jo, obj, "id", load->id);
	json_set(jo, obj, "parent", load->parent ? json_integer(load->parent->id) : json_null());
	json_set_int(jo, obj, "tid", load->tid);
	json_set_int(jo, obj, "seq", load->seq);
	json_set_int(jo, obj, "interp", load->interp);
	json_set_str(jo, obj, "module", load->module);
	json_set_str(jo, obj, "result", word_result(load->result));
	json_set_str(jo, obj, "error", load->result == LOAD_FAILED ? load->error : NULL);
	json_set_str(jo, obj, "kind", word_kind(load->kind));
	json_set_str(jo, obj, "file", load->file);
	json_set_str(jo, obj, "via", word_via(load->via));
	json_set(jo, obj, "importer", json_new_site(jo, &load->importer));
	json_set(jo, obj, "declared", new_declared(jo, load));
	json_set_ns(jo, obj, "found_ns", load->found ? load->found->wall_ns : NS_UNKNOWN);
	json_set_ns(jo, obj, "start_ns", load->start_ns);
	json_set_ns(jo, obj, "wall_ns",
		    load_as_measured_ns(load, load->wall_ns, load->overhead_total_ns));
	json_set_ns(jo, obj, "self_ns",
		    load_as_measured_ns(load, load->self_ns, load->overhead_ns));
	json_set_ns(jo, obj, "overhead_ns", load_overhead_ns(load, load->overhead_ns));
	json_set_ns(jo, obj, "overhead_total_ns", load_overhead_ns(load, load->overhead_total_ns));
	json_set_ns(jo, obj, "lock_wait_ns", load->lock_wait_ns);
	json_set(jo, obj, "stages_ns", new_stages(jo, load));
	json_set_causes(jo, obj, load);
	json_set(jo, obj, "late", process_up_ns(load->process) == NS_UNKNOWN ? json_null() :
				  json_boolean(load_is_late(load)));
	json_set_bool(jo, obj, "exact", load->is_exact);
	json_set(jo, obj, "unknown", new_unknown(jo, load));
	json_set_bool(jo, obj, "inherited", load->is_inherited);
	if (load->is_carried)
		json_set_bool(jo, obj, "begun_earlier", true);
	return obj;
}

json_t *json_new_edge(struct json_out *jo, const struct edge *edge)
{
	json_t *obj = json_object();

	json_set(jo, obj, "importer", json_new_site(jo, &edge->importer));
	json_set_str(jo, obj, "module", edge->module);
	json_set_int(jo, obj, "count", edge->count);
	json_set_int(jo, obj, "cached", edge->cached);
	json_set_ns(jo, obj, "first_ns", edge->first_ns);
	json_set_bool(jo, obj, "circular", edge->is_circular);
	json_set(jo, obj, "import", edge->load ? json_integer(edge->load->id) : json_null());
	return obj;
}

json_t *json_new_lazy(struct json_out *jo, const struct lazy_name *lazy)
{
	json_t *obj = json_object();

	json_set_str(jo, obj, "module", lazy->module);
	json_set(jo, obj, "declared", json_new_site(jo, &lazy->declared));
	json_set(jo, obj, "import", lazy->load ? json_integer(lazy->load->id) : json_null());
	json_set_bool(jo, obj, "never_loaded", lazy->is_never);
	return obj;
}

static json_t *new_lib_stages(struct json_out *jo, const struct lib *lib)
{
	json_t *obj;

	if (lib->open_ns == NS_UNKNOWN)
		return json_null();
	obj = json_object();
	json_set_ns(jo, obj, "open", lib->open_ns);
	json_set_ns(jo, obj, "map", lib->map_ns);
	json_set_ns(jo, obj, "relocate", lib->relocate_ns);
	json_set_ns(jo, obj, "constructors", lib->constructors_ns);
	return obj;
}

json_t *json_new_lib(struct json_out *jo, const struct lib *lib)
{
	json_t *obj = json_object();

	json_set_str(jo, obj, "path", lib->path);
	json_set(jo, obj, "import", lib->load ? json_integer(lib->load->id) : json_null());
	json_set_int(jo, obj, "tid", lib->tid);
	json_set_ns(jo, obj, "start_ns", lib->start_ns);
	json_set_ns(jo, obj, "wall_ns", lib->wall_ns);
	json_set_bool(jo, obj, "failed", lib->failed);
	json_set_str(jo, obj, "via", word_lib_via(lib->via));
	json_set(jo, obj, "stages_ns", new_lib_stages(jo, lib));
	json_set_ns(jo, obj, "bytes", lib->bytes);
	json_set(jo, obj, "needed", lib->info ?
		 json_new_strs(jo, lib->info->needed, lib->info->needed_cnt) : json_null());
	return obj;
}

json_t *json_new_wait(struct json_out *jo, const struct wait *wait)
{
	json_t *obj = json_object();

	json_set_str(jo, obj, "module", wait->module);
	json_set_int(jo, obj, "tid", wait->tid);
	json_set_ns(jo, obj, "start_ns", wait->start_ns);
	json_set_ns(jo, obj, "wall_ns", wait->wall_ns);
	json_set(jo, obj, "import", wait->load ? json_integer(wait->load->id) : json_null());
	json_set(jo, obj, "owner", wait->owner ? json_integer(wait->owner->id) : json_null());
	return obj;
}

json_t *json_new_late(struct json_out *jo, const struct process *process)
{
	struct late_imports late;
	json_t *obj;

	if (!late_find(process, &late))
		return json_null();
	obj = json_object();
	json_set_str(jo, obj, "since", late.is_service ? "ready" : "startup");
	json_set_ns(jo, obj, "since_ns", late.since_ns);
	json_set_int(jo, obj, "count", late.cnt);
	json_set_int(jo, obj, "modules", late.module_cnt);
	json_set_ns(jo, obj, "wall_ns", late.measured_ns);
	json_set(jo, obj, "waiter_tid", late.waiter_tid ? json_integer(late.waiter_tid) :
							  json_null());
	json_set(jo, obj, "waiter_count", late.waiter_tid ? json_integer(late.waiter_cnt) :
							    json_null());
	json_set_ns(jo, obj, "waiter_blocked_ns", late.waiter_tid ? late.waiter_measured_ns : NS_UNKNOWN);
	json_set(jo, obj, "longest", late.longest ? json_integer(late.longest->id) : json_null());
	return obj;
}
