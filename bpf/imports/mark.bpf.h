/* SPDX-License-Identifier: GPL-2.0-only */
/* Marks: what happened inside the span on top. */
#ifndef BPF_IMPORTS_MARK_BPF_H
#define BPF_IMPORTS_MARK_BPF_H

#include "imports/search.bpf.h"
#include "imports/site.bpf.h"

/* @name: a str, or 0. */
static __always_inline void emit_mark(struct hit *h, u32 mark, const struct pyi_frame *at, u64 name)
{
	struct open_span *top;
	struct pyi_mark *rec;

	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec) {
		count_loss(ring_full);
		return;
	}
	top = open_top(h->t);
	fill_thread_hdr(h->t, &rec->hdr, PYI_EV_MARK, sizeof(*rec));
	rec->id = top ? top->id : 0;
	rec->mark = mark;
	rec->frame = at ? *at : (struct pyi_frame){ 0, -1 };
	__builtin_memset(rec->text, 0, sizeof(rec->text));
	str_read(h->t, h->lay, name, rec->text, sizeof(rec->text), &rec->name, NULL,
		 &h->t->scratch.name);
	bpf_ringbuf_submit(rec, thread_wake_flag(h->t));
}

/*
 * Nothing tells how a failed import_module() ends, but the exception for a module that is not
 * there is made inside it.
 */
static __always_inline void on_import_error(struct hit *h, struct pt_regs *ctx)
{
	struct open_span *top = open_top(h->t);
	struct pyi_mark *rec;
	u64 type_name, frame;
	long len;

	if (!top || h->lay->type_name < 0)
		return;
	frame = current_frame(h);
	if (h->t->is_switching)
		top = open_at(h->t, chain_parent(h->t, h->lay, frame) - 1);
	if (!top || top->span != PYI_SPAN_SEARCH)
		return;
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec) {
		count_loss(ring_full);
		return;
	}
	fill_thread_hdr(h->t, &rec->hdr, PYI_EV_MARK, sizeof(*rec));
	rec->id = top->id;
	rec->mark = PYI_MARK_IMPORT_ERROR;
	rec->frame = (struct pyi_frame){ 0, -1 };
	rec->name = (struct pyi_str){};
	__builtin_memset(rec->text, 0, sizeof(rec->text));
	type_name = read_ptr(read_ptr(ARG1(ctx) + h->lay->ob_type) + h->lay->type_name);
	len = bpf_probe_read_user_str(rec->text, sizeof(rec->text), (void *)type_name);
	rec->name.sz = len > 0 ? len - 1 : 0;
	if (len < 0)
		count_loss(unreadable);
	bpf_ringbuf_submit(rec, thread_wake_flag(h->t));
	search_raise(h->t, h->lay, frame, type_name);
}

/* Marks once per load, and only while the load has not reached its body. */
static __always_inline void mark_top(struct hit *h, u32 mark, u8 flag)
{
	struct open_span *top = open_top(h->t);

	if (!top || (top->span != PYI_SPAN_FIND && top->span != PYI_SPAN_SEARCH))
		return;
	if (top->flags & flag)
		return;
	top->flags |= flag;
	emit_mark(h, mark, NULL, 0);
}

#endif
