/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of one content. */
#ifndef MODEL_CAUSES_SAME_CONTENT_H
#define MODEL_CAUSES_SAME_CONTENT_H

#include "model/state.h"

void same_free(struct process *process);

#endif
