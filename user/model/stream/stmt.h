/* SPDX-License-Identifier: BSD-2-Clause */
/* Import statements. */
#ifndef MODEL_STREAM_STMT_H
#define MODEL_STREAM_STMT_H

#include "model/state.h"

int stmt_first(struct model *model, const struct pyi_edge *rec);
int stmt_from(struct model *model, const struct pyi_from *rec);
int stmt_bound(struct model *model, const struct pyi_from *rec);
/* Its callers, where a function ran it outside of all imports. */
int stmt_callers(struct model *model, const struct pyi_frames *rec);
/* A load of @module, interned, began for it. */
void stmt_led_to(struct stmt *stmt, const char *module);

int stmt_count(struct model *model, const struct pyi_edge_count *rec);
struct stmt *stmt_find(struct model *model, __u32 id);

#endif
