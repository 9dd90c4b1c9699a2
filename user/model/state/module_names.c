// SPDX-License-Identifier: BSD-2-Clause
/*
 * Names of modules in one process: which are loaded, which it had when it was forked, and which
 * dict belongs to which.
 */
#include "model/state/module_names.h"

/* By address: @text is interned. */
struct module_name *name_find(const struct process_state *process, const char *text)
{
	return keymap__find(&process->names, (uintptr_t)text);
}

struct module_name *name_get(struct model *model, struct process_state *process,
			     const char *text)
{
	struct module_name *name = name_find(process, text);

	if (name)
		return name;
	name = arena__alloc(&model->arena, sizeof(*name));
	if (!name)
		return NULL;
	name->name = text;
	return keymap__set(&process->names, (uintptr_t)text, name) ? NULL : name;
}

/* The dict before it at this address is gone. */
int namespace_add(struct process_state *process, __u64 globals, const char *name)
{
	return globals && name ? keymap__set(&process->namespaces, globals, (void *)name) : 0;
}

const char *namespace_name(const struct process_state *process, __u64 globals)
{
	const char *name = NULL;

	for (int i = 0; globals && process && !name && i < ANCESTORS_MAX; i++) {
		name = keymap__find(&process->namespaces, globals);
		process = process->forked_from;
	}
	return name;
}

bool namespace_has(const struct process_state *process, __u64 globals, const char *name)
{
	const char *known = namespace_name(process, globals);

	return known && known == name;
}

bool module_was_loaded(const struct process_state *process, const char *text)
{
	const struct module_name *name;

	for (int i = 0; process && i < ANCESTORS_MAX; i++, process = process->forked_from) {
		name = name_find(process, text);
		if (name && name->is_loaded)
			return true;
	}
	return false;
}

void module_loaded(struct process_state *process, struct module_name *name)
{
	if (!name->is_loaded && !module_was_loaded(process->forked_from, name->name))
		process->own_cnt++;
	name->is_loaded = true;
}

/* Unknown where the parent ran before us: what it had loaded by then was not seen. */
__u32 modules_at_fork(const struct process_state *parent)
{
	__u32 cnt = parent->own_cnt;

	if (parent->process.is_late &&
	    (!parent->process.inventory || !parent->process.inventory->has_modules))
		return INHERITED_UNKNOWN;
	if (parent->forked_from) {
		if (parent->process.inherited_cnt == INHERITED_UNKNOWN)
			return INHERITED_UNKNOWN;
		cnt += parent->process.inherited_cnt;
	}
	return cnt;
}
