// SPDX-License-Identifier: GPL-2.0-only
/* The stack of open spans: searches and sweeps. stack.bpf.h says how it works. */
#include "imports/span_end.bpf.h"
#include "imports/stack.bpf.h"

#define MAX_CHAIN 40 /* Python frames looked at: importlib puts 6 between two imports */

/* Copies the span at @index to the thread's scratch; 0 when there is none. Keeps loops simple. */
__noinline int span_read(struct thread *t, u32 index)
{
	struct open_span *span;

	if (!t)
		return 0;
	span = open_at(t, index);
	if (!span)
		return 0;
	t->scratch.span = *span;
	return 1;
}

#define BLOCK 8 /* spans a function looks at; its caller looks at PYI_MAX_DEPTH / BLOCK blocks */

/* Drops holes from the top of the stack; 0 when there are no more. */
__noinline int drop_holes(struct thread *t)
{
	struct open_span *span;

	if (!t)
		return 0;
	for (int i = 0; i < BLOCK; i++) {
		span = open_top(t);
		if (!span || span->id)
			return 0;
		t->depth = stored_depth(t) - 1;
	}
	return 1;
}

/* Removes the span at @index; drops the holes that come to lie on top. */
__noinline int span_close(struct thread *t, u32 index)
{
	struct open_span *span;

	if (!t)
		return 0;
	span = open_at(t, index);
	if (!span)
		return 0;
	span->id = 0;
	t->depth = stored_depth(t);
	for (int i = 0; i < PYI_MAX_DEPTH / BLOCK; i++)
		if (!drop_holes(t))
			break;
	return 0;
}

/* Closes the innermost span, whose end was not seen. Its depth is what remains. */
__noinline u32 close_top(struct thread *t, const struct pyi_layout *lay, u64 now)
{
	struct open_span *top;

	if (!t || !lay)
		return 0;
	top = open_top(t);
	if (!top)
		return 0;
	if (top->span == PYI_SPAN_SEARCH) { /* no loss, just no exact end */
		search_settle(t, lay, top);
	} else {
		count_loss(ends_unobserved);
		emit_end(t, top->id, END_META(top->span, 0, PYI_F_UNOBSERVED), 0, now);
	}
	span_close(t, stored_depth(t) - 1);
	return t->depth;
}

/* Is the Python frame @wanted among the callers of @from (or @from itself)? */
__noinline int chain_has(struct thread *t, const struct pyi_layout *lay, u64 from,
				u64 wanted)
{
	u64 addr = from;

	if (!t || !lay)
		return 0;
	for (int i = 0; i < MAX_CHAIN && addr; i++) {
		if (addr == wanted)
			return 1;
		addr = read_ptr(addr + lay->frame_back);
	}
	return 0;
}

/* Closes the innermost span if the new one proves that it has ended; 0 when it is alive. */
static __always_inline int sweep_one(struct thread *t, const struct pyi_layout *lay, u64 sp,
				     u64 pyframe, u64 now)
{
	const struct open_span *top;
	u32 depth;

	if (!t || !lay)
		return 0;
	depth = stored_depth(t);
	if (!depth || !span_read(t, depth - 1))
		return 0;
	top = &t->scratch.span;
	if (top->span == PYI_SPAN_SEARCH) {
		if (!pyframe || (chain_has(t, lay, pyframe, top->pyframe) &&
				 search_is_alive(t, lay, open_top(t))))
			return 0;
	} else if (!sp || top->sp > sp) {
		return 0;
	}
	close_top(t, lay, now);
	return 1;
}

__noinline int sweep_block(struct thread *t, const struct pyi_layout *lay, u64 sp, u64 pyframe,
			   u64 now)
{
	for (int i = 0; i < BLOCK; i++)
		if (!sweep_one(t, lay, sp, pyframe, now))
			return 0;
	return 1;
}

/* Closes what a new span at @sp, asked by @pyframe, proves to have ended. */
__noinline int sweep(struct thread *t, const struct pyi_layout *lay, u64 sp, u64 pyframe, u64 now)
{
	for (int i = 0; i < PYI_MAX_DEPTH / BLOCK; i++)
		if (!sweep_block(t, lay, sp, pyframe, now))
			break;
	return 0;
}

/* Raises t->best to the newest span in the block below @depth that @pyframe asked for. */
__noinline int span_of_frame_block(struct thread *t, u64 pyframe, u32 depth)
{
	const struct open_span *span;

	if (!t)
		return 0;
	span = &t->scratch.span;
	for (int j = 0; j < BLOCK; j++) {
		if (!span_read(t, depth - 1 - j))
			break;
		if (span->id > t->best_id && span->pyframe == pyframe) {
			t->best_id = span->id;
			t->best = depth - j;
		}
	}
	return 0;
}

/*
 * The newest open span that the Python frame @pyframe asked for: index + 1, 0 = none. Holes are
 * used again, so that the newest need not be the highest.
 */
__noinline u32 span_of_frame(struct thread *t, u64 pyframe)
{
	u32 depth;

	if (!t)
		return 0;
	t->best_id = t->best = 0;
	depth = stored_depth(t);
	for (u32 i = 0; i < PYI_MAX_DEPTH / BLOCK && i * BLOCK < depth; i++)
		span_of_frame_block(t, pyframe, depth - i * BLOCK);
	return t->best;
}

/* Greenlets: the innermost open span that one of our Python callers asked for: index + 1. */
__noinline u32 chain_parent(struct thread *t, const struct pyi_layout *lay, u64 pyframe)
{
	u64 addr = pyframe;
	u32 found;

	if (!t || !lay)
		return 0;
	for (int i = 0; i < MAX_CHAIN && addr; i++) {
		found = span_of_frame(t, addr);
		if (found)
			return found;
		addr = read_ptr(addr + lay->frame_back);
	}
	return 0;
}

__noinline u32 hole_in_block(struct thread *t, u32 from)
{
	if (!t)
		return 0;
	for (u32 j = 0; j < BLOCK; j++) {
		if (from + j >= t->depth || !span_read(t, from + j))
			break;
		if (!t->scratch.span.id)
			return from + j + 1;
	}
	return 0;
}

/* A hole to use again: index + 1, 0 = none. */
__noinline u32 hole_find(struct thread *t)
{
	u32 found;

	if (!t)
		return 0;
	for (u32 i = 0; i < PYI_MAX_DEPTH / BLOCK && i * BLOCK < t->depth; i++) {
		found = hole_in_block(t, i * BLOCK);
		if (found)
			return found;
	}
	return 0;
}

enum span_match { SPAN_OTHER, SPAN_MATCH, SPAN_CALLER };

__noinline int span_match(struct thread *t, u32 index, u32 want, u64 sp, u64 pyframe)
{
	const struct open_span *span;
	bool is_switching = want & FIND_SWITCHING;
	u8 kind = want;

	if (!t || !span_read(t, index))
		return SPAN_CALLER;
	span = &t->scratch.span;
	if (!span->id || span->span != kind)
		return SPAN_OTHER;
	if (kind == PYI_SPAN_SEARCH)
		return span->pyframe == pyframe ? SPAN_MATCH : SPAN_OTHER;
	if (span->sp == sp && (!is_switching || !pyframe || span->pyframe == pyframe))
		return SPAN_MATCH;
	/* A caller of what ends is still running, and so is all below it. */
	return !is_switching && span->sp > sp ? SPAN_CALLER : SPAN_OTHER;
}

/* Below @depth: index + 1 of the span that matches, 0 = not in this block, -1 = nowhere. */
__noinline int span_find_block(struct thread *t, u32 want, u64 sp, u64 pyframe, u32 depth)
{
	int match;

	for (u32 j = 0; j < BLOCK; j++) {
		match = span_match(t, depth - 1 - j, want, sp, pyframe);
		if (match == SPAN_MATCH)
			return depth - j;
		if (match == SPAN_CALLER)
			return -1;
	}
	return 0;
}

/*
 * Index of the open span that ends here, -1 if it began before we attached. SEARCH spans match by
 * frame alone, the others by stack pointer; greenlets need both.
 */
__noinline int span_find(struct thread *t, u32 want, u64 sp, u64 pyframe)
{
	u32 depth;
	int found;

	if (!t)
		return -1;
	depth = stored_depth(t);
	for (u32 i = 0; i < PYI_MAX_DEPTH / BLOCK && i * BLOCK < depth; i++) {
		found = span_find_block(t, want, sp, pyframe, depth - i * BLOCK);
		if (found)
			return found < 0 ? -1 : found - 1;
	}
	return -1;
}
