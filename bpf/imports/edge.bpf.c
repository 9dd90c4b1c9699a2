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
	rec->is_inside = !edge->is_elsewhere;
	bpf_ringbuf_submit(rec, BPF_RB_NO_WAKEUP);
}

DEFINE_RECYCLE(edge_recycle, edge_value, edge_slots, cfg_edge_slots, edge_flush)

/*
 * `real_import(name, globals, …)` in what stands for builtins.__import__: a relative name counts
 * from the package of those globals, not from that of the code which runs.
 */
static __always_inline bool is_of_other(const struct thread *t)
{
	return t->scratch.edge.level > 0 && t->scratch.frame.globals != t->scratch.edge.globals;
}

static __always_inline void fill_edge(struct thread *t, const struct pyi_layout *lay,
				      struct pyi_edge *rec, u32 max, u32 has_from, u64 code)
{
	const struct edge_args *args = &t->scratch.edge;
	struct open_span *top = open_top(t);
	u32 flags = 0;

	fill_thread_hdr(t, &rec->hdr, PYI_EV_EDGE, sizeof(*rec) + max);
	rec->id = t->edge_id;
	rec->span = top ? top->id : 0;
	rec->level = code && is_of_other(t) ? PYI_LEVEL_OF_OTHER : args->level;
	rec->has_from = has_from;
	rec->frame.code = CODE_ID(code);
	rec->frame.lasti = code ? frame_lasti(lay, &t->scratch.frame) : -1;
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
			read_mem(rec->names[i], sz, str.data);
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
	if (!cnt || cnt > 65535)
		return 0;
	items = fromlist + lay->tuple_items;
	if (read_ptr(fromlist + lay->ob_type) != t->tuple_type) /* a list: they lie elsewhere */
		items = read_ptr(fromlist + lay->tuple_size + sizeof(u64));
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

/* From tp_name to tp_basicsize and tp_flags: the same since 2.7, with and without a GIL. */
#define NAME_TO_SIZE 8
#define NAME_TO_FLAGS 144
#define TYPE_IS_BASE (1 << 10)
#define TYPE_IS_LIST (1 << 25)
#define TYPE_IS_TUPLE (1 << 26)

/*
 * 1 a statement's, 0 none, 2 that of PyImport_Import, called from C: an empty list, and the globals
 * are the locals. Of `__import__(name, globals(), locals(), [], 0)` in a module's body that cannot
 * be told apart. The types' names lie in read-only pages of the file, which a process that has just
 * been forked, or long done with its imports, need not have in memory; their flags do not.
 */
static __always_inline u32 fromlist_kind(struct thread *t, const struct pyi_layout *lay, u64 list)
{
	u64 type = list ? read_ptr(list + lay->ob_type) : 0, flags;

	if (!type || type == t->none_type)
		return 0;
	if (type == t->tuple_type)
		return 1;
	flags = read_ptr(type + lay->type_name + NAME_TO_FLAGS);
	if (flags & TYPE_IS_TUPLE) {
		t->tuple_type = type;
		return 1;
	}
	/* Without anything in it, and of a type of its own: None, which is never freed. */
	if (!(flags & (TYPE_IS_LIST | TYPE_IS_BASE)) &&
	    read_ptr(type + lay->type_name + NAME_TO_SIZE) == lay->type_name - 8) {
		t->none_type = type;
		t->none = list;
	}
	if (!(flags & TYPE_IS_LIST))
		return 0;
	/* The size of a list stands where a tuple's does. */
	return t->scratch.edge.has_globals_twice && !read_ptr(list + lay->tuple_size) ? 2 : 1;
}

/* A function of its own, for the stack. */
static __noinline struct edge_value *edge_make(u64 key)
{
	return edge_find(key, true);
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

	if (is_of_other(t))
		name ^= args->globals;
	t->edge_key = edge_key(code, name, t->scratch.frame.instr, t->serial);
	return edge_make(t->edge_key);
}

/*
 * Does an extension module import, in its own body? Then the frame is importlib's, and who asks is
 * whoever the span on top belongs to.
 */
static __always_inline bool is_c_body(const struct open_span *top)
{
	return top && (top->span == PYI_SPAN_EXECDEF || top->span == PYI_SPAN_DYNAMIC);
}

/* What stands for an instruction that imports a dotted name. */
static __always_inline u64 dotted_key(struct thread *t, u64 code)
{
	return edge_key(code, 0, t->scratch.frame.instr, t->serial);
}

static __always_inline void mark_dotted(struct thread *t, u64 code)
{
	struct edge_value *mark = edge_make(dotted_key(t, code));

	if (mark)
		mark->serial = t->serial;
}

/* Is it a new str without a dot, where a dotted name is imported? */
static __always_inline bool is_package_step(struct thread *t, const struct pyi_layout *lay)
{
	struct str_view *name = &t->scratch.edge.name;

	return edge_find(dotted_key(t, t->last_code_id), false) &&
	       !str_load(t, lay, t->scratch.edge.name_obj, name) && !name->is_interned &&
	       !str_has_dot(t, name);
}

__noinline int edge_bare(struct thread *t, const struct pyi_layout *lay, u64 addr)
{
	struct pyframe *frame;
	bool is_known;

	if (!t || !lay)
		return 1;
	t->edge_id = t->is_native = 0;
	frame = &t->scratch.frame;
	if (frame_read(t, lay, addr, frame) || frame_is_shim(t, lay) || !frame->globals)
		return 1;
	t->import_frame = frame->addr;
	t->scratch.edge.globals = frame->globals;
	t->scratch.code_names_of = 0;
	is_known = code_again(t, frame->code, frame->globals);
	if (is_known && edge_count(t, t->scratch.edge.name_obj, frame->instr))
		return 1;
	/* It may have to be looked at again, since bodies have begun. */
	return (is_known || code_id(t, lay, frame)) && is_package_step(t, lay);
}

/*
 * A function that the program called when it was done with its imports, or between them: who uses
 * what was imported. Below an import it would be that which explains the call.
 */
static __always_inline bool is_outer_call(struct thread *t, const struct pyi_layout *lay)
{
	if (cfg_no_frames || t->depth > 1 || lay->code_name < 0)
		return false;
	/* No variable of its own, for the stack. */
	if (bpf_probe_read_user(&t->walk, sizeof(t->walk),
				(void *)(t->scratch.frame.code + lay->code_name)))
		return false;
	return t->walk != t->module_name;
}

__noinline int edge_first(struct thread *t, const struct pyi_layout *lay, u64 addr)
{
	struct edge_args *args;
	struct edge_value *edge;
	struct open_span *top;
	struct pyframe *frame;
	struct pyi_edge *rec;
	u32 has_from, around;
	u64 code, sum;

	if (!t || !lay)
		return 0;
	args = &t->scratch.edge;
	frame = &t->scratch.frame;
	if (addr) { /* import_again has read it */
		frame_parse(t, lay, addr, frame);
		if (frame->globals != args->globals)
			return 0;
		t->scratch.code_names_of = 0;
	}
	t->edge_id = t->is_native = 0;
	code = code_known(t, frame) ? t->last_code_id : code_id(t, lay, frame);
	has_from = args->fromlist == t->none ? 0 : fromlist_kind(t, lay, args->fromlist);
	top = open_top(t);
	around = top ? top->id : 0;
	if (code & CODE_RELAY && is_c_body(top)) {
		code = 0;
	} else if (!code || (code & CODE_RELAY)) {
		t->is_native = code && has_from == 2;
		return 1;
	}
	if (str_load(t, lay, args->name_obj, &args->name))
		return 1;
	sum = str_sum(t, &args->name);
	if (code)
		edge = edge_place(t, code, sum);
	else
		edge = edge_make(t->edge_key = edge_key(around, sum, 0, t->serial));
	if (code && edge && edge->name && edge->name != (u32)sum) {
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
	if (edge->count || __sync_val_compare_and_swap(&edge->count, 0, 1)) {
		edge_ran(t, edge); /* seen before, or another thread was first */
		return 1;
	}
	edge->name = sum;
	edge->around = around;
	edge->depth = stored_depth(t) + 1;
	edge->serial = t->serial;
	edge->first_ns = t->now;
	edge->id = t->edge_id = new_id();
	if (code && !has_from && !args->level && str_has_dot(t, &args->name))
		mark_dotted(t, code);
	if (args->name.sz <= PYI_STR_TINY)
		EMIT_EDGE(PYI_STR_TINY);
	else if (args->name.sz <= PYI_STR_SMALL)
		EMIT_EDGE(PYI_STR_SMALL);
	else
		EMIT_EDGE(PYI_STR_LARGE);
	/* Any of the names may be a submodule: who asks for it is not known without them. */
	if (has_from == 1)
		emit_from(t, lay, args->fromlist, t->edge_id);
	if (code && lay->code_names >= 0)
		emit_bound(t, lay, has_from);
	return code && is_outer_call(t, lay) ? 2 : 1;
}
