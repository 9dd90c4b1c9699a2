/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts behind the kernel's keys of paths. */
#ifndef MODEL_STATE_PATH_H
#define MODEL_STATE_PATH_H

#include "model/state.h"

int path_add(struct model *model, const struct pyi_path *rec);
/* Absolute where its directory is known; NULL if the text never came. */
int path_text(struct model *model, const struct process *process, __u64 key, const char **out);

#endif
