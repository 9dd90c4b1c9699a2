// SPDX-License-Identifier: GPL-2.0-only
/*
 * `import a as b`: the name stands in the instructions that follow the one that imports. They are
 * looked at where their numbers are known (3.15, for the advice to write `lazy import a as b`).
 */
#include "imports/edge.bpf.h"

/* Of two bytes each: IMPORT_NAME, and IMPORT_FROM and STORE_NAME for each name. */
#define UNIT_CNT (1 + 2 * PYI_MAX_FROMLIST)
/* Names beyond the 256th have a prefix to their instruction. */
#define NAMES_MAX 256

static __always_inline u32 unit_at(const struct thread *t, u32 at)
{
	return ((const u16 *)t->frame_buf)[at & (FRAME_BUF_SZ / 2 - 1)];
}

static __always_inline u8 unit_op(const struct thread *t, u32 at)
{
	return unit_at(t, at);
}

/* The str that the instruction's argument stands for, 0 = none. */
static __always_inline u64 unit_name(const struct thread *t, const struct pyi_layout *lay, u32 at)
{
	return peek_ptr(t->walk + lay->tuple_items + 8 * (unit_at(t, at) >> 8));
}

/*
 * Which instruction binds the @i-th name, 0 = not known. `import a.b.c as d` takes c from b from a,
 * three instructions a step, the last of which binds d.
 */
static __always_inline u32 unit_binding(const struct thread *t, const struct pyi_layout *lay,
					bool is_from, u32 i)
{
	u32 at = 1;

	if (is_from || unit_op(t, at) == lay->op_import_from) {
		at = 1 + 2 * i;
		if (unit_op(t, at++) != lay->op_import_from)
			return 0;
	}
	for (u32 step = 0; !is_from && step < 5 && unit_op(t, at) != lay->op_store_name; step++)
		at += 3;
	return at < UNIT_CNT && unit_op(t, at) == lay->op_store_name ? at : 0;
}

/* Reads the instructions, and makes t->walk the code's names. */
static __always_inline bool units_read(struct thread *t, const struct pyi_layout *lay)
{
	const struct pyframe *frame = &t->scratch.frame;
	u64 cnt;

	if (bpf_probe_read_user(t->frame_buf, 2 * UNIT_CNT, (void *)frame->instr) ||
	    unit_op(t, 0) != lay->op_import_name)
		return false;
	t->walk = peek_ptr(frame->code + lay->code_names);
	cnt = t->walk ? peek_ptr(t->walk + lay->tuple_size) : 0;
	return cnt && cnt <= NAMES_MAX;
}

/* How many names the statement in t->scratch binds; 0: that cannot be told. */
static __always_inline u32 bound_cnt(struct thread *t, const struct pyi_layout *lay, bool is_from)
{
	u64 cnt = is_from ? peek_ptr(t->scratch.edge.fromlist + lay->tuple_size) : 1;

	if (cnt > PYI_MAX_FROMLIST)
		return 0;
	for (u32 i = 0; i < PYI_MAX_FROMLIST; i++)
		if (i < cnt && !unit_binding(t, lay, is_from, i))
			return 0;
	return cnt;
}

/* Is a name bound to another than it is? Names in code are interned. */
static __always_inline bool is_renamed(struct thread *t, const struct pyi_layout *lay, bool is_from,
				       u32 cnt)
{
	const struct edge_args *args = &t->scratch.edge;

	if (!is_from) /* `import a.b` binds a */
		return unit_op(t, 1) == lay->op_import_from ||
		       (unit_name(t, lay, 1) != args->name_obj && !str_has_dot(t, &args->name));
	for (u32 i = 0; i < PYI_MAX_FROMLIST; i++)
		if (i < cnt && unit_name(t, lay, 1 + 2 * i) != unit_name(t, lay, 2 + 2 * i))
			return true;
	return false;
}

static __always_inline void fill_bound(struct thread *t, const struct pyi_layout *lay,
				       struct pyi_from *rec, u32 max, bool is_from, u32 cnt)
{
	struct str_view str = {};
	u32 sz;

	fill_thread_hdr(t, &rec->hdr, PYI_EV_BOUND, sizeof(*rec) + max * PYI_FROM_SZ);
	rec->edge = t->edge_id;
	rec->cnt = rec->all = max ? cnt : 0;
	for (u32 i = 0; i < max; i++) {
		__builtin_memset(rec->names[i], 0, PYI_FROM_SZ);
		if (i >= cnt || str_open(lay, unit_name(t, lay, unit_binding(t, lay, is_from, i)),
					 &str) || !str.is_ascii)
			continue;
		sz = str.sz;
		barrier_var(sz);
		if (sz < PYI_FROM_SZ)
			read_mem(rec->names[i], sz, str.data);
	}
}

#define EMIT_BOUND(max)                                                                           \
	do {                                                                                      \
		rec = bpf_ringbuf_reserve(&events, sizeof(*rec) + (max) * PYI_FROM_SZ, 0);        \
		if (!rec) {                                                                       \
			count_loss(ring_full);                                                    \
			return 0;                                                                 \
		}                                                                                 \
		fill_bound(t, lay, rec, (max), is_from, cnt);                                     \
		bpf_ringbuf_submit(rec, thread_wake_flag(t));                                     \
	} while (0)

__noinline int emit_bound(struct thread *t, const struct pyi_layout *lay, u32 has_from)
{
	bool is_from = has_from == 1;
	struct pyi_from *rec;
	u32 cnt;

	/* Whether a longer name has a dot would not be known. */
	if (!t || !lay || t->scratch.edge.name.sz > STR_PEEK_TEXT_SZ || !units_read(t, lay))
		return 0;
	cnt = bound_cnt(t, lay, is_from);
	if (!cnt)
		return 0;
	if (is_renamed(t, lay, is_from, cnt))
		EMIT_BOUND(PYI_MAX_FROMLIST);
	else
		EMIT_BOUND(0);
	return 0;
}
