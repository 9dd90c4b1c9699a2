/* SPDX-License-Identifier: BSD-2-Clause */
/* Who waited for another thread's load of the same module. */
#ifndef MODEL_CAUSES_IMPORT_WAITS_H
#define MODEL_CAUSES_IMPORT_WAITS_H

#include "model/state.h"

int wait_add(struct model *model, struct process *process, const struct load *load);
void waits_finish(struct process *process);

#endif
