// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a number in the report means.
 *
 * A load is an import that did work: the import function found no module in sys.modules and called
 * importlib (FIND), or import_module or reload did the same without it (SEARCH), or a module's body
 * ran by itself (`__main__`, a loader's exec_module, a LazyLoader's first access). Its wall time is
 * from begin to end of that call, everything inside included; its self time is that minus the wall
 * time of the loads made inside it on the same thread. Both are as long as the target took, probes
 * included. A call that only waited for another thread's load of the same module is not a load:
 * it is a cached import, and its time is lock_wait_ns of the load around it.
 *
 * An edge is an import statement of the program: who asked for what, how often, and how often the
 * module was there already.
 *
 * What was not seen stays unknown: NS_UNKNOWN, NULL, line 0. Nothing is filled in.
 *
 * This file: creating, freeing, and the facts that do not come from the kernel.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/compiled.h"
#include "model/causes/files.h"
#include "model/causes/net.h"
#include "model/causes/same_content.h"
#include "model/state/tap.h"
#include "model/state/text.h"
#include "model/stream/identity.h"
#include "model/stream/inventory.h"
#include "model/tree/workers.h"

int model__new(struct model **out)
{
	struct model *model = calloc(1, sizeof(*model));

	if (!model)
		return -ENOMEM;
	*out = model;
	return 0;
}

/* Hash entries lie in the arena: only the tables themselves are to be freed. */
static void process__free(struct process_state *state)
{
	struct process *process = &state->process;

	HASH_CLEAR(hh, state->threads);
	keymap__free(&state->names);
	keymap__free(&state->namespaces);
	files_free(state);
	net_free(state);
	same_free(process);
	inventory_free(process->inventory);
	free(process->loads);
	free(process->roots);
	free(process->edges);
	free(process->libs);
	free(process->other_libs);
	free(process->waits);
	free(process->lazies);
}

void model__free(struct model *model)
{
	if (!model)
		return;
	if (model->lean)
		model->lean_ops->free(model);
	keymap__free(&model->spans);
	idmap__free(&model->stmts);
	idmap__free(&model->codes);
	keymap__free(&model->code_texts);
	keymap__free(&model->paths);
	HASH_CLEAR(hh, model->lib_infos);
	keymap__free(&model->accounts);
	HASH_CLEAR(hh, model->pythons);
	HASH_CLEAR(hh, model->by_serial);
	HASH_CLEAR(hh_tgid, model->by_tgid);
	for (size_t i = 0; i < model->process_cnt; i++)
		process__free((struct process_state *)model->processes[i]);
	groups_free(model);
	free(model->processes);
	free(model->unprobed);
	free(model->holds);
	free(model->trimmed.data);
	arena__free(&model->arena);
	free(model);
}

static const char *keep(struct model *model, const char *text)
{
	return model_keep(model, text);
}

static const char **keep_all(struct model *model, const char *const *texts, size_t cnt)
{
	const char **out = arena__alloc(&model->arena, (cnt + 1) * sizeof(*out));

	for (size_t i = 0; out && i < cnt; i++)
		out[i] = keep(model, texts[i]);
	return out;
}

int model__set_process_info(struct model *model, __u32 serial, const struct process_info *info)
{
	struct process_state *state;
	struct process *process;

	tap_fact(model, FACT_PROCESS, serial, info);
	if (model->lean) {
		model = model->lean_ops->part(model, serial);
		return model ? model__set_process_info(model, serial, info) : 0;
	}
	HASH_FIND(hh, model->by_serial, &serial, sizeof(serial), state);
	if (!state)
		return 0;
	process = &state->process;
	if (info->exe)
		process->exe = keep(model, info->exe);
	if (info->cwd)
		process->cwd = keep(model, info->cwd);
	if (info->cgroup)
		process->cgroup = keep(model, info->cgroup);
	identity_set(model, process, info);
	if (info->argc && !process->argc) {
		/* A program that changes its title leaves the rest of the old one empty. */
		size_t argc = info->argc;

		while (argc > 1 && info->argv[argc - 1] && !*info->argv[argc - 1])
			argc--;
		process->argv = (char **)keep_all(model, info->argv, argc);
		if (!process->argv)
			return -ENOMEM;
		process->argc = argc;
	}
	return 0;
}

int model__set_python_info(struct model *model, __u32 layout, const struct python_info *info)
{
	struct python_state *python;

	tap_fact(model, FACT_PYTHON, layout, info);
	HASH_FIND(hh, model->pythons, &layout, sizeof(layout), python);
	if (!python) {
		python = arena__alloc(&model->arena, sizeof(*python));
		if (!python)
			return -ENOMEM;
		python->layout = layout;
		HASH_ADD(hh, model->pythons, layout, sizeof(python->layout), python);
	}
	python->info = *info;
	python->info.version = keep(model, info->version);
	python->info.implementation = keep(model, info->implementation);
	python->info.binary = keep(model, info->binary);
	python->info.notes = keep_all(model, info->notes, info->note_cnt);
	return python->info.notes ? 0 : -ENOMEM;
}

void model__set_stats(struct model *model, const struct pyi_stats *stats)
{
	tap_fact(model, FACT_STATS, 0, stats);
	model->stats = *stats;
	model->has_stats = true;
}

int model__set_host(struct model *model, const struct host_info *host)
{
	tap_fact(model, FACT_HOST, 0, host);
	model->host = *host;
	model->host.kernel = keep(model, host->kernel);
	model->host.arch = keep(model, host->arch);
	model->host.hostname = keep(model, host->hostname);
	model->host.tool_version = keep(model, host->tool_version);
	return 0;
}

int model__set_fact(struct model *model, enum model_fact fact, __u32 id, const void *info)
{
	switch (fact) {
	case FACT_HOST: return model__set_host(model, info);
	case FACT_PYTHON: return model__set_python_info(model, id, info);
	case FACT_PROCESS: return model__set_process_info(model, id, info);
	case FACT_LIB: return model__set_lib_info(model, info);
	case FACT_STATS:
		model__set_stats(model, info);
		return 0;
	case FACT_UNPROBED: return model__add_unprobed(model, info);
	case FACT_LATE_STARTS:
		model__set_late_starts(model, *(const __u64 *)info);
		return 0;
	case FACT_UNKNOWN_STARTS:
		model__set_unknown_starts(model, *(const __u64 *)info);
		return 0;
	case FACT_UNEXAMINED: return model__set_unexamined(model, info);
	case FACT_THROTTLE: return model__add_throttle(model, id, info);
	case FACT_SAME: return model__add_same(model, id, info);
	case FACT_HOLD: return model__add_hold(model, info);
	case FACT_HELD:
		model__set_held(model, info);
		return 0;
	case FACT_PRICE:
		model__set_price(model, info);
		return 0;
	}
	return -EINVAL;
}

bool load_is_compiled(const struct load *load)
{
	bool is_zip = load->kind == KIND_ZIP && load->compile_ns != NS_UNKNOWN;

	return (load->kind == KIND_SOURCE || is_zip) && load->via != VIA_MAIN &&
	       !load->is_inherited;
}

bool load_has_no_pyc(const struct load *load)
{
	return load->kind == KIND_SOURCE && load->process->measured & PYI_GROUP_FILES &&
	       load->compile_ns != NS_UNKNOWN && load->compile_cause == COMPILE_UNKNOWN &&
	       load->pyc_fate == PYC_UNWRITTEN;
}
