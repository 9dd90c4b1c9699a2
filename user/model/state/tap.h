/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes into a model is told to whoever keeps it. */
#ifndef MODEL_STATE_TAP_H
#define MODEL_STATE_TAP_H

#include "model/state.h"

void tap_record(struct model *model, const struct event *event);
void tap_fact(const struct model *model, enum model_fact fact, __u32 id, const void *info);

#endif
