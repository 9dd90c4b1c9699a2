/* SPDX-License-Identifier: BSD-2-Clause */
/* Readiness: listening, waiting for a connection, the first one. */
#ifndef MODEL_CAUSES_PHASES_H
#define MODEL_CAUSES_PHASES_H

#include "model/state.h"

void phase_add(struct model *model, const struct pyi_phase *rec);
void phases_finish(struct process *process);

#endif
