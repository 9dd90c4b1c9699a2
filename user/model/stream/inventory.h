/* SPDX-License-Identifier: BSD-2-Clause */
/* What a running process had when we came. */
#ifndef MODEL_STREAM_INVENTORY_H
#define MODEL_STREAM_INVENTORY_H

#include "model/state.h"

int inventory_add(struct model *model, const struct pyi_inventory *rec);
void inventory_finish(struct process_state *process);
void inventory_free(struct inventory *inventory);

#endif
