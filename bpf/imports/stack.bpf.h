/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stack of open spans of a thread: why begins and ends pair up.
 *
 * A span remembers the user stack pointer of its begin site. Its end site lies in the same
 * activation of the same function, so the stack pointer is the same there (but for a constant the
 * disassembly knows). A live caller always has a higher stack pointer than its callee: an open
 * span at or below a new one has returned without us seeing it, and is closed as "unobserved".
 *
 * Two things do not fit that rule:
 * - SEARCH spans (import_module, reload) belong to no C function. They are known by the Python
 *   frame of importlib's _find_and_load, and are alive while that frame is still among the callers
 *   of what runs now; search.bpf.c says how they end.
 * - greenlets swap C stacks on one thread, so addresses of suspended spans say nothing. Once such
 *   a library is mapped, the parent of a new span is found through the chain of Python frames,
 *   which greenlet keeps apart, and nothing is ever closed by comparing addresses. A span that
 *   ended inside the stack leaves a hole.
 */
#ifndef BPF_IMPORTS_STACK_BPF_H
#define BPF_IMPORTS_STACK_BPF_H

#include "python/python.bpf.h"

/* @flags: whether room for deep spans may be made. */
static __always_inline struct open_span *open_slot(struct thread *t, u32 index, u64 flags)
{
	struct deep_spans *deep;

	/* Older verifiers forget a bound checked before an addition: check the sum itself. */
	barrier_var(index);
	if (index < NEAR_DEPTH) {
		barrier_var(index); /* or the compiler computes the address before the check */
		return &t->open[index];
	}
	index -= NEAR_DEPTH;
	barrier_var(index);
	if (index >= PYI_MAX_DEPTH - NEAR_DEPTH)
		return NULL;
	deep = bpf_task_storage_get(&deeps, bpf_get_current_task_btf(), NULL, flags);
	if (!deep)
		return NULL;
	barrier_var(deep);
	barrier_var(index);
	return &deep->open[index];
}

static __always_inline struct open_span *open_at(struct thread *t, u32 index)
{
	return open_slot(t, index, 0);
}

static __always_inline u32 stored_depth(const struct thread *t)
{
	return t->depth < PYI_MAX_DEPTH ? t->depth : PYI_MAX_DEPTH;
}

/* Innermost open span, NULL = none. Holes are never on top: see span_close. */
static __always_inline struct open_span *open_top(struct thread *t)
{
	u32 depth = stored_depth(t);

	return depth ? open_at(t, depth - 1) : NULL;
}

/* Removes the span at @index; drops the holes that come to lie on top. */
int span_close(struct thread *t, u32 index);

/* Closes the innermost span, whose end was not seen. Its depth is what remains. */
u32 close_top(struct thread *t, const struct pyi_layout *lay, u64 now);

/* Is the Python frame @wanted among the callers of @from (or @from itself)? */
int chain_has(struct thread *t, const struct pyi_layout *lay, u64 from, u64 wanted);

/* Closes what a new span at @sp, asked by @pyframe, proves to have ended. */
int sweep(struct thread *t, const struct pyi_layout *lay, u64 sp, u64 pyframe, u64 now);

/* Greenlets: the innermost open span that one of our Python callers asked for: index + 1. */
u32 chain_parent(struct thread *t, const struct pyi_layout *lay, u64 pyframe);

/* A hole to use again: index + 1, 0 = none. */
u32 hole_find(struct thread *t);

#define HOLES_TOLERATED 48 /* open spans before holes are searched for: greenlets that interleave */

/* Opens a span; false when deeper than we keep. @kind: enum pyi_span | enum open_flag << 8. */
static __always_inline bool span_open(struct thread *t, u32 id, u32 kind, u64 sp, u64 pyframe)
{
	u32 hole = t->is_switching && t->depth > HOLES_TOLERATED ? hole_find(t) : 0;
	struct open_span *span = open_slot(t, hole ? hole - 1 : t->depth,
					   BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!span) {
		count_loss(depth_overflow);
		return false;
	}
	span->sp = sp;
	span->pyframe = pyframe;
	span->id = id;
	span->span = kind;
	span->flags = kind >> 8;
	span->pad = 0;
	if (!hole)
		t->depth++;
	return true;
}

#define FIND_SWITCHING 0x100 /* beside the kind in span_match's and span_find's @want */
/*
 * Index of the open span that ends here, -1 if it began before we attached. SEARCH spans match by
 * frame alone, the others by stack pointer; greenlets need both.
 */
int span_find(struct thread *t, u32 want, u64 sp, u64 pyframe);

#endif
