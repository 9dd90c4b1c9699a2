/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared objects that a process opened: the stages of each dlopen, and what else is mapped. */
#ifndef MODEL_CAUSES_LIBS_H
#define MODEL_CAUSES_LIBS_H

#include "model/state.h"

void link_add(struct model *model, const struct pyi_link *rec);
int libs_finish(struct model *model, struct process *process);

#endif
