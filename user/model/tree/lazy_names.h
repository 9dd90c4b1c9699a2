/* SPDX-License-Identifier: BSD-2-Clause */
/* Lazy imports: what became of names that 3.15 declared, and of what LazyLoader found. */
#ifndef MODEL_TREE_LAZY_NAMES_H
#define MODEL_TREE_LAZY_NAMES_H

#include "model/state.h"

/* Finds the loads of process->lazies; those of the same place and module are one. */
void lazy_names_finish(struct process_state *state);

/* What LazyLoader found is no load of its own if it is executed later. Before loads are linked. */
void lazy_join(struct model *model, struct process_state *state);

#endif
