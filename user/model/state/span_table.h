/* SPDX-License-Identifier: BSD-2-Clause */
/* Spans that are open, by process and id. */
#ifndef MODEL_STATE_SPAN_TABLE_H
#define MODEL_STATE_SPAN_TABLE_H

#include "model/state.h"

struct span *span_find(struct model *model, __u32 serial, __u32 id);
/* NULL: no memory. On top of what is open on @thread. */
struct span *span_add(struct model *model, struct process_state *process,
		      struct thread_state *thread, __u32 id);

#endif
