// SPDX-License-Identifier: GPL-2.0-only
/* Opens and closes spans, and reports both. */
#include "imports/span_end.bpf.h"
#include "imports/span.bpf.h"
#include "python/modules.bpf.h"

static __always_inline void fill_begin(struct thread *t, struct pyi_begin *rec, u32 text_max,
				       const struct begin_args *args, u32 id, u32 parent,
				       const struct str_view *str, u32 flags)
{
	long len;

	fill_thread_hdr(t, &rec->hdr, PYI_EV_BEGIN, sizeof(*rec) + text_max);
	rec->id = id;
	rec->parent = parent;
	rec->span = args->span;
	rec->via = args->via;
	rec->pad = 0;
	rec->edge = args->edge;
	rec->globals = args->globals;
	rec->frame = (struct pyi_frame){ 0, -1 };
	rec->code = args->code;
	rec->interp = t->interp >> 4;
	rec->name = (struct pyi_str){};
	rec->spent = t->spent;
	if (args->cstr) {
		len = bpf_probe_read_user_str(rec->text, text_max, (void *)args->cstr);
		rec->name.sz = len > 0 ? len - 1 : 0;
		if (len < 0) {
			flags |= PYI_F_UNREADABLE;
			count_loss(unreadable);
		}
		if (len == text_max)
			flags |= PYI_F_TRUNC;
	} else if (str->sz) {
		str_copy(t, str, rec->text, text_max, &rec->name, &flags);
	}
	rec->hdr.flags = flags;
}

static __always_inline struct open_span *parent_of(struct thread *t, const struct pyi_layout *lay,
						   const struct begin_args *args, u32 *flags)
{
	struct open_span *top = open_top(t);

	if (!top || !args->is_switching)
		return top;
	*flags |= PYI_F_SWITCHING;
	if (!args->pyframe) { /* imported from C without a frame: no proof possible */
		*flags |= PYI_F_APPROX;
		return top;
	}
	return open_at(t, chain_parent(t, lay, args->pyframe) - 1);
}

/* What a new span inside @parent says of the two; its own flags. */
static __always_inline u8 flags_of(struct open_span *parent, const struct begin_args *args,
				   const struct str_view *str)
{
	u8 flags = args->open_flags;

	if (!parent || args->span == PYI_SPAN_FIND || args->span == PYI_SPAN_SEARCH)
		return flags;
	parent->flags |= OPEN_WORKED;
	if (parent->span != PYI_SPAN_SEARCH)
		return flags;
	/* The end of _imp.create_dynamic takes the load along only when it fails. */
	if (args->span == PYI_SPAN_DYNAMIC || (str->sz && str->hash == parent->sp))
		flags |= OPEN_ENDS_SEARCH;
	return flags;
}

/* Opens and reports a span; its id. */
__noinline u32 span_begin(struct thread *t, const struct pyi_layout *lay,
			  const struct begin_args *args)
{
	struct str_view *str;
	struct pyi_begin *rec;
	struct open_span *around;
	u32 id, parent, flags;
	u8 open_flags;

	if (!t || !lay || !args)
		return 0;
	flags = args->flags;
	str = &t->scratch.begin_name;
	str->sz = 0;
	if (args->name && str_load(t, lay, args->name, str))
		flags |= PYI_F_UNREADABLE;
	around = parent_of(t, lay, args, &flags);
	parent = around ? around->id : 0;
	open_flags = flags_of(around, args, str);
	id = new_id();
	if (!span_open(t, id, args->span | open_flags << 8,
		       args->span == PYI_SPAN_SEARCH ? str->hash : args->sp, args->pyframe))
		flags |= PYI_F_OVERFLOW;
	count_pair(args->span, 0);
	if (!args->cstr && str->sz <= PYI_STR_SMALL) {
		rec = bpf_ringbuf_reserve(&events, sizeof(*rec) + PYI_STR_SMALL, 0);
		if (!rec)
			goto full;
		fill_begin(t, rec, PYI_STR_SMALL, args, id, parent, str, flags);
		bpf_ringbuf_submit(rec, thread_wake_flag(t));
	} else {
		rec = bpf_ringbuf_reserve(&events, sizeof(*rec) + PYI_STR_LARGE, 0);
		if (!rec)
			goto full;
		fill_begin(t, rec, PYI_STR_LARGE, args, id, parent, str, flags);
		bpf_ringbuf_submit(rec, thread_wake_flag(t));
	}
	return id;
full:
	count_loss(ring_full);
	return id;
}

/* Address of the name of the type of the exception set on the thread, 0 = none or unknown. */
static __always_inline u64 error_name(struct thread *t, const struct pyi_layout *lay)
{
	u64 type = 0, exc;

	if (!t->tstate || lay->type_name < 0)
		return 0;
	if (lay->thread_exc_type >= 0) {
		type = read_ptr(t->tstate + lay->thread_exc_type);
	} else if (lay->thread_exc >= 0) {
		exc = read_ptr(t->tstate + lay->thread_exc);
		type = exc ? read_ptr(exc + lay->ob_type) : 0;
	}
	return type ? read_ptr(type + lay->type_name) : 0;
}

__noinline int search_end_one(struct thread *t, const struct pyi_layout *lay, u64 pyframe,
			      u32 has_failed, u64 type_name)
{
	struct open_span *span;
	u32 index;
	bool is_parent;

	if (!t || !lay)
		return 0;
	index = t->is_switching ? chain_parent(t, lay, pyframe) : stored_depth(t);
	span = open_at(t, index - 1);
	if (!index || !span || span->span != PYI_SPAN_SEARCH)
		return 0;
	is_parent = span->flags & OPEN_PARENT;
	emit_end(t, span->id, END_META(PYI_SPAN_SEARCH, has_failed, PYI_F_RESULT), type_name,
		 t->now);
	count_pair(PYI_SPAN_SEARCH, 1);
	span_close(t, index - 1);
	return is_parent;
}

__noinline int search_end(struct thread *t, const struct pyi_layout *lay, u64 pyframe,
			  u32 has_failed, u64 type_name)
{
	for (int i = 0; i < SEARCHES_MAX; i++)
		if (!search_end_one(t, lay, pyframe, has_failed, type_name) || !has_failed)
			break;
	return 0;
}

/* Ends the span of this kind at @sp or @pyframe; 0 when there is none. */
__noinline int span_end(struct thread *t, const struct pyi_layout *lay, u32 want, u64 sp,
			u64 pyframe)
{
	struct open_span *span;
	u64 frame, error = 0;
	bool failed = want & END_FAILED;
	u8 kind = want, flags;
	u32 mark;
	int index;

	if (!t || !lay)
		return 0;
	index = span_find(t, kind | (t->is_switching ? FIND_SWITCHING : 0), sp, pyframe);
	if (index < 0)
		return 0;
	if (!t->is_switching) /* what was opened later and is still open has gone with it */
		for (int i = 0; i < 8 && stored_depth(t) > index + 1; i++)
			close_top(t, lay, t->now);
	span = open_at(t, index);
	if (!span)
		return 0;
	if (failed)
		error = error_name(t, lay);
	flags = span->flags;
	frame = span->pyframe;
	if (kind == PYI_SPAN_FIND && !failed && !(flags & OPEN_WORKED)) {
		mark = module_idle_kind(t, lay, t->result);
		/* A lazy module may be found by a finder in front of importlib's own. */
		if (flags & OPEN_SEARCHED || mark == PYI_MARK_LAZY_MODULE)
			mark_idle(t, span->id, mark, t->now);
	}
	emit_end(t, span->id, END_META(kind, failed, 0), error, t->now);
	count_pair(kind, 1);
	span_close(t, index);
	if (flags & OPEN_ENDS_SEARCH && (failed || kind != PYI_SPAN_DYNAMIC))
		search_end(t, lay, frame, failed, error);
	return 1;
}
