/* SPDX-License-Identifier: GPL-2.0-only */
/* Spans: what begins and ends, and the records of both. */
#ifndef BPF_IMPORTS_SPAN_BPF_H
#define BPF_IMPORTS_SPAN_BPF_H

#include "imports/stack.bpf.h"

static __always_inline struct begin_args *begin_in(struct thread *t, u8 span, u64 sp)
{
	struct begin_args *args = &t->scratch.begin;

	__builtin_memset(args, 0, sizeof(*args));
	args->sp = sp;
	args->now = t->now;
	args->span = span;
	args->is_switching = t->is_switching;
	return args;
}

/* Opens and reports a span; its id. What it proves to have ended is swept away before. */
u32 span_begin(struct thread *t, const struct pyi_layout *lay, const struct begin_args *args);

/*
 * The load whose span was opened around @pyframe ends with what has just ended inside it; when it
 * failed, those that waited for it as their parent package fail as well.
 */
int search_end(struct thread *t, const struct pyi_layout *lay, u64 pyframe, u32 has_failed,
	       u64 type_name);

#define END_FAILED 0x200 /* beside the kind in span_end's @want */
/* Ends the span of this kind at @sp or @pyframe; 0 when there is none. */
int span_end(struct thread *t, const struct pyi_layout *lay, u32 want, u64 sp, u64 pyframe);

#endif
