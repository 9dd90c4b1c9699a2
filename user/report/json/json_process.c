// SPDX-License-Identifier: BSD-2-Clause
/* One process in JSON: its identity, then its imports, edges and libraries line by line. */
#include "report/json/json_out.h"

#include <errno.h>
#include <string.h>

#include "report/head/causes.h"
#include "report/text/walk.h"
#include "report/text/wording.h"
#include "report/enum_words.h"

static json_t *new_layers(struct json_out *jo, __u32 layers)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < 32; i++)
		if ((layers & 1U << i) && word_layer(i) &&
		    json_array_append_new(array, json_string(word_layer(i))))
			jo->err = -ENOMEM;
	return array;
}

static json_t *new_python(struct json_out *jo, const struct python_info *python)
{
	json_t *obj;

	if (!python)
		return json_null();
	obj = json_object();
	json_set_str(jo, obj, "version",
		     python->version && *python->version ? python->version : NULL);
	json_set_str(jo, obj, "implementation", python->implementation);
	json_set_str(jo, obj, "binary", python->binary);
	json_set_bool(jo, obj, "free_threaded", python->free_threaded);
	json_set(jo, obj, "layers", new_layers(jo, python->layers));
	json_set(jo, obj, "notes", json_new_strs(jo, python->notes, python->note_cnt));
	return obj;
}

static json_t *new_container(struct json_out *jo, const struct container_info *container)
{
	json_t *obj;

	if (!container->id)
		return json_null();
	obj = json_object();
	json_set_str(jo, obj, "id", container->id);
	json_set_str(jo, obj, "name", container->name);
	json_set_str(jo, obj, "runtime", container->runtime);
	json_set_str(jo, obj, "image", container->image);
	return obj;
}

static json_t *new_exit(struct json_out *jo, const struct process *process)
{
	json_t *obj;

	if (!process->has_exit)
		return json_null();
	obj = json_object();
	if (process->exit_signal) {
		json_set_null(jo, obj, "code");
		json_set_int(jo, obj, "signal", process->exit_signal);
	} else {
		json_set_int(jo, obj, "code", process->exit_code);
		json_set_null(jo, obj, "signal");
	}
	return obj;
}

static json_t *new_phases(struct json_out *jo, const struct process *process)
{
	json_t *phases;

	if (!process->phase_cnt)
		return json_null();
	phases = json_array();
	for (size_t i = 0; i < process->phase_cnt; i++) {
		json_t *phase = json_object();

		json_set_str(jo, phase, "name", process->phases[i].name);
		json_set_ns(jo, phase, "start_ns", process->phases[i].start_ns);
		json_set_ns(jo, phase, "end_ns", process->phases[i].end_ns);
		if (json_array_append_new(phases, phase))
			jo->err = -ENOMEM;
	}
	return phases;
}

static json_t *new_own_waits(struct json_out *jo, const struct startup *startup)
{
	json_t *obj;

	if (startup->own_wait_ns[0] == NS_UNKNOWN)
		return json_null();
	obj = json_object();
	for (int wait = 0; wait < PYI_WAIT_CNT; wait++)
		json_set_ns(jo, obj, causes[CAUSE_WAITS + wait].key, startup->own_wait_ns[wait]);
	return obj;
}

static json_t *new_startup(struct json_out *jo, const struct process *process)
{
	static const char *const ends[] = {
		[STARTUP_READY] = "ready", [STARTUP_IMPORTS] = "imports", [STARTUP_CUT] = "cut",
	};
	const struct startup *startup = &process->startup_measured;
	json_t *obj;

	if (startup->by == STARTUP_UNKNOWN)
		return json_null();
	obj = json_object();
	json_set_str(jo, obj, "ended_by", ends[startup->by]);
	json_set_ns(jo, obj, "begin_ns", startup->begin_ns);
	json_set_ns(jo, obj, "run_ns", startup->run_ns);
	json_set_ns(jo, obj, "end_ns", startup->end_ns);
	json_set_ns(jo, obj, "held_ns", startup->held_ns);
	json_set_ns(jo, obj, "wall_ns", startup->wall_ns);
	json_set_ns(jo, obj, "earlier_images_ns", startup->images_ns);
	json_set_ns(jo, obj, "interpreter_ns", startup->interpreter_ns);
	json_set_ns(jo, obj, "site_ns", startup->site_ns);
	json_set_ns(jo, obj, "imports_ns", startup->imports_ns);
	json_set_ns(jo, obj, "own_ns", startup->own_ns);
	json_set_ns(jo, obj, "program_ns", startup->program_ns);
	json_set_ns(jo, obj, "overhead_ns", process->overhead.is_known ?
		    process_startup_overhead_ns(process) : NS_UNKNOWN);
	json_set(jo, obj, "own_wait_ns", new_own_waits(jo, &process->startup));
	json_set(jo, obj, "continued_by", process->next ? json_integer(process->next->serial) :
		 json_null());
	return obj;
}

static json_t *new_listen(struct json_out *jo, const struct process *process)
{
	json_t *obj;

	if (process->listen_ns == NS_UNKNOWN)
		return json_null();
	obj = json_object();
	json_set_str(jo, obj, "family", word_family(process->listen_family));
	json_set(jo, obj, "port",
		 process->listen_port ? json_integer(process->listen_port) : json_null());
	return obj;
}

static json_t *new_counts(struct json_out *jo, const struct process *process)
{
	json_t *obj = json_object();

	json_set_int(jo, obj, "loaded", process->loaded_cnt);
	json_set_int(jo, obj, "failed", process->failed_cnt);
	json_set_int(jo, obj, "unfinished", process->unfinished_cnt);
	json_set_int(jo, obj, "lock_waits", process->lock_waits);
	json_set_ns(jo, obj, "cached", process_cached_cnt(process));
	return obj;
}

json_t *json_new_identity(struct json_out *jo, const struct process *process)
{
	json_t *obj = json_object();
	char comm[sizeof(process->comm) + 1] = "";
	struct text_buf label = { 0 };

	memcpy(comm, process->comm, sizeof(process->comm));
	json_set(jo, obj, "pid", process->tgid ? json_integer(process->tgid) : json_null());
	json_set(jo, obj, "nspid", process->nspid ? json_integer(process->nspid) : json_null());
	json_set(jo, obj, "ppid", process->ppid ? json_integer(process->ppid) : json_null());
	json_set_int(jo, obj, "serial", process->serial);
	json_set(jo, obj, "parent_serial",
		 process->parent ? json_integer(process->parent->serial) : json_null());
	json_set_ns(jo, obj, "start_ns", process->start_ns);
	json_set_ns(jo, obj, "end_ns", process->end_ns);
	json_set_ns(jo, obj, "exec_ns", process->exec_ns);
	json_set_str(jo, obj, "comm", *comm ? comm : NULL);
	json_set(jo, obj, "cmdline", process->argv ?
		 json_new_strs(jo, (const char *const *)process->argv, process->argc) :
			 json_null());
	phrase_program(process, &label);
	json_set_str(jo, obj, "label", text_buf__str(&label));
	text_buf__free(&label);
	json_set_str(jo, obj, "exe", process->exe);
	json_set_str(jo, obj, "cwd", process->cwd);
	json_set(jo, obj, "python", new_python(jo, process->python));
	json_set_bool(jo, obj, "is_python", process_is_shown(process));
	json_set_str(jo, obj, "cgroup", process->cgroup);
	json_set_str(jo, obj, "unit", process->unit);
	json_set(jo, obj, "container", new_container(jo, &process->container));
	json_set_bool(jo, obj, "attached_late", process->is_late && !process->is_log);
	if (process->is_carried)
		json_set_bool(jo, obj, "begun_earlier", true);
	json_set_bool(jo, obj, "from_log", process->is_log);
	json_set_bool(jo, obj, "switches_stacks", process->is_switching);
	json_set(jo, obj, "inventory", json_new_inventory(jo, process->inventory));
	json_set(jo, obj, "group", process->group ? json_integer(process->group->id) : json_null());
	json_set(jo, obj, "inherited_modules", process->inherited_cnt == ~0u ? json_null() :
		 json_integer(process->inherited_cnt));
	json_set_ns(jo, obj, "own_import_ns", process->own_measured_ns);
	json_set_ns(jo, obj, "overhead_ns",
		    process->overhead.is_known ? process->overhead.own_ns : NS_UNKNOWN);
	json_set_ns(jo, obj, "overhead_total_ns",
		    process->overhead.is_known ? process->overhead.total_ns : NS_UNKNOWN);
	json_set(jo, obj, "exit", new_exit(jo, process));
	json_set(jo, obj, "startup", new_startup(jo, process));
	json_set(jo, obj, "phases", new_phases(jo, process));
	json_set(jo, obj, "listen", new_listen(jo, process));
	json_set_str(jo, obj, "ready_by", process->ready_by);
	json_set(jo, obj, "io_uring", process->has_uring ? json_true() :
		 process->is_late || !(process->measured & PYI_GROUP_PHASES) ? json_null() :
		 json_false());
	json_set(jo, obj, "late_imports", json_new_late(jo, process));
	json_set(jo, obj, "counts", new_counts(jo, process));
	json_set(jo, obj, "causes", json_new_causes(jo, process));
	return obj;
}

static void put_item(struct json_out *jo, json_t *item, bool is_first)
{
	fputs(is_first ? "\n" : ",\n", jo->out);
	json_put(jo, item, false);
}

void json_write_process(struct json_out *jo, const struct process *process)
{
	fputc('{', jo->out);
	json_put(jo, json_new_identity(jo, process), true);
	fputs(",\n\"imports\":[", jo->out);
	for (size_t i = 0; !jo->err && i < process->load_cnt && !ferror(jo->out); i++)
		put_item(jo, json_new_import(jo, process->loads[i]), !i);
	fputs("],\n\"edges\":[", jo->out);
	for (size_t i = 0; !jo->err && i < process->edge_cnt && !ferror(jo->out); i++)
		put_item(jo, json_new_edge(jo, process->edges[i]), !i);
	fputs("],\n\"lazy_imports\":[", jo->out);
	for (size_t i = 0; !jo->err && i < process->lazy_cnt && !ferror(jo->out); i++)
		put_item(jo, json_new_lazy(jo, process->lazies[i]), !i);
	fputs("],\n\"libs\":[", jo->out);
	for (size_t i = 0; !jo->err && i < process->lib_cnt && !ferror(jo->out); i++)
		put_item(jo, json_new_lib(jo, process->libs[i]), !i);
	for (size_t i = 0; !jo->err && i < process->other_lib_cnt && !ferror(jo->out); i++)
		put_item(jo, json_new_lib(jo, process->other_libs[i]), !i && !process->lib_cnt);
	fputs("],\n\"waits\":[", jo->out);
	for (size_t i = 0; !jo->err && i < process->wait_cnt && !ferror(jo->out); i++)
		put_item(jo, json_new_wait(jo, process->waits[i]), !i);
	fputs("],\n", jo->out);
	json_write_files(jo, process);
	fputs(",\n", jo->out);
	json_write_net(jo, process);
	fputs(",\n\"findings\":", jo->out);
	json_write_findings(jo, process);
	fputc('}', jo->out);
}
