// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything seen of imports: one program on every probed instruction, told apart by the attach
 * cookie, so that an interpreter needs one link whatever the number of its sites. A site may end
 * one span and begin the next (the branch behind one call can be the next call).
 */
#include "core/charge.bpf.h"
#include "imports/load.bpf.h"
#include "imports/mark.bpf.h"

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
	case PYI_SITE_COMPILE: on_compile(h); break;
	case PYI_SITE_RUN_MAIN: emit_mark(h, PYI_MARK_RUN_MAIN, NULL, 0); break;
	case PYI_SITE_FINALIZE: emit_mark(h, PYI_MARK_FINALIZE, NULL, 0); break;
	case PYI_SITE_LAZY: on_lazy(h, ctx); break;
	case PYI_SITE_LAZY_NEW: on_lazy_new(h, ctx); break;
	case PYI_SITE_IMPORT_ERROR: on_import_error(h, ctx); break;
	}
}

static __always_inline void on_end(struct hit *h, struct pt_regs *ctx)
{
	/* Not of 16 bytes: clang gives such constants a section that libbpf's linker misplaces. */
	static const u8 span_of[PYI_SITE_MAX + 1] = {
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
