/* SPDX-License-Identifier: BSD-2-Clause */
/* What became of the names that statements of 3.15 declared as lazy. */
#ifndef MODEL_TREE_LAZY_NAMES_H
#define MODEL_TREE_LAZY_NAMES_H

#include "model/state.h"

/* Finds the loads of process->lazies; those of the same place and module are one. */
void lazy_names_finish(struct process_state *state);

/* Joins what LazyLoader found with its execution. When edges are settled. */
void lazy_twins_finish(struct process_state *state);

#endif
