/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections, look-ups, and other effects on the outside, of loads. */
#ifndef MODEL_CAUSES_NET_H
#define MODEL_CAUSES_NET_H

#include "model/state.h"

int net_add(struct model *model, const struct pyi_net *rec);
int effect_add(struct model *model, const struct pyi_effect *rec);
int spawn_add(struct model *model, const struct pyi_spawn *rec);
int net_finish(struct model *model, struct process_state *process);
void net_free(struct process_state *process);

#endif
