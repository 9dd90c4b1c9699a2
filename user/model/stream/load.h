/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads while they run. */
#ifndef MODEL_STREAM_LOAD_H
#define MODEL_STREAM_LOAD_H

#include "model/state.h"

/* NULL: no memory. @name is interned, or NULL. */
struct load_state *load_begin(struct model *model, struct span *span, const struct pyi_begin *rec,
			      struct load_state *around, const char *name);
void load_end(struct model *model, struct load_state *state, const struct pyi_end *rec,
	      __u64 wall_ns);
/* Its end was not seen. */
void load_leave(struct load_state *state);
/* It turned out to be none right after its begin. */
void load_recycle(struct model *model, struct load_state *state);
/* The search is over. */
void load_found(struct load_state *state, __u64 ts_ns);
/* A load under way at a fork, as the child sees it. NULL: no memory. */
struct load_state *load_inherit(struct model *model, struct process_state *child,
				struct load_state *origin);

#endif
