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

#endif
