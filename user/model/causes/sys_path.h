/* SPDX-License-Identifier: BSD-2-Clause */
/* Directories of sys.path: how often each was looked into in vain. */
#ifndef MODEL_CAUSES_SYS_PATH_H
#define MODEL_CAUSES_SYS_PATH_H

#include "model/state.h"

int dirs_finish(struct model *model, struct process *process);

#endif
