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
 * - LOCK spans (import_module, reload) begin and end in different C functions. They are known by
 *   the Python frame of importlib's _find_and_load, and are alive while that frame is still among
 *   the callers of what runs now.
 * - greenlets swap C stacks on one thread, so addresses of suspended spans say nothing. Once such
 *   a library is mapped, the parent of a new span is found through the chain of Python frames,
 *   which greenlet keeps apart, and nothing is ever closed by comparing addresses. A span that
 *   ended inside the stack leaves a hole.
 */
#ifndef STACK_BPF_H
#define STACK_BPF_H

#include "python.bpf.h"

#define MAX_CHAIN 40 /* Python frames looked at: importlib puts 6 between two imports */

struct hit {
	struct thread *t;
	struct proc *proc; /* may be NULL on the fast path */
	const struct pyi_layout *lay;
	const struct pyi_site *site;
	u64 bias, sp, now;
	u32 flags; /* enum pyi_event_flag for the records of this hit */
	bool is_switching;
};

static __always_inline struct open_span *open_at(struct thread *t, u32 index)
{
	if (index >= PYI_MAX_DEPTH)
		return NULL;
	barrier_var(index); /* or the compiler computes the address before it is checked */
	return &t->open[index];
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

static __always_inline void emit_end(struct hit *h, const struct open_span *span, bool failed,
				     u64 type, u32 flags)
{
	struct pyi_end *rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	u64 name = 0;

	if (!rec) {
		count_loss(ring_full);
		return;
	}
	fill_hdr(&rec->hdr, PYI_EV_END, sizeof(*rec), h->t->serial);
	rec->hdr.ts_ns = h->now;
	rec->hdr.flags = flags;
	rec->id = span->id;
	rec->span = span->span;
	rec->failed = failed;
	rec->pad = 0;
	__builtin_memset(rec->error, 0, sizeof(rec->error));
	if (type && h->lay->type_name >= 0)
		name = read_ptr(type + h->lay->type_name);
	if (name && bpf_probe_read_user_str(rec->error, sizeof(rec->error), (void *)name) < 0) {
		rec->error[0] = 0;
		rec->hdr.flags |= PYI_F_UNREADABLE;
		count_loss(unreadable);
	}
	bpf_ringbuf_submit(rec, wake_flag());
}

/* Removes the span at @index; drops the holes that come to lie on top. */
static __always_inline void span_close(struct thread *t, u32 index)
{
	struct open_span *span = open_at(t, index);

	if (!span)
		return;
	span->id = 0;
	if (t->depth > PYI_MAX_DEPTH)
		t->depth = PYI_MAX_DEPTH;
	for (int i = 0; i < 64; i++) {
		span = t->depth ? open_at(t, t->depth - 1) : NULL;
		if (!span || span->id)
			break;
		t->depth--;
	}
}

static __always_inline void close_unobserved(struct hit *h, struct open_span *span, u32 index)
{
	/* A lock that other threads still wait for is freed by them: no loss, just no exact end. */
	if (span->span != PYI_SPAN_LOCK)
		count_loss(ends_unobserved);
	emit_end(h, span, false, 0, PYI_F_UNOBSERVED);
	span_close(h->t, index);
}

/* Is the Python frame @wanted among the callers of @from (or @from itself)? */
static __noinline int chain_has(struct thread *t, const struct pyi_layout *lay, u64 from,
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

/* Closes what a new span at @sp, asked by @pyframe, proves to have ended. */
static __always_inline void sweep(struct hit *h, u64 sp, u64 pyframe)
{
	struct open_span *top;

	if (h->is_switching)
		return;
	for (int i = 0; i < 32; i++) {
		top = open_top(h->t);
		if (!top)
			return;
		if (top->span == PYI_SPAN_LOCK) {
			if (!pyframe || chain_has(h->t, h->lay, pyframe, top->pyframe))
				return;
		} else if (!sp || top->sp > sp) {
			return;
		}
		close_unobserved(h, top, stored_depth(h->t) - 1);
	}
}

/* Greenlets: the innermost open span that one of our Python callers asked for. */
static __noinline u32 chain_parent(struct thread *t, const struct pyi_layout *lay, u64 pyframe)
{
	struct open_span *span;
	u64 addr = pyframe;
	u32 depth, index;

	if (!t || !lay)
		return 0;
	depth = stored_depth(t);
	for (int i = 0; i < MAX_CHAIN && addr; i++) {
		for (int j = 0; j < 64; j++) {
			index = depth - 1 - j;
			span = open_at(t, index);
			if (!span)
				break;
			if (span->id && span->pyframe == addr)
				return span->id;
		}
		addr = read_ptr(addr + lay->frame_back);
	}
	return 0;
}

static __always_inline u32 parent_of(struct hit *h, u64 pyframe)
{
	struct open_span *top = open_top(h->t);

	if (!top)
		return 0;
	if (!h->is_switching)
		return top->id;
	h->flags |= PYI_F_SWITCHING;
	if (!pyframe) { /* imported from C without a frame: no proof possible */
		h->flags |= PYI_F_APPROX;
		return top->id;
	}
	return chain_parent(h->t, h->lay, pyframe);
}

/* Opens a span; false when deeper than we keep. */
static __always_inline bool span_open(struct thread *t, u32 id, u8 kind, u64 sp, u64 pyframe)
{
	struct open_span *span = open_at(t, t->depth);

	if (!span) {
		count_loss(depth_overflow);
		return false;
	}
	span->sp = sp;
	span->pyframe = pyframe;
	span->id = id;
	span->span = kind;
	span->flags = 0;
	span->pad = 0;
	t->depth++;
	return true;
}

/*
 * Index of the open span that ends here, -1 if it began before we attached. LOCK spans match by
 * frame alone, the others by stack pointer; greenlets need both.
 */
static __always_inline int span_find(struct hit *h, u8 kind, u64 sp, u64 pyframe)
{
	u32 depth = stored_depth(h->t);
	struct open_span *span;

	for (int j = 0; j < PYI_MAX_DEPTH; j++) {
		span = open_at(h->t, depth - 1 - j);
		if (!span)
			break;
		if (!span->id || span->span != kind)
			continue;
		if (kind == PYI_SPAN_LOCK ? span->pyframe == pyframe :
		    span->sp == sp && (!h->is_switching || !pyframe || span->pyframe == pyframe))
			return depth - 1 - j;
		if (!h->is_switching && kind != PYI_SPAN_LOCK && span->sp > sp)
			break;
	}
	return -1;
}

#endif
