/* SPDX-License-Identifier: GPL-2.0-only */
/* Where loads and their stages begin. */
#ifndef BPF_IMPORTS_LOAD_BPF_H
#define BPF_IMPORTS_LOAD_BPF_H

#include "imports/mark.bpf.h"
#include "imports/statement.bpf.h"

/* The method called on importlib: `_find_and_load` only, not `_handle_fromlist` and others. */
static __always_inline bool is_find_and_load(struct hit *h, u64 method)
{
	u64 addr = method, words[2] = {};
	struct str_view *str = &h->t->scratch.name;

	if (method == h->t->find_name)
		return true;
	if (h->lay->find_name_is_identifier) {
		addr = read_ptr(method + h->lay->identifier_string);
	} else {
		if (str_open(h->lay, method, str) || str->chars != 14)
			return false;
		addr = str->data;
	}
	read_mem(words, 15, addr);
	if (words[0] != WORD8('_', 'f', 'i', 'n', 'd', '_', 'a', 'n') ||
	    words[1] != WORD8('d', '_', 'l', 'o', 'a', 'd', 0, 0))
		return false;
	h->t->find_name = method;
	return true;
}

/*
 * The import function calls itself for the package of what it has found, and compilers inline that:
 * then the import seen last is another one, from deeper in the stack, and has returned.
 */
static __always_inline void forget_returned(struct hit *h)
{
	if ((s32)(h->t->import_sp - (u32)h->sp) >= 0)
		return;
	h->t->edge_id = h->t->is_native = 0;
}

/* searches_open, for the search of @name; who asks is sent from here: see begin_span. */
static __always_inline int searches_of(struct hit *h, u64 frame, u64 name, u32 flags)
{
	struct searches *found = &h->t->scratch.searches;
	int cnt;

	found->own = name;
	cnt = searches_open(h->t, h->lay, h->sp, frame, flags);
	for (u32 i = SEARCHES_MAX; i-- > 0;)
		if (i < found->cnt && found->at[i].id)
			emit_frames(h->t, h->lay, found->at[i].frame, found->at[i].id);
	return cnt;
}

/* The load that began last is the one on top: what is found now is found for it. */
static __always_inline bool is_top_newest(struct thread *t)
{
	struct open_span *top = open_top(t);

	return top && !t->is_switching && top->id == t->search_id && !is_search(top);
}

/*
 * The loads that @frame, the current one, is part of and that did not pass the import function.
 * Seen first here: by a finder that answered before importlib's own.
 */
static __always_inline void open_searches(struct hit *h, u64 frame)
{
	if (is_top_newest(h->t))
		return;
	settle_top(h, frame);
	searches_of(h, frame, 0, PYI_F_APPROX);
}

/*
 * Is it a module's own code that imports? What that is part of was opened when the code began. A
 * function's may be that of a finder or a loader, of which nothing was seen so far.
 */
static __always_inline bool is_body_code(const struct hit *h)
{
	u64 code;

	if (!h->t->edge_id || h->lay->frame_code < 0 || h->lay->code_name < 0)
		return false;
	code = read_ptr(h->t->import_frame + h->lay->frame_code) & h->lay->code_mask;
	return read_ptr(code + h->lay->code_name) == h->t->module_name;
}

static __always_inline void on_find(struct hit *h, struct pt_regs *ctx)
{
	struct begin_args *args;
	struct edge_value *edge;
	u64 frame;

	if (!is_find_and_load(h, ARG2(ctx)))
		return;
	forget_returned(h);
	frame = current_frame(h);
	if (h->t->edge_id && frame != h->t->import_frame &&
	    tstate_switch(h->t, h->lay, h->t->import_frame, 0))
		frame = h->t->import_frame;
	if (!is_body_code(h))
		open_searches(h, frame);
	args = begin_in(h->t, PYI_SPAN_FIND, h->sp);
	args->name = ARG3(ctx);
	args->edge = h->t->edge_id;
	args->want_frames = !args->edge;
	args->pyframe = frame;
	if (args->edge) {
		edge = edge_find(h->t->edge_key, false);
		if (edge)
			__sync_fetch_and_add(&edge->loads, 1);
		h->t->edge_id = 0; /* what is imported inside asks for itself */
	}
	args->want_frames = !cfg_no_frames && args->want_frames && args->pyframe;
	if (!args->edge && (h->t->is_native || !args->pyframe))
		args->via = PYI_VIA_NATIVE;
	h->t->search_name = args->name;
	h->t->search_id = begin_span(h, args);
}

static __always_inline void on_body(struct hit *h, struct pt_regs *ctx)
{
	struct module_names *names = &h->t->scratch.code_names;
	u64 co = ARG1(ctx), co_name, pyframe;
	struct pyframe *frame = &h->t->scratch.frame;
	struct begin_args *args;
	struct open_span *top;
	u32 chars = 0;

	__sync_fetch_and_add(dict_gen(ARG2(ctx), h->t->serial), 1);
	if (h->lay->code_name < 0)
		return;
	co_name = read_ptr(co + h->lay->code_name);
	if (!co_name)
		return;
	if (co_name != h->t->module_name) {
		if (str_word(h->lay, co_name, &chars) !=
			    WORD8('<', 'm', 'o', 'd', 'u', 'l', 'e', '>') || chars != 8)
			return;
		h->t->module_name = co_name;
	}
	pyframe = current_frame(h);
	open_searches(h, pyframe);
	args = begin_in(h->t, PYI_SPAN_BODY, h->sp);
	args->globals = ARG2(ctx);
	__builtin_memset(frame, 0, sizeof(*frame));
	frame->code = co;
	frame->globals = args->globals;
	globals_names(h->t, h->lay, args->globals, names);
	h->t->scratch.code_names_of = args->globals;
	args->name = names->name;
	args->code = CODE_ID(code_id(h->t, h->lay, frame));
	if (!args->code && h->lay->code_filename >= 0)
		args->flags = PYI_F_NO_ROOM;
	args->pyframe = pyframe;
	top = open_top(h->t);
	/* Under a load whose body this is, the load's own record says who asked. */
	args->want_frames = args->pyframe && (!top || top->span == PYI_SPAN_BODY ||
					    h->t->is_switching);
	begin_span(h, args);
}

static __always_inline void on_execdef(struct hit *h, struct pt_regs *ctx)
{
	struct begin_args *args = begin_in(h->t, PYI_SPAN_EXECDEF, h->sp);
	struct module_names *names = &h->t->scratch.names;
	u64 dict;

	if (h->lay->module_name_dict >= 0) {
		dict = read_ptr(ARG1(ctx) + h->lay->module_name_dict);
		if (dict) {
			globals_names(h->t, h->lay, dict, names);
			args->name = names->name;
		}
	}
	args->pyframe = current_frame(h);
	begin_span(h, args);
}

static __always_inline void on_dlopen(struct hit *h, struct pt_regs *ctx)
{
	struct begin_args *args = begin_in(h->t, PYI_SPAN_DLOPEN, h->sp);

	args->cstr = ARG1(ctx);
	if (h->proc && !h->t->is_switching && is_greenlet_path(h->t, args->cstr))
		__sync_fetch_and_or(&h->proc->flags, PROC_SWITCHING);
	args->pyframe = current_frame(h);
	begin_span(h, args);
}

static __always_inline void on_dynamic(struct hit *h)
{
	u64 pyframe = current_frame(h);
	struct begin_args *args;

	open_searches(h, pyframe);
	args = begin_in(h->t, PYI_SPAN_DYNAMIC, h->sp);
	args->pyframe = pyframe;
	begin_span(h, args);
}

/* The innermost span that @frame is part of; without switches of the stack the one on top. */
static __always_inline struct open_span *top_of(struct hit *h, u64 frame)
{
	if (h->t->is_switching && frame)
		return open_at(h->t, chain_parent(h->t, h->lay, frame) - 1);
	return open_top(h->t);
}

static __always_inline u64 search_name(struct pt_regs *ctx, const struct pyi_site *site)
{
	return site->begin == PYI_SITE_SEARCH_FAST ? read_ptr(ARG2(ctx)) : ARG2(ctx);
}

/* importlib looks for a module. */
static __always_inline void on_search(struct hit *h, struct pt_regs *ctx)
{
	u64 name = search_name(ctx, h->site), frame;
	struct open_span *top;

	if (is_search_of_find(h->t, name))
		return;
	frame = current_frame(h);
	settle_top(h, frame);
	if (searches_of(h, frame, name, 0))
		return;
	top = top_of(h, frame); /* its parent packages were loaded before */
	if (top)
		top->flags |= OPEN_SEARCHED;
}

/* A builtin module was found, without a look at the frozen ones. */
static __always_inline void on_builtin(struct hit *h)
{
	struct open_span *top;
	u64 frame = 0;

	if (!is_top_newest(h->t)) {
		frame = current_frame(h);
		settle_top(h, frame);
		searches_of(h, frame, 0, 0);
	}
	top = top_of(h, frame);
	if (top)
		top->flags |= OPEN_WORKED;
	emit_mark(h, PYI_MARK_CREATE_BUILTIN, NULL, 0);
}

/*
 * Nothing tells how a failed import_module() ends, but the exception for a module that is not
 * there is made inside it; at times that is all that is seen of it, when there is no search: its
 * parent is no package, or None stands in sys.modules.
 */
static __always_inline void on_import_error(struct hit *h, struct pt_regs *ctx)
{
	struct open_span *top;
	struct pyi_mark *rec;
	u64 type_name, frame;
	long len;

	if (h->lay->type_name < 0)
		return;
	frame = current_frame(h);
	open_searches(h, frame);
	top = top_of(h, frame);
	if (!is_search(top))
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

/* Something is compiled: once per load, and only while that has not reached its body. */
static __always_inline void on_compile(struct hit *h)
{
	struct open_span *top = open_top(h->t);

	if (!top) /* programs compile outside of imports, too: nothing is read for that */
		return;
	settle_top(h, current_frame(h));
	top = open_top(h->t);
	if (!top || (top->span != PYI_SPAN_FIND && top->span != PYI_SPAN_SEARCH) ||
	    top->flags & OPEN_COMPILED)
		return;
	top->flags |= OPEN_COMPILED;
	emit_mark(h, PYI_MARK_COMPILE, NULL, 0);
}

/* 3.15: PyLazyImportObject says which statement declared the name that is loaded now. */
static __always_inline void on_lazy(struct hit *h, struct pt_regs *ctx)
{
	struct pyi_frame at = { 0, -1 };
	struct pyframe *frame = &h->t->scratch.frame;
	u64 lazy = ARG2(ctx), code;

	settle_top(h, current_frame(h));
	if (h->lay->lazy_code >= 0) {
		__builtin_memset(frame, 0, sizeof(*frame));
		frame->code = read_ptr(lazy + h->lay->lazy_code);
		code = code_id(h->t, h->lay, frame);
		if (code) {
			at.code = CODE_ID(code);
			at.lasti = read_u32(lazy + h->lay->lazy_instr) * 2;
		}
	}
	emit_mark(h, PYI_MARK_LAZY_RESOLVE, &at, 0);
}

/* 3.15: a statement makes a lazy name, and asks importlib nothing. */
static __always_inline void on_lazy_new(struct hit *h, struct pt_regs *ctx)
{
	struct pyi_frame at = { 0, -1 };
	struct pyframe *frame = &h->t->scratch.frame;
	u64 name = ARG3(ctx), code;

	if (!frame_read(h->t, h->lay, ARG1(ctx), frame)) {
		code = code_id(h->t, h->lay, frame);
		if (code) {
			at.code = CODE_ID(code);
			at.lasti = frame_lasti(h->lay, frame);
		}
	}
	emit_mark(h, PYI_MARK_LAZY_DECLARE, &at, name);
}

#endif
