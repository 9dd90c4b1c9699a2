/* SPDX-License-Identifier: BSD-2-Clause */
/* Records about process images: exec, fork, exit. */
#ifndef MODEL_STREAM_PROCESS_H
#define MODEL_STREAM_PROCESS_H

#include "model/state.h"

int process_exec(struct model *model, const struct pyi_exec *rec);
int process_fork(struct model *model, const struct pyi_fork *rec);
void process_exit(struct model *model, const struct pyi_exit *rec);
int process_python(struct model *model, const struct pyi_python *rec);
int process_namespace(struct model *model, const struct pyi_namespace *rec);
int process_log(struct model *model, const struct pyi_hdr *hdr);

#endif
