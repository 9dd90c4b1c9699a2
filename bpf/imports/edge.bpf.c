// SPDX-License-Identifier: GPL-2.0-only
/* The first run of an import statement. */
#include "imports/edge.bpf.h"

/* The counts of a statement whose place is given away: user space reads those of the others. */
static __always_inline void edge_flush(const struct edge_value *edge)
{
	struct pyi_edge_count *rec;

	if (!edge->id)
		return;
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec) {
		count_loss(ring_full);
		return;
	}
	fill_hdr(&rec->hdr, PYI_EV_EDGE_COUNT, sizeof(*rec), edge->serial);
	rec->hdr.ts_ns = rec->first_ns = edge->first_ns;
	rec->id = edge->id;
	rec->count = edge->count;
	rec->loads = edge->loads;
	rec->pad = 0;
	bpf_ringbuf_submit(rec, BPF_RB_NO_WAKEUP);
}

DEFINE_RECYCLE(edge_recycle, edge_value, edge_slots, cfg_edge_slots, edge_flush)

static __always_inline void fill_edge(struct thread *t, const struct pyi_layout *lay,
				      struct pyi_edge *rec, u32 max, u32 has_from, u64 code)
{
	const struct edge_args *args = &t->scratch.edge;
	struct open_span *top = open_top(t);
	u32 flags = 0;

	fill_thread_hdr(t, &rec->hdr, PYI_EV_EDGE, sizeof(*rec) + max);
	rec->id = t->edge_id;
	rec->span = top ? top->id : 0;
	rec->level = args->level;
	rec->has_from = has_from;
	rec->frame.code = CODE_ID(code);
	rec->frame.lasti = frame_lasti(lay, &t->scratch.frame);
	str_copy(t, &args->name, rec->text, max, &rec->name, &flags);
	rec->hdr.flags = flags;
}

#define EMIT_EDGE(max)                                                                            \
	do {                                                                                      \
		rec = bpf_ringbuf_reserve(&events, sizeof(*rec) + (max), 0);                      \
		if (!rec) {                                                                       \
			count_loss(ring_full);                                                    \
			return 1;                                                                 \
		}                                                                                 \
		fill_edge(t, lay, rec, (max), has_from, code);                                    \
		bpf_ringbuf_submit(rec, thread_wake_flag(t));                                     \
	} while (0)

static __always_inline void fill_from(struct thread *t, const struct pyi_layout *lay,
				      struct pyi_from *rec, u32 max, u64 items, u64 cnt, u32 edge)
{
	struct str_view str = {};
	u32 sz;

	fill_thread_hdr(t, &rec->hdr, PYI_EV_FROM, sizeof(*rec) + max * PYI_FROM_SZ);
	rec->edge = edge;
	rec->all = cnt;
	rec->cnt = cnt < max ? cnt : max;
	for (u32 i = 0; i < max; i++) {
		__builtin_memset(rec->names[i], 0, PYI_FROM_SZ);
		if (i >= cnt || str_open(lay, read_ptr(items + 8 * i), &str) || !str.is_ascii)
			continue;
		sz = str.sz;
		barrier_var(sz);
		if (sz < PYI_FROM_SZ)
			bpf_probe_read_user(rec->names[i], sz, (void *)str.data);
	}
}

/* The names behind `from x import`: any of them may be a submodule. */
__noinline int emit_from(struct thread *t, const struct pyi_layout *lay, u64 fromlist, u32 edge)
{
	struct pyi_from *rec;
	u64 cnt, items;

	if (!t || !lay || lay->tuple_size < 0)
		return 0;
	cnt = read_ptr(fromlist + lay->tuple_size);
	items = fromlist + lay->tuple_items;
	if (!cnt || cnt > 65535)
		return 0;
	if (cnt <= 2) {
		rec = bpf_ringbuf_reserve(&events, sizeof(*rec) + 2 * PYI_FROM_SZ, 0);
		if (rec)
			fill_from(t, lay, rec, 2, items, cnt, edge);
	} else {
		rec = bpf_ringbuf_reserve(&events, sizeof(*rec) + PYI_MAX_FROMLIST * PYI_FROM_SZ,
					  0);
		if (rec)
			fill_from(t, lay, rec, PYI_MAX_FROMLIST, items, cnt, edge);
	}
	if (rec)
		bpf_ringbuf_submit(rec, thread_wake_flag(t));
	else
		count_loss(ring_full);
	return 0;
}

/* 1 a tuple (a statement's), 2 a list (PyImport_Import, called from C), 0 none. */
static __always_inline u32 fromlist_kind(struct thread *t, const struct pyi_layout *lay, u64 list)
{
	u64 type = list ? read_ptr(list + lay->ob_type) : 0;
	u8 first;

	if (!type || type == t->none_type)
		return 0;
	if (type == t->tuple_type)
		return 1;
	first = read_u8(read_ptr(type + lay->type_name));
	if (first == 't') {
		t->tuple_type = type;
	} else if (first == 'N') {
		t->none_type = type;
		t->none = list;
	}
	return first == 't' ? 1 : first == 'l' ? 2 : 0;
}

/*
 * The place of the statement in t->scratch.edge. Names in code are interned and live as long as it
 * does, so their address will do; a computed one, `__import__(f"plugin_{i}")`, whose address is
 * used again for the next, is known by what it says.
 */
static __always_inline struct edge_value *edge_place(struct thread *t, u64 code, u64 sum)
{
	const struct edge_args *args = &t->scratch.edge;
	u64 name = args->name.is_interned ? args->name_obj : sum;

	t->edge_key = edge_key(code, name, t->scratch.frame.instr, t->serial);
	return edge_find(t->edge_key, true);
}

__noinline int edge_first(struct thread *t, const struct pyi_layout *lay, u64 addr)
{
	struct edge_args *args;
	struct edge_value *edge;
	struct pyframe *frame;
	struct pyi_edge *rec;
	u32 has_from;
	u64 code, sum;

	if (!t || !lay)
		return 0;
	args = &t->scratch.edge;
	frame = &t->scratch.frame;
	if (addr) { /* import_again has read it */
		frame_parse(t, lay, addr, frame);
		if (frame->globals != args->globals)
			return 0;
		t->now = bpf_ktime_get_ns();
		t->scratch.code_names_of = 0;
	}
	t->edge_id = t->is_native = 0;
	code = code_known(t, frame) ? t->last_code_id : code_id(t, lay, frame);
	has_from = args->fromlist == t->none ? 0 : fromlist_kind(t, lay, args->fromlist);
	if (!code || (code & CODE_RELAY)) {
		t->is_native = code && has_from == 2;
		return 1;
	}
	if (str_load(t, lay, args->name_obj, &args->name))
		return 1;
	sum = str_sum(t, &args->name);
	edge = edge_place(t, code, sum);
	if (edge && edge->name && edge->name != (u32)sum) {
		/* The name was freed, and another lies there now: so was the code. */
		code = code_new(t, lay, frame);
		args->name.peek_off = 0; /* the text has made room for the code's */
		edge = code ? edge_place(t, code, sum) : NULL;
	}
	if (!edge) {
		count_loss(edges_full);
		return 1;
	}
	edge->gen = t->last_code.gen;
	if (__sync_fetch_and_add(&edge->count, 1)) { /* seen before, or another thread was first */
		t->edge_id = edge->id;
		return 1;
	}
	edge->name = sum;
	edge->serial = t->serial;
	edge->first_ns = t->now;
	edge->id = t->edge_id = new_id();
	if (args->name.sz <= PYI_STR_TINY)
		EMIT_EDGE(PYI_STR_TINY);
	else if (args->name.sz <= PYI_STR_SMALL)
		EMIT_EDGE(PYI_STR_SMALL);
	else
		EMIT_EDGE(PYI_STR_LARGE);
	/* `from . import x, y` names its modules only there; elsewhere the names cost 1 us each. */
	if (has_from == 1 && !args->name.sz)
		emit_from(t, lay, args->fromlist, t->edge_id);
	return 1;
}
