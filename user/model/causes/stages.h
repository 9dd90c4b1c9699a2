/* SPDX-License-Identifier: BSD-2-Clause */
/* Stages of a load between the search and the module's own code. */
#ifndef MODEL_CAUSES_STAGES_H
#define MODEL_CAUSES_STAGES_H

#include "model/state.h"

void stages_settle(struct load_state *state); /* when its charges are complete */

#endif
