// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything seen of imports: one program on every probed instruction, told apart by the attach
 * cookie, so that an interpreter needs one link whatever the number of its sites. A site may end
 * one span and begin the next (the branch behind one call can be the next call).
 */
#include "core/charge.bpf.h"
#include "imports/edge.bpf.h"
#include "imports/mark.bpf.h"

static __always_inline void emit_python(struct hit *h)
{
	struct pyi_python *rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);

	if (!rec) {
		count_loss(ring_full);
		return;
	}
	fill_thread_hdr(h->t, &rec->hdr, PYI_EV_PYTHON, sizeof(*rec));
	rec->layout = h->site->layout;
	rec->checks = h->proc->checks;
	rec->bias = h->t->bias;
	bpf_get_current_comm(rec->comm, sizeof(rec->comm));
	bpf_ringbuf_submit(rec, thread_wake_flag(h->t));
}

/*
 * The first import statement of a process tests the layout. The types of its arguments are known
 * symbols of the interpreter, so a wrong offset is noticed before anything is read through it.
 */
static __noinline int check_layout(struct hit *h, const struct pyframe *frame, u64 name,
				   u64 globals)
{
	struct module_names names = {};
	u64 type;

	if (!h || !frame || !h->proc)
		return 0;
	h->proc->flags |= PROC_CHECKED;
	type = read_ptr(name + h->lay->ob_type) - h->t->bias;
	if (!h->lay->unicode_type_addr || type == h->lay->unicode_type_addr)
		h->proc->checks |= PYI_CHECK_NAME;
	if (h->t->tstate)
		h->proc->checks |= PYI_CHECK_THREAD;
	type = read_ptr(frame->code + h->lay->ob_type) - h->t->bias;
	if (!h->lay->code_type_addr || type == h->lay->code_type_addr)
		h->proc->checks |= PYI_CHECK_FRAME;
	globals_names(h->t, h->lay, globals, &names);
	if (names.name)
		h->proc->checks |= PYI_CHECK_GLOBALS;
	emit_python(h);
	return 0;
}

static __always_inline struct thread *import_args(struct pt_regs *ctx, struct thread *t)
{
	struct edge_args *args = &t->scratch.edge;

	args->name_obj = ARG1(ctx);
	args->globals = ARG2(ctx);
	args->fromlist = ARG4(ctx);
	args->level = ARG5(ctx);
	args->has_globals_twice = args->globals == ARG3(ctx);
	return t;
}

/*
 * Reads the frame of the import statement; its address, 0 = unreadable. The evaluator keeps that
 * address in a register: which one depends on the build and is learned, whether it does this time
 * shows in the frame's globals. That saves the way there from the thread state, two of three reads.
 */
static __always_inline u64 import_frame(struct pt_regs *ctx, struct thread *t,
					const struct pyi_layout *lay, u64 globals)
{
	u64 addr;

	if (t->frame_reg) {
		addr = reg_value(ctx, t->frame_reg);
		/* All of the frame: a longer read costs no more. */
		if (!bpf_probe_read_user(t->frame_buf, FRAME_MIN_SZ, (void *)addr) &&
		    FRAME_AT(t->frame_buf, lay->frame_globals, u64) == globals)
			return addr;
	}
	addr = tstate_frame(lay, t->tstate);
	if (bpf_probe_read_user(t->frame_buf, FRAME_MIN_SZ, (void *)addr))
		return 0;
	t->frame_reg = reg_holding(ctx, addr);
	return addr;
}

/* Closes loads on top that have ended unseen: they hold no frame that still runs. */
static __always_inline void settle_top(struct hit *h, u64 frame)
{
	struct open_span *top = open_top(h->t);

	if (is_search(top) && !h->t->is_switching)
		sweep(h->t, h->lay, h->sp, frame, h->t->now);
}

/*
 * Every import, five to ten times as often for cached modules as for loads: a statement seen
 * before is counted with one read, or four. The thread state needs no check here: a stale one
 * gives an instruction that matches nothing.
 */
static __always_inline bool import_again(struct pt_regs *ctx, const struct pyi_site *site,
					 struct thread *t)
{
	u32 index = site->layout;
	const struct pyi_layout *lay;
	u64 addr, code, instr, globals = ARG2(ctx);

	lay = bpf_map_lookup_elem(&layouts, &index);
	if (!lay)
		return false;
	if (!globals) {
		if (edge_bare(import_args(ctx, t), lay))
			return true;
		addr = 0;
	} else if (lay->lasti_is_ptr) {
		addr = import_frame(ctx, t, lay, globals);
		if (!addr)
			return false;
		instr = FRAME_AT(t->frame_buf, lay->frame_lasti, u64);
		code = FRAME_AT(t->frame_buf, lay->frame_code, u64) & lay->code_mask;
		t->import_frame = addr;
		if (code_again(t, code, globals) && edge_count(t, ARG1(ctx), instr))
			return true;
		import_args(ctx, t);
	} else {
		return false;
	}
	if (!t->is_checked || is_search(open_top(t))) /* has that one ended? */
		return false;
	return edge_first(t, lay, addr);
}

/* The same without short cuts. */
static __always_inline void on_import(struct hit *h, struct pt_regs *ctx)
{
	struct thread *t = import_args(ctx, h->t);
	u64 globals = ARG2(ctx), name = ARG1(ctx);
	struct pyframe *frame = &t->scratch.frame;
	u64 addr;

	t->edge_id = 0;
	t->is_native = 0;
	if (!globals) {
		if (edge_bare(t, h->lay))
			return;
		globals = frame->globals;
	} else {
		addr = t->tstate ? tstate_frame(h->lay, t->tstate) : 0;
		if (frame_read(t, h->lay, addr, frame) || frame->globals != globals) {
			tstate_switch(t, h->lay, 0, globals);
			if (frame_read_real(t, h->lay, current_frame(h), frame))
				return;
		}
	}
	t->import_frame = frame->addr;
	settle_top(h, frame->addr);
	if (!(h->proc->flags & PROC_CHECKED))
		check_layout(h, frame, name, globals);
	if (code_again(t, frame->code, globals) && edge_count(t, name, frame->instr))
		return;
	edge_first(t, h->lay, 0);
}

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
	bpf_probe_read_user(words, 15, (void *)addr);
	if (words[0] != WORD8('_', 'f', 'i', 'n', 'd', '_', 'a', 'n') ||
	    words[1] != WORD8('d', '_', 'l', 'o', 'a', 'd', 0, 0))
		return false;
	h->t->find_name = method;
	return true;
}

static __always_inline void on_find(struct hit *h, struct pt_regs *ctx)
{
	struct begin_args *args;
	struct edge_value *edge;

	if (!is_find_and_load(h, ARG2(ctx)))
		return;
	args = begin_in(h->t, PYI_SPAN_FIND, h->sp);
	args->name = ARG3(ctx);
	args->edge = h->t->edge_id;
	args->pyframe = current_frame(h);
	if (args->edge) {
		if (args->pyframe != h->t->import_frame &&
		    tstate_switch(h->t, h->lay, h->t->import_frame, 0))
			args->pyframe = h->t->import_frame;
		edge = edge_find(h->t->edge_key, false);
		if (edge)
			__sync_fetch_and_add(&edge->loads, 1);
		h->t->edge_id = 0; /* what is imported inside asks for itself */
	}
	args->want_frames = !args->edge && args->pyframe;
	if (!args->edge && (h->t->is_native || !args->pyframe))
		args->via = PYI_VIA_NATIVE;
	h->t->search_name = args->name;
	h->t->search_id = begin_span(h, args);
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
 * The loads that the current frame is part of and that did not pass the import function. Seen
 * first here: by a finder that answered before importlib's own.
 */
static __always_inline u64 open_searches(struct hit *h)
{
	u64 frame = current_frame(h);

	if (is_top_newest(h->t))
		return frame;
	settle_top(h, frame);
	searches_of(h, frame, 0, PYI_F_APPROX);
	return frame;
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
	pyframe = open_searches(h);
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
	u64 pyframe = open_searches(h);
	struct begin_args *args = begin_in(h->t, PYI_SPAN_DYNAMIC, h->sp);

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
	emit_mark(h, PYI_MARK_CREATE_BUILTIN, NULL);
}

/* 3.15: PyLazyImportObject says which statement declared the name that is loaded now. */
static __always_inline void on_lazy(struct hit *h, struct pt_regs *ctx)
{
	struct pyi_frame at = { 0, -1 };
	struct pyframe *frame = &h->t->scratch.frame;
	u64 lazy = ARG2(ctx), code;

	if (h->lay->lazy_code >= 0) {
		__builtin_memset(frame, 0, sizeof(*frame));
		frame->code = read_ptr(lazy + h->lay->lazy_code);
		code = code_id(h->t, h->lay, frame);
		if (code) {
			at.code = CODE_ID(code);
			at.lasti = read_u32(lazy + h->lay->lazy_instr) * 2;
		}
	}
	emit_mark(h, PYI_MARK_LAZY_RESOLVE, &at);
}

static __always_inline void on_begin(struct hit *h, struct pt_regs *ctx)
{
	switch (h->site->begin) {
	case PYI_SITE_IMPORT: on_import(h, ctx); break;
	case PYI_SITE_FIND: on_find(h, ctx); break;
	case PYI_SITE_BODY: on_body(h, ctx); break;
	case PYI_SITE_EXECDEF: on_execdef(h, ctx); break;
	case PYI_SITE_DLOPEN: on_dlopen(h, ctx); break;
	case PYI_SITE_DYNAMIC: on_dynamic(h); break;
	case PYI_SITE_BUILTIN: on_builtin(h); break;
	case PYI_SITE_SEARCH:
	case PYI_SITE_SEARCH_FAST: on_search(h, ctx); break;
	case PYI_SITE_COMPILE: mark_top(h, PYI_MARK_COMPILE, OPEN_COMPILED); break;
	case PYI_SITE_RUN_MAIN: emit_mark(h, PYI_MARK_RUN_MAIN, NULL); break;
	case PYI_SITE_FINALIZE: emit_mark(h, PYI_MARK_FINALIZE, NULL); break;
	case PYI_SITE_LAZY: on_lazy(h, ctx); break;
	case PYI_SITE_IMPORT_ERROR: on_import_error(h, ctx); break;
	}
}

static __always_inline void on_end(struct hit *h, struct pt_regs *ctx)
{
	static const u8 span_of[PYI_SITE_MAX] = {
		[PYI_SITE_FIND] = PYI_SPAN_FIND, [PYI_SITE_BODY] = PYI_SPAN_BODY,
		[PYI_SITE_EXECDEF] = PYI_SPAN_EXECDEF, [PYI_SITE_DLOPEN] = PYI_SPAN_DLOPEN,
		[PYI_SITE_DYNAMIC] = PYI_SPAN_DYNAMIC,
	};
	u64 result = reg_value(ctx, h->site->result_reg), pyframe = 0;
	bool failed = h->site->result_is_int ? (s32)result < 0 : !result;
	u8 end = h->site->end;

	if (end >= PYI_SITE_MAX || !h->t->depth)
		return;
	h->t->result = result;
	if (h->t->is_switching || failed)
		pyframe = current_frame(h);
	span_end(h->t, h->lay, span_of[end] | (failed ? END_FAILED : 0),
		 h->sp - h->site->sp_delta, pyframe);
}

static __always_inline bool is_span_site(u8 kind)
{
	return (kind >= PYI_SITE_FIND && kind <= PYI_SITE_BUILTIN) || kind == PYI_SITE_SEARCH ||
	       kind == PYI_SITE_SEARCH_FAST;
}

/* First hit of an interpreter in a process: which, and where. */
static __noinline int first_hit(struct hit *h, u32 tgid)
{
	u64 *seen;

	if (!h || !h->proc)
		return 0;
	seen = bpf_map_lookup_elem(&execs, &tgid);
	if (seen) {
		emit_exec(h->proc->serial, *seen, tgid, NULL);
		bpf_map_delete_elem(&execs, &tgid);
	}
	h->proc->layout = h->site->layout;
	h->proc->flags |= PROC_SEEN;
	emit_python(h);
	return 0;
}

static __always_inline void count_hit(u32 index)
{
	u64 *cnt = bpf_map_lookup_elem(&hits, &index);

	if (cnt)
		*cnt += 1;
}

static __always_inline void spend_trap(struct hit *h)
{
	if (h->site->is_stepped)
		h->t->spent.steps++;
	else
		h->t->spent.traps++;
}

/* The hit is over: what comes after the last reading of the clock is part of the trap's price. */
static __always_inline void spend_time(struct thread *t)
{
	t->spent.bpf_ns += bpf_ktime_get_ns() - t->now;
}

/* The commonest hits need nothing but the thread's state. */
static __always_inline bool is_short(struct pt_regs *ctx, struct hit *h)
{
	u8 begin = h->site->begin;

	if (!h->t->serial || !h->t->tstate || h->t->layout != h->site->layout || h->site->end)
		return false;
	if (begin == PYI_SITE_IMPORT)
		return import_again(ctx, h->site, h->t);
	return (begin == PYI_SITE_SEARCH || begin == PYI_SITE_SEARCH_FAST) &&
	       is_search_of_find(h->t, search_name(ctx, h->site));
}

static __always_inline int on_site(struct pt_regs *ctx)
{
	u32 index = bpf_get_attach_cookie(ctx), tgid;
	struct hit h = {};

	if (!cfg_active)
		return 0;
	h.site = bpf_map_lookup_elem(&sites, &index);
	if (!h.site)
		return 0;
	count_hit(h.site->end * PYI_SITE_MAX + h.site->begin);
	h.t = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL, 0);
	if (h.t) {
		h.t->now = bpf_ktime_get_ns();
		if (is_short(ctx, &h)) {
			spend_trap(&h);
			spend_time(h.t);
			return 0;
		}
	}
	tgid = bpf_get_current_pid_tgid() >> 32;
	h.proc = bpf_map_lookup_elem(&procs, &tgid);
	if (!h.proc) {
		if (!cfg_all) {
			count_hit(0);
			return 0;
		}
		h.proc = proc_add(tgid, 0);
		if (!h.proc)
			return 0;
	}
	index = h.site->layout;
	h.lay = bpf_map_lookup_elem(&layouts, &index);
	if (!h.lay)
		return 0;
	if (!h.t) {
		h.t = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL,
					   BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!h.t) {
			count_loss(thread_state);
			return 0;
		}
		h.t->now = bpf_ktime_get_ns();
	}
	if (h.t->serial != h.proc->serial) { /* a new image, or the first hit of the thread */
		h.t->serial = h.proc->serial;
		h.t->pid_tgid = bpf_get_current_pid_tgid();
		h.t->depth = 0;
		h.t->tstate = h.t->interp = 0;
		h.t->find_name = h.t->module_name = 0;
		h.t->tuple_type = h.t->none_type = h.t->none = 0;
		h.t->name_key = h.t->package_key = 0;
		h.t->search_name = h.t->search_id = 0;
		h.t->last_code.code = 0;
		h.t->edge_id = h.t->frame_reg = 0;
		h.t->spent = (struct pyi_spent){};
	}
	spend_trap(&h);
	h.t->layout = h.site->layout;
	h.t->scratch.code_names_of = 0;
	h.t->bias = PT_REGS_IP(ctx) - h.site->addr;
	h.sp = PT_REGS_SP(ctx);
	h.t->is_switching = h.proc->flags & PROC_SWITCHING;
	h.t->is_checked = h.proc->flags & PROC_CHECKED;
	h.t->str_type = h.proc->checks & PYI_CHECK_NAME && h.lay->unicode_type_addr ?
				h.lay->unicode_type_addr + h.t->bias : 0;
	if (!(h.proc->flags & PROC_SEEN))
		first_hit(&h, tgid);
	/* Before the span on top may change. */
	if (cfg_memory && (h.site->end || is_span_site(h.site->begin)))
		memory_look();
	if (h.site->end)
		on_end(&h, ctx);
	if (h.site->begin)
		on_begin(&h, ctx);
	if (h.site->end || h.site->begin != PYI_SITE_IMPORT) {
		h.t->inside_ns = h.t->now;
		h.t->inside = h.t->spent;
	}
	spend_time(h.t);
	return 0;
}

SEC("?uprobe.multi")
int site_multi(struct pt_regs *ctx)
{
	return on_site(ctx);
}

SEC("?uprobe")
int site_perf(struct pt_regs *ctx)
{
	return on_site(ctx);
}
