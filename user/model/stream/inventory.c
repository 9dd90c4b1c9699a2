// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a process that ran before us had loaded by then. It is read while the process runs on and
 * after its probes came: what was seen to be loaded meanwhile has times and is not listed here.
 */
#include <errno.h>
#include <stdlib.h>

#include "event/event.h"
#include "model/state/module_names.h"
#include "model/state/process_table.h"
#include "model/state/text.h"
#include "model/stream/inventory.h"

#define GENERATIONS_MAX 4096

/* In a hostile stream two processes may each be the other's parent. */
static bool is_ancestor(const struct process *process, const struct process *of)
{
	for (int i = 0; of && i < GENERATIONS_MAX; i++, of = of->parent)
		if (of == process)
			return true;
	return of != NULL;
}

static void set_parent(struct model *model, struct process *process, __u32 ppid)
{
	struct process_state *parent = process_living(model, ppid);

	process->ppid = ppid;
	if (parent && !process->parent && !is_ancestor(process, &parent->process))
		process->parent = &parent->process;
}

static int add_module(struct model *model, struct process_state *process,
		      const struct inventory_item *module)
{
	struct inventory *inventory = process->process.inventory;
	struct module_name *name = name_get(model, process, module->name);
	struct inventory_item *copy;

	if (!name)
		return -ENOMEM;
	if (name->is_present) /* in two interpreters of the process */
		return 0;
	copy = arena__alloc(&model->arena, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = *module;
	name->is_present = true;
	module_loaded(process, name);
	return array_push(&inventory->modules, &inventory->module_cnt, &inventory->module_cap,
			  copy);
}

static int add_lib(struct model *model, struct inventory *inventory,
		   const struct inventory_item *lib)
{
	struct inventory_item *copy = arena__alloc(&model->arena, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *lib;
	return array_push(&inventory->libs, &inventory->lib_cnt, &inventory->lib_cap, copy);
}

static int add_item(struct model *model, struct process_state *process,
		    const struct pyi_inventory *rec)
{
	struct inventory *inventory = process->process.inventory;
	struct inventory_item item = { .bytes = rec->bytes };
	int err = model_text(model, &rec->name, rec->text, &item.name);

	if (!err)
		err = model_text(model, &rec->file, rec->text + rec->name.sz, &item.file);
	if (err)
		return err;
	switch (rec->what) {
	case PYI_INVENTORY_PROCESS:
		set_parent(model, &process->process, rec->ppid);
		return 0;
	case PYI_INVENTORY_MODULE:
		return item.name ? add_module(model, process, &item) : 0;
	case PYI_INVENTORY_LIB:
		return item.name ? add_lib(model, inventory, &item) : 0;
	case PYI_INVENTORY_MODULES:
		process->process.is_python = inventory->has_modules = true;
		inventory->is_cut = rec->hdr.flags & PYI_F_TRUNC;
		return 0;
	}
	return 0;
}

bool model__wants_inventory(const struct model *model, __u32 serial)
{
	const struct process_state *process;

	if (model->lean)
		model = model->lean_ops->part(model, serial);
	if (!model)
		return false;
	HASH_FIND(hh, model->by_serial, &serial, sizeof(serial), process);
	return process && process->process.is_late && !process->process.inventory &&
	       process->process.end_ns == NS_UNKNOWN;
}

int inventory_add(struct model *model, const struct pyi_inventory *rec)
{
	struct process_state *process = process_get(model, &rec->hdr);
	struct inventory *inventory;

	if (!process)
		return -ENOMEM;
	if (!process->process.is_late)
		return 0; /* everything of it was seen */
	inventory = process->process.inventory;
	if (!inventory) {
		inventory = arena__alloc(&model->arena, sizeof(*inventory));
		if (!inventory)
			return -ENOMEM;
		inventory->taken_ns = rec->hdr.ts_ns;
		process->process.inventory = inventory;
	}
	return add_item(model, process, rec);
}

void inventory_finish(struct process_state *process)
{
	struct inventory *inventory = process->process.inventory;
	size_t kept = 0;

	if (!inventory)
		return;
	for (size_t i = 0; i < process->process.load_cnt; i++) {
		const struct load *load = process->process.loads[i];
		struct module_name *name;

		if (load->start_ns >= inventory->taken_ns || load->result == LOAD_FAILED)
			continue;
		name = name_find(process, load->module);
		if (name)
			name->is_present = false;
	}
	for (size_t i = 0; i < inventory->module_cnt; i++) {
		const struct module_name *name;

		name = name_find(process, inventory->modules[i]->name);
		if (name && name->is_present)
			inventory->modules[kept++] = inventory->modules[i];
	}
	inventory->module_cnt = kept;
}

void inventory_free(struct inventory *inventory)
{
	if (!inventory)
		return;
	free(inventory->modules);
	free(inventory->libs);
}
