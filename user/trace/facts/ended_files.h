/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files that ended processes used, kept once however many used them, until the trace is over
 * and there is time to look into them. For a model that forgets (model__set_lean).
 */
#ifndef TRACE_FACTS_ENDED_FILES_H
#define TRACE_FACTS_ENDED_FILES_H

#include "model/model.h"

struct ended_files;

int ended_files__new(struct ended_files **out);
void ended_files__free(struct ended_files *ended);

/* Notes what the processes of @part used; @ctx is a struct ended_files. For model_lean.on_end. */
void ended_files__take(void *ctx, struct model *part);

/* As model__each_mapped and __each_large; of a process serial, tgid and container.id are set. */
int ended_files__each_mapped(struct ended_files *ended, model_path_fn fn, void *ctx);
int ended_files__each_large(struct ended_files *ended, model_large_files_fn fn, void *ctx);

#endif
