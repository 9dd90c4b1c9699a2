/* SPDX-License-Identifier: BSD-2-Clause */
/* What loads did with files. */
#ifndef MODEL_CAUSES_FILES_H
#define MODEL_CAUSES_FILES_H

#include "model/state.h"

int file_add(struct model *model, const struct pyi_file *rec);
int files_finish(struct model *model, struct process_state *process);
void files_free(struct process_state *process);

#endif
