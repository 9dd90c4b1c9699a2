// SPDX-License-Identifier: GPL-2.0-only
/* See span_end.bpf.h. */
#include "imports/span_end.bpf.h"
#include "imports/frame.bpf.h"
#include "python/modules.bpf.h"

/* @type_name: address of the exception type's name, 0 = none. */
__noinline int emit_end(struct thread *t, u32 id, u64 meta, u64 type_name, u64 now)
{
	struct pyi_end *rec;

	if (!t)
		return 0;
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec) {
		count_loss(ring_full);
		return 0;
	}
	fill_thread_hdr(t, &rec->hdr, PYI_EV_END, sizeof(*rec));
	rec->hdr.ts_ns = now;
	rec->hdr.flags = meta >> 16;
	rec->id = id;
	rec->span = meta;
	rec->failed = meta >> 8;
	rec->pad = 0;
	rec->spent = now == t->now ? t->spent : t->inside;
	__builtin_memset(rec->error, 0, sizeof(rec->error));
	if (type_name &&
	    bpf_probe_read_user_str(rec->error, sizeof(rec->error), (void *)type_name) < 0) {
		rec->error[0] = 0;
		rec->hdr.flags |= PYI_F_UNREADABLE;
		count_loss(unreadable);
	}
	bpf_ringbuf_submit(rec, thread_wake_flag(t));
	return 0;
}

__noinline int search_is_alive(struct thread *t, const struct pyi_layout *lay,
			       const struct open_span *span)
{
	struct pyframe *frame;
	u32 kind;

	if (!t || !lay || !span)
		return 0;
	frame = &t->scratch.frame;
	if (frame_read(t, lay, span->pyframe, frame))
		return 0;
	kind = frame_kind(lay, frame);
	if (span->flags & OPEN_RELOAD)
		return kind == FRAME_RELOAD;
	return kind == FRAME_LOAD && str_hash(lay, first_arg(lay, frame)) == span->sp;
}

__noinline int mark_idle(struct thread *t, u32 id, u32 mark, u64 ts_ns)
{
	struct pyi_mark *rec;

	if (!t || !mark)
		return 0;
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec) {
		count_loss(ring_full);
		return 0;
	}
	fill_thread_hdr(t, &rec->hdr, PYI_EV_MARK, sizeof(*rec));
	rec->hdr.ts_ns = ts_ns;
	rec->id = id;
	rec->mark = mark;
	rec->frame = (struct pyi_frame){ 0, -1 };
	rec->name = (struct pyi_str){};
	__builtin_memset(rec->text, 0, sizeof(rec->text));
	bpf_ringbuf_submit(rec, thread_wake_flag(t));
	return 0;
}

__noinline int search_settle(struct thread *t, const struct pyi_layout *lay,
			     const struct open_span *span)
{
	u32 flags = PYI_F_UNOBSERVED;
	u64 module = 0, dict;
	u32 reload;

	if (!t || !lay || !span)
		return 0;
	dict = span->sp ? modules_dict(t, lay) : 0;
	if (dict) {
		flags |= PYI_F_RESULT;
		module = dict_find(t, lay, dict, span->sp);
		if (module && !(span->flags & OPEN_WORKED))
			mark_idle(t, span->id, module_idle_kind(t, lay, module), t->inside_ns);
		/* It was there before: that it still is says nothing. */
		if (module && (span->flags & (OPEN_RELOAD | OPEN_WORKED)) == OPEN_RELOAD) {
			reload = module_idle_reload(t, lay, module);
			if (reload == RELOAD_UNKNOWN)
				flags &= ~PYI_F_RESULT;
			if (reload == RELOAD_FAILED)
				module = 0;
		}
	}
	emit_end(t, span->id, END_META(PYI_SPAN_SEARCH, flags & PYI_F_RESULT && !module, flags), 0,
		 t->inside_ns);
	return 0;
}
