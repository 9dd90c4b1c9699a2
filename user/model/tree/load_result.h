/* SPDX-License-Identifier: BSD-2-Clause */
/* What one load was. */
#ifndef MODEL_TREE_LOAD_RESULT_H
#define MODEL_TREE_LOAD_RESULT_H

#include "model/state.h"

void load_settle(struct model *model, struct process_state *process, struct load_state *state);

/* Has LazyLoader found a module in it, and nothing more? */
bool load_is_lazy_find(struct model *model, const struct load_state *state);
/* Does LazyLoader execute a module in it, for who used that first? */
bool load_is_lazy_run(struct model *model, const struct load_state *state);

#endif
