/* SPDX-License-Identifier: GPL-2.0-only */
/* The import function is entered: which statement that is, and that it ran once more. */
#ifndef BPF_IMPORTS_STATEMENT_BPF_H
#define BPF_IMPORTS_STATEMENT_BPF_H

#include "core/charge.bpf.h"
#include "imports/edge.bpf.h"
#include "imports/search.bpf.h"
#include "imports/site.bpf.h"

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
 * A failed read shows that the register holds another thing, or that the state has gone: without a
 * frame on_import() looks again.
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

/* edge_first, and what it asks for: calls nest at most 8 deep. */
static __always_inline bool statement_first(struct thread *t, const struct pyi_layout *lay,
					    u64 addr)
{
	int seen = edge_first(t, lay, addr);

	if (seen > 1)
		emit_frames(t, lay, t->import_frame, 0);
	return seen;
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

	t->import_sp = PT_REGS_SP(ctx);
	lay = bpf_map_lookup_elem(&layouts, &index);
	if (!lay)
		return false;
	if (!globals) {
		addr = frame_now(t, lay);
		if (edge_bare(import_args(ctx, t), lay, addr))
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
	return statement_first(t, lay, addr);
}

/* The same without short cuts. */
static __always_inline void on_import(struct hit *h, struct pt_regs *ctx)
{
	struct thread *t = import_args(ctx, h->t);
	u64 globals = ARG2(ctx), name = ARG1(ctx);
	struct pyframe *frame = &t->scratch.frame;
	u64 addr;

	t->import_sp = h->sp;
	t->edge_id = 0;
	t->is_native = 0;
	if (!globals) {
		addr = current_frame(h);
		if (edge_bare(t, h->lay, addr))
			return;
		globals = frame->globals;
	} else {
		addr = t->tstate ? tstate_frame(h->lay, t->tstate) : 0;
		if (frame_peek(t, h->lay, addr, frame) || frame->globals != globals) {
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
	statement_first(t, h->lay, 0);
}

#endif
