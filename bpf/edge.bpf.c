// SPDX-License-Identifier: GPL-2.0-only
/* The first run of an import statement. */
#include "edge.bpf.h"

static __always_inline void emit_edge_text(struct thread *t, struct pyi_edge *rec, u32 max, u32 id,
					   s32 level, u32 has_from, const struct pyi_frame *at,
					   const struct str_view *str)
{
	struct open_span *top = open_top(t);
	u32 flags = 0;

	fill_hdr(&rec->hdr, PYI_EV_EDGE, sizeof(*rec) + max, t->serial);
	rec->id = id;
	rec->span = top ? top->id : 0;
	rec->level = level;
	rec->has_from = has_from;
	rec->frame = *at;
	str_copy(str, rec->text, max, &rec->name, &flags);
	rec->hdr.flags = flags;
}

static __always_inline void fill_from(struct thread *t, const struct pyi_layout *lay,
				      struct pyi_from *rec, u32 max, u64 items, u64 cnt, u32 edge)
{
	struct str_view str = {};
	u32 sz;

	fill_hdr(&rec->hdr, PYI_EV_FROM, sizeof(*rec) + max * PYI_FROM_SZ, t->serial);
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
		bpf_ringbuf_submit(rec, wake_flag());
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
	if (first == 't')
		t->tuple_type = type;
	else if (first == 'N')
		t->none_type = type;
	return first == 't' ? 1 : first == 'l' ? 2 : 0;
}

/* First run of a statement: number it and say where it stands. */
__noinline u32 edge_first(struct thread *t, const struct pyi_layout *lay,
			  const struct pyframe *frame, u64 name, u64 fromlist_level)
{
	struct edge_value fresh = { .count = 1, .first_ns = bpf_ktime_get_ns() };
	s32 level = fromlist_level >> 56;
	u64 fromlist = fromlist_level & ((1ULL << 56) - 1), code;
	struct str_view *str;
	struct pyi_edge *rec;
	u64 key;
	struct pyi_frame at;
	u32 has_from;

	if (!t || !lay || !frame)
		return 0;
	str = &t->scratch.edge_name;
	code = code_id(t, lay, frame);
	if (code & CODE_RELAY)
		t->is_native = fromlist_kind(t, lay, fromlist) == 2;
	if (!code || (code & CODE_RELAY) || str_open(lay, name, str))
		return 0;
	at.code = CODE_ID(code);
	at.lasti = frame_lasti(lay, frame);
	fresh.id = new_id();
	fresh.serial = t->serial;
	key = t->edge_key;
	if (bpf_map_update_elem(&edges, &key, &fresh, BPF_ANY)) {
		count_loss(edges_full);
		return 0;
	}
	has_from = fromlist_kind(t, lay, fromlist);
	if (str->sz <= PYI_STR_SMALL) {
		rec = bpf_ringbuf_reserve(&events, sizeof(*rec) + PYI_STR_SMALL, 0);
		if (!rec)
			goto full;
		emit_edge_text(t, rec, PYI_STR_SMALL, fresh.id, level, has_from, &at, str);
	} else {
		rec = bpf_ringbuf_reserve(&events, sizeof(*rec) + PYI_STR_LARGE, 0);
		if (!rec)
			goto full;
		emit_edge_text(t, rec, PYI_STR_LARGE, fresh.id, level, has_from, &at, str);
	}
	bpf_ringbuf_submit(rec, wake_flag());
	/* `from . import x, y` names its modules only there; elsewhere the names cost 1 us each. */
	if (has_from == 1 && !str->sz)
		emit_from(t, lay, fromlist, fresh.id);
	return fresh.id;
full:
	count_loss(ring_full);
	return fresh.id;
}
