/* SPDX-License-Identifier: BSD-2-Clause */
/* Statements become edges, when the trace is over. */
#ifndef MODEL_TREE_EDGES_H
#define MODEL_TREE_EDGES_H

#include "model/state.h"

int edges_finish(struct model *model, struct process_state *process);

#endif
