// SPDX-License-Identifier: BSD-2-Clause
/* Spans that are open, by process and id. */
#include <string.h>
#include <utlist.h>

#include "model/state/span_table.h"

struct span *span_find(struct model *model, __u32 serial, __u32 id)
{
	return keymap__find(&model->spans, (__u64)serial << 32 | id);
}

struct span *span_add(struct model *model, struct process_state *process,
		      struct thread_state *thread, __u32 id)
{
	struct span *span = model->free_spans;

	if (span) {
		model->free_spans = span->next;
		memset(span, 0, sizeof(*span));
	} else {
		span = arena__alloc(&model->arena, sizeof(*span));
	}
	if (!span)
		return NULL;
	span->key = (__u64)process->process.serial << 32 | id;
	span->process = process;
	span->thread = thread;
	if (keymap__set(&model->spans, span->key, span))
		return NULL;
	DL_PREPEND(thread->open, span);
	return span;
}
