/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that did the same, as groups. */
#ifndef MODEL_TREE_WORKERS_H
#define MODEL_TREE_WORKERS_H

#include "model/state.h"

int groups_finish(struct model *model);
void groups_free(struct model *model);

#endif
