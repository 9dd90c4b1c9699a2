/* SPDX-License-Identifier: BSD-2-Clause */
/* Spans: what is open on each thread, and what it belongs to. */
#ifndef MODEL_STREAM_SPAN_H
#define MODEL_STREAM_SPAN_H

#include "model/state.h"

int span_begin(struct model *model, const struct pyi_begin *rec);
int span_end(struct model *model, const struct pyi_end *rec);
/* What is open on @from is open in the child that it forks. */
int spans_inherit(struct model *model, struct process_state *child, struct thread_state *from);
/* Whatever thread @tid (0: any) has open ends unseen. */
void spans_abandon(struct model *model, struct process_state *process, __u32 tid);

#endif
