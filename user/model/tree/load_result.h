/* SPDX-License-Identifier: BSD-2-Clause */
/* What one load was. */
#ifndef MODEL_TREE_LOAD_RESULT_H
#define MODEL_TREE_LOAD_RESULT_H

#include "model/state.h"

void load_settle(struct model *model, struct process_state *process, struct load_state *state);

#endif
