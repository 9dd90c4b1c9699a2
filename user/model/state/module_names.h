/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of modules in one process: which are loaded, and which dict belongs to which. */
#ifndef MODEL_STATE_MODULE_NAMES_H
#define MODEL_STATE_MODULE_NAMES_H

#include "model/state.h"

/* @text must be interned. NULL: no memory. */
struct module_name *name_get(struct model *model, struct process_state *process,
			     const char *text);
struct module_name *name_find(const struct process_state *process, const char *text);
int namespace_add(struct process_state *process, __u64 globals, const char *name);
bool namespace_has(const struct process_state *process, __u64 globals, const char *name);
const char *namespace_name(const struct process_state *process, __u64 globals);
/* How many modules a child of @parent has that is forked now, or INHERITED_UNKNOWN. */
__u32 modules_at_fork(const struct process_state *parent);
/* Was a module of this name loaded in the process, or in those it was forked from by then? */
bool module_was_loaded(const struct process_state *process, const char *text);
void module_loaded(struct process_state *process, struct module_name *name);

#endif
