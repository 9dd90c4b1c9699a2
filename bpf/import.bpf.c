// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything seen of imports: one program on every probed instruction, told apart by the attach
 * cookie, so that an interpreter needs one link whatever the number of its sites. A site may end
 * one span and begin the next (the branch behind one call can be the next call).
 */
#include "stack.bpf.h"

/* Arguments at a call or a function's entry. */
#define ARG1(ctx) PT_REGS_PARM1(ctx)
#define ARG2(ctx) PT_REGS_PARM2(ctx)
#define ARG3(ctx) PT_REGS_PARM3(ctx)
#define ARG4(ctx) PT_REGS_PARM4(ctx)
#define ARG5(ctx) PT_REGS_PARM5(ctx)

/* The barrier keeps the compiler from turning the cases into one read at a computed offset. */
#define REG_CASE(name, field)                                                                     \
	case PYI_REG_##name:                                                                      \
		value = ctx->field;                                                               \
		barrier_var(value);                                                               \
		return value

static __always_inline u64 reg_value(struct pt_regs *ctx, u8 reg)
{
	u64 value = 1; /* unknown register: not a failure */

#if defined(__TARGET_ARCH_x86)
	switch (reg) {
	REG_CASE(AX, ax);
	REG_CASE(BX, bx);
	REG_CASE(CX, cx);
	REG_CASE(DX, dx);
	REG_CASE(SI, si);
	REG_CASE(DI, di);
	REG_CASE(BP, bp);
	REG_CASE(R8, r8);
	REG_CASE(R9, r9);
	REG_CASE(R10, r10);
	REG_CASE(R11, r11);
	REG_CASE(R12, r12);
	REG_CASE(R13, r13);
	REG_CASE(R14, r14);
	REG_CASE(R15, r15);
	}
#elif defined(__TARGET_ARCH_arm64)
	switch (reg) {
	REG_CASE(X0 + 0, user_regs.regs[0]);
	REG_CASE(X0 + 19, user_regs.regs[19]);
	REG_CASE(X0 + 20, user_regs.regs[20]);
	REG_CASE(X0 + 21, user_regs.regs[21]);
	REG_CASE(X0 + 22, user_regs.regs[22]);
	REG_CASE(X0 + 23, user_regs.regs[23]);
	REG_CASE(X0 + 24, user_regs.regs[24]);
	REG_CASE(X0 + 25, user_regs.regs[25]);
	REG_CASE(X0 + 26, user_regs.regs[26]);
	REG_CASE(X0 + 27, user_regs.regs[27]);
	REG_CASE(X0 + 28, user_regs.regs[28]);
	}
#endif
	return value;
}

/* The thread's state is looked up once per thread; a cached one must still be this thread's. */
__noinline u64 frame_now(struct thread *t, const struct pyi_layout *lay)
{
	if (!t || !lay)
		return 0;
	if (t->tstate && is_thread(lay, t->tstate, thread_pointer()))
		return tstate_frame(lay, t->tstate);
	t->tstate = tstate_find(t, lay, t->bias);
	if (!t->tstate) {
		count_loss(no_thread);
		return 0;
	}
	return tstate_frame(lay, t->tstate);
}

static __always_inline u64 current_frame(struct hit *h)
{
	return frame_now(h->t, h->lay);
}

/*
 * Code that imports on behalf of others. RELAY: importlib's machinery and import_module, whose own
 * statements are somebody else's. RUNNER: runpy and importlib.util, which run code for others but
 * import for themselves as well; what stands at the top level of either is their own. BOOTSTRAP: a
 * RELAY that the interpreter starts by itself, top level included.
 */
enum code_role { ROLE_PLAIN = 0, ROLE_RELAY = 1, ROLE_RUNNER = 2, ROLE_BOOTSTRAP = 5 };

static __always_inline u32 frozen_role(const struct str_view *file, u64 *words)
{
	u32 sz = file->sz < 24 ? file->sz : 24;

	words[0] = words[1] = words[2] = 0;
	barrier_var(sz);
	if (sz > 24)
		return ROLE_PLAIN;
	bpf_probe_read_user(words, sz, (void *)file->data);
	if (words[0] != WORD8('<', 'f', 'r', 'o', 'z', 'e', 'n', ' '))
		return ROLE_PLAIN;
	if (words[1] == WORD8('z', 'i', 'p', 'i', 'm', 'p', 'o', 'r'))
		return ROLE_RELAY;
	if (words[1] == WORD8('r', 'u', 'n', 'p', 'y', '>', 0, 0))
		return ROLE_RUNNER;
	if (words[1] != WORD8('i', 'm', 'p', 'o', 'r', 't', 'l', 'i'))
		return ROLE_PLAIN;
	if (words[2] == WORD8('b', '.', '_', 'b', 'o', 'o', 't', 's'))
		return ROLE_BOOTSTRAP;
	return words[2] == WORD8('b', '.', 'u', 't', 'i', 'l', '>', 0) ? ROLE_RUNNER : ROLE_RELAY;
}

static __always_inline u32 file_role(const struct str_view *file, u64 *words)
{
	u32 role = ROLE_PLAIN;

	if (!file->is_ascii || file->sz < 14)
		return ROLE_PLAIN;
	role = frozen_role(file, words);
	if (role || file->sz < 21)
		return role;
	/* …/importlib/__init__.py holds import_module, …/importlib/util.py LazyLoader. */
	bpf_probe_read_user(words, 21, (void *)(file->data + file->sz - 21));
	if (words[0] == WORD8('i', 'm', 'p', 'o', 'r', 't', 'l', 'i') &&
	    words[1] == WORD8('b', '/', '_', '_', 'i', 'n', 'i', 't'))
		return ROLE_RELAY;
	bpf_probe_read_user(words, 16, (void *)(file->data + file->sz - 17));
	if (words[0] == WORD8('i', 'm', 'p', 'o', 'r', 't', 'l', 'i') &&
	    words[1] == WORD8('b', '/', 'u', 't', 'i', 'l', '.', 'p'))
		return ROLE_RUNNER;
	bpf_probe_read_user(words, 8, (void *)(file->data + file->sz - 9));
	return words[0] == WORD8('/', 'r', 'u', 'n', 'p', 'y', '.', 'p') ? ROLE_RUNNER : ROLE_PLAIN;
}

#define CODE_FIXED_SZ ((u32)sizeof(struct pyi_code))

static __always_inline void fill_code(struct thread *t, const struct pyi_layout *lay,
				      struct pyi_code *rec, u32 table_max,
				      const struct pyframe *frame, u32 id, u64 table, u32 table_sz)
{
	struct module_names *names = &t->scratch.code_names;
	struct str_view *str = &t->scratch.code_str;
	u32 flags = 0;

	fill_hdr(&rec->hdr, PYI_EV_CODE, CODE_FIXED_SZ + table_max, t->serial);
	rec->id = id;
	rec->firstlineno = read_u32(frame->code + lay->code_firstlineno);
	rec->globals = frame->globals;
	rec->lines = lay->lines;
	rec->table_sz = 0;
	/* Cut or not: the record of the module's body has the name in full. */
	str_read(lay, names->name, rec->module_text, sizeof(rec->module_text), &rec->module,
		 NULL, str);
	str_read(lay, names->package, rec->package_text, sizeof(rec->package_text), &rec->package,
		 NULL, str);
	str_read(lay, read_ptr(frame->code + lay->code_filename), rec->filename_text,
		 sizeof(rec->filename_text), &rec->filename, &flags, str);
	str_read(lay, read_ptr(frame->code + lay->code_name), rec->name_text,
		 sizeof(rec->name_text), &rec->name, &flags, str);
	if (table_sz > table_max) {
		count_loss(tables_truncated);
		flags |= PYI_F_TRUNC;
		table_sz = table_max;
	}
	barrier_var(table_sz);
	if (table_sz && table_sz <= table_max) {
		if (bpf_probe_read_user(rec->table, table_sz, (void *)table))
			count_loss(unreadable);
		else
			rec->table_sz = table_sz;
	}
	rec->hdr.flags = flags;
}

/* The record's room grows in steps because the verifier wants constant sizes. */
#define EMIT_CODE(max)                                                                            \
	do {                                                                                      \
		struct pyi_code *rec = bpf_ringbuf_reserve(&events, CODE_FIXED_SZ + (max), 0);     \
		if (!rec) {                                                                       \
			count_loss(ring_full);                                                    \
			break;                                                                    \
		}                                                                                 \
		fill_code(t, lay, rec, (max), frame, id, table + lay->bytes_data, sz);            \
		bpf_ringbuf_submit(rec, wake_flag());                                             \
	} while (0)

__noinline int emit_code(struct thread *t, const struct pyi_layout *lay,
			 const struct pyframe *frame, u32 id)
{
	u64 table, sz;

	if (!t || !lay || !frame)
		return 0;
	table = lay->code_table >= 0 ? read_ptr(frame->code + lay->code_table) : 0;
	sz = table ? read_ptr(table + lay->bytes_size) : 0;
	if (sz <= 512)
		EMIT_CODE(512);
	else if (sz <= 2048)
		EMIT_CODE(2048);
	else if (sz <= 6144)
		EMIT_CODE(6144);
	else if (sz <= 16384)
		EMIT_CODE(16384);
	else if (sz <= 32768)
		EMIT_CODE(32768);
	else
		EMIT_CODE(262144); /* tables of data: html.entities has 90 kB in 3.10 */
	return 0;
}

#define CODE_RELAY ((u64)ROLE_RELAY << 32)
#define CODE_RUNNER ((u64)ROLE_RUNNER << 32)
#define CODE_ID(value) ((u32)(value))

/* Up to 6.1 a map's key and value must lie on the stack: copied there for the call alone. */
__noinline u64 code_find(struct thread *t)
{
	struct code_value *value;
	struct code_key key;

	if (!t)
		return 0;
	key = t->last_code;
	value = bpf_map_lookup_elem(&codes, &key);
	return value ? value->id | (u64)value->role << 32 : 0;
}

__noinline int code_add(struct thread *t, u64 id)
{
	struct code_value value = { .id = CODE_ID(id), .role = id >> 32 };
	struct code_key key;

	if (!t)
		return -1;
	key = t->last_code;
	return bpf_map_update_elem(&codes, &key, &value, BPF_ANY) ? -1 : 0;
}

/*
 * A module's body is freed when it has run, and its address and its dict's can be those of the
 * next one: whatever was known of a body that begins is of an earlier one.
 */
__noinline int code_forget(struct thread *t, u64 code, u64 globals)
{
	struct code_key key = {};

	if (!t)
		return 0;
	key.code = code;
	key.globals = globals;
	key.serial = t->serial;
	bpf_map_delete_elem(&codes, &key);
	t->last_code.code = 0;
	return 0;
}

/* Number of a frame's code object, 0 = none; sends the object the first time it is met. */
__noinline u64 code_id(struct thread *t, const struct pyi_layout *lay, const struct pyframe *frame)
{
	struct code_key *key;
	struct str_view *file;
	u32 chars = 0, role = ROLE_PLAIN;
	u64 id;

	if (!t || !lay || !frame || !frame->code || lay->code_filename < 0)
		return 0;
	key = &t->last_code;
	if (key->code == frame->code && key->globals == frame->globals && key->serial == t->serial)
		return t->last_code_id;
	key->code = frame->code;
	key->globals = frame->globals;
	key->serial = t->serial;
	key->pad = 0;
	t->last_code_id = code_find(t);
	if (t->last_code_id)
		return t->last_code_id;
	id = new_id();
	file = &t->scratch.code_file;
	if (!str_open(lay, read_ptr(frame->code + lay->code_filename), file))
		role = file_role(file, t->scratch.code_words);
	if (role != ROLE_BOOTSTRAP && role != ROLE_PLAIN &&
	    str_word(lay, read_ptr(frame->code + lay->code_name), &chars) ==
		    WORD8('<', 'm', 'o', 'd', 'u', 'l', 'e', '>'))
		role = ROLE_PLAIN;
	id |= (u64)role << 32;
	if (code_add(t, id)) {
		key->code = 0;
		count_loss(codes_full);
		return 0;
	}
	t->last_code_id = id;
	globals_names(lay, frame->globals, &t->scratch.code_names);
	emit_code(t, lay, frame, id);
	return id;
}

/* One Python frame for emit_frames: 0 none, 1 importlib's own, 2 somebody else's. */
__noinline int frame_step(struct thread *t, const struct pyi_layout *lay, u32 cnt)
{
	struct pyframe *frame;
	u64 code;

	if (!t || !lay || cnt >= PYI_MAX_FRAMES || !t->walk)
		return 0;
	frame = &t->scratch.frames_at;
	if (frame_read(t, lay, t->walk, frame))
		return 0;
	t->walk = frame->back;
	if (frame_is_shim(t, lay)) {
		if (!t->walk || frame_read(t, lay, t->walk, frame))
			return 0;
		t->walk = frame->back;
	}
	code = code_id(t, lay, frame);
	if (!code)
		return 0;
	barrier_var(cnt);
	t->frames[cnt & (PYI_MAX_FRAMES - 1)].code = CODE_ID(code);
	t->frames[cnt & (PYI_MAX_FRAMES - 1)].lasti = frame_lasti(lay, frame);
	return code & (CODE_RELAY | CODE_RUNNER) ? 1 : 2;
}

/*
 * Sends the Python stack from @addr on, up to and including the first frame that is in a file of
 * somebody else than importlib: that one is the importer a person wants to see.
 */
__noinline int emit_frames(struct thread *t, const struct pyi_layout *lay, u64 addr, u32 span)
{
	struct pyi_frames *rec;
	u32 cnt = 0;
	int more;

	if (!t || !lay)
		return 0;
	t->walk = addr;
	for (int i = 0; i < PYI_MAX_FRAMES; i++) {
		more = frame_step(t, lay, i);
		if (more)
			cnt++;
		if (more != 1)
			break;
	}
	if (cnt == PYI_MAX_FRAMES)
		count_loss(frames_cut);
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec) {
		count_loss(ring_full);
		return 0;
	}
	fill_hdr(&rec->hdr, PYI_EV_FRAMES, sizeof(*rec), t->serial);
	rec->span = span;
	rec->edge = 0;
	rec->cnt = cnt;
	rec->pad = 0;
	__builtin_memcpy(rec->frames, t->frames, sizeof(rec->frames));
	bpf_ringbuf_submit(rec, wake_flag());
	return 0;
}

static __always_inline struct begin_args *begin_in(struct thread *t, u8 span, u64 sp)
{
	struct begin_args *args = &t->scratch.begin;

	__builtin_memset(args, 0, sizeof(*args));
	args->sp = sp;
	args->now = t->now;
	args->span = span;
	args->is_switching = t->is_switching;
	return args;
}

static __always_inline void fill_begin(struct thread *t, struct pyi_begin *rec, u32 text_max,
				       const struct begin_args *args, u32 id, u32 parent,
				       const struct str_view *str, u32 flags)
{
	long len;

	fill_hdr(&rec->hdr, PYI_EV_BEGIN, sizeof(*rec) + text_max, t->serial);
	rec->hdr.ts_ns = args->now;
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
	if (args->cstr) {
		len = bpf_probe_read_user_str(rec->text, text_max, (void *)args->cstr);
		rec->name.sz = len > 0 ? len - 1 : 0;
		if (len == text_max)
			flags |= PYI_F_TRUNC;
	} else if (str->sz) {
		str_copy(str, rec->text, text_max, &rec->name, &flags);
	}
	rec->hdr.flags = flags;
}

static __always_inline u32 parent_of(struct thread *t, const struct pyi_layout *lay,
				     const struct begin_args *args, u32 *flags)
{
	struct open_span *top = open_top(t);

	if (!top)
		return 0;
	if (!args->is_switching)
		return top->id;
	*flags |= PYI_F_SWITCHING;
	if (!args->pyframe) { /* imported from C without a frame: no proof possible */
		*flags |= PYI_F_APPROX;
		return top->id;
	}
	top = open_at(t, chain_parent(t, lay, args->pyframe) - 1);
	return top ? top->id : 0;
}

/* Opens and reports a span; its id. */
__noinline u32 span_begin(struct thread *t, const struct pyi_layout *lay,
			  const struct begin_args *args)
{
	struct str_view *str;
	struct pyi_begin *rec;
	u32 id, parent, flags;

	if (!t || !lay || !args)
		return 0;
	flags = args->flags;
	str = &t->scratch.begin_name;
	str->sz = 0;
	if (!args->is_switching && t->depth)
		sweep(t, lay, args->sp, args->pyframe, args->now);
	parent = parent_of(t, lay, args, &flags);
	id = new_id();
	if (!span_open(t, id, args->span, args->sp, args->pyframe))
		flags |= PYI_F_OVERFLOW;
	count_pair(args->span, 0);
	if (args->name && str_open(lay, args->name, str))
		flags |= PYI_F_UNREADABLE;
	if (!args->cstr && str->sz <= PYI_STR_SMALL) {
		rec = bpf_ringbuf_reserve(&events, sizeof(*rec) + PYI_STR_SMALL, 0);
		if (!rec)
			goto full;
		fill_begin(t, rec, PYI_STR_SMALL, args, id, parent, str, flags);
		bpf_ringbuf_submit(rec, wake_flag());
	} else {
		rec = bpf_ringbuf_reserve(&events, sizeof(*rec) + PYI_STR_LARGE, 0);
		if (!rec)
			goto full;
		fill_begin(t, rec, PYI_STR_LARGE, args, id, parent, str, flags);
		bpf_ringbuf_submit(rec, wake_flag());
	}
	return id;
full:
	count_loss(ring_full);
	return id;
}

/* From the site itself: from inside span_begin the calls would nest too deep. */
static __always_inline void begin_frames(struct hit *h, u32 id)
{
	struct begin_args *args = &h->t->scratch.begin;

	if (id && args->want_frames)
		emit_frames(h->t, h->lay, args->pyframe, id);
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

#define END_FAILED 0x200 /* beside the kind in span_end's @want */

/* Ends the span of this kind at @sp or @pyframe; 0 when there is none. */
__noinline int span_end(struct thread *t, const struct pyi_layout *lay, u32 want, u64 sp,
			u64 pyframe)
{
	struct open_span *span;
	bool failed = want & END_FAILED;
	u8 kind = want;
	int index;

	if (!t || !lay)
		return 0;
	index = span_find(t, kind | (t->is_switching ? FIND_SWITCHING : 0), sp, pyframe);
	if (index < 0)
		return 0;
	if (!t->is_switching) /* what was opened later and is still open has gone with it */
		for (int i = 0; i < 8 && stored_depth(t) > index + 1; i++)
			close_top(t, t->now);
	span = open_at(t, index);
	if (!span)
		return 0;
	emit_end(t, span->id, END_META(kind, failed, 0), failed ? error_name(t, lay) : 0, t->now);
	count_pair(kind, 1);
	span_close(t, index);
	return 1;
}

/* ---- the sites ---- */

static __always_inline void emit_python(struct hit *h)
{
	struct pyi_python *rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);

	if (!rec) {
		count_loss(ring_full);
		return;
	}
	fill_hdr(&rec->hdr, PYI_EV_PYTHON, sizeof(*rec), h->t->serial);
	rec->layout = h->site->layout;
	rec->checks = h->proc->checks;
	rec->bias = h->t->bias;
	bpf_get_current_comm(rec->comm, sizeof(rec->comm));
	bpf_ringbuf_submit(rec, wake_flag());
}

/*
 * The first import statement of a process puts the layout to the test: the types of what it hands
 * over are known symbols of the interpreter, so a wrong offset shows instead of telling tales.
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
	globals_names(h->lay, globals, &names);
	if (names.name)
		h->proc->checks |= PYI_CHECK_GLOBALS;
	emit_python(h);
	return 0;
}


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

/*
 * A statement's number before it has one: module dict, name, instruction and process mixed into 64
 * bits. Among a million statements two would collide once in 37 million traces.
 */
static __always_inline u64 edge_key(u64 globals, u64 name, u64 instr, u32 serial)
{
	u64 key = (globals ^ (u64)serial << 48) * 0x9e3779b97f4a7c15ULL;

	key = (key ^ key >> 29 ^ name) * 0xbf58476d1ce4e5b9ULL;
	key = (key ^ key >> 32 ^ instr) * 0x94d049bb133111ebULL;
	return key ^ key >> 31;
}

static __always_inline bool edge_count(struct thread *t, u64 key)
{
	struct edge_value *edge;

	t->edge_key = key;
	edge = bpf_map_lookup_elem(&edges, &t->edge_key);
	if (!edge)
		return false;
	__sync_fetch_and_add(&edge->count, 1);
	t->edge_id = edge->id;
	return true;
}

/*
 * Every import, five to ten times as often for cached modules as for loads: a statement seen
 * before is counted with three reads at most. The thread state needs no check here: a stale one
 * gives an instruction that matches nothing. Names are interned and live as long as their code,
 * so their address will do.
 */
static __always_inline bool import_again(struct pt_regs *ctx, const struct pyi_site *site,
					 struct thread *t)
{
	u32 index = site->layout;
	const struct pyi_layout *lay;
	u64 addr, instr, globals = ARG2(ctx);

	if (!t->serial || !t->tstate || t->layout != index)
		return false;
	if (!globals) { /* from C without a frame, or the function calls itself for the package */
		t->edge_id = 0;
		return true;
	}
	lay = bpf_map_lookup_elem(&layouts, &index);
	if (!lay || !lay->lasti_is_ptr)
		return false;
	addr = tstate_frame(lay, t->tstate);
	if (bpf_probe_read_user(&instr, sizeof(instr), (void *)(addr + lay->frame_lasti)))
		return false;
	return edge_count(t, edge_key(globals, ARG1(ctx), instr, t->serial));
}

/* The same without short cuts. */
static __always_inline void on_import(struct hit *h, struct pt_regs *ctx)
{
	struct thread *t = h->t;
	u64 globals = ARG2(ctx), name = ARG1(ctx), head[2] = {}, level = ARG5(ctx) & 0x7f;
	struct pyframe *frame = &t->scratch.frame;
	struct str_view *str = &t->scratch.name;
	u64 addr;

	t->edge_id = 0;
	t->is_native = 0;
	if (!globals)
		return;
	addr = t->tstate ? tstate_frame(h->lay, t->tstate) : 0;
	if (frame_read(t, h->lay, addr, frame) || frame->globals != globals)
		if (frame_read_real(t, h->lay, current_frame(h), frame))
			return;
	if (!(h->proc->flags & PROC_CHECKED))
		check_layout(h, frame, name, globals);
	if (edge_count(t, edge_key(globals, name, frame->instr, t->serial)))
		return;
	if (str_open(h->lay, name, str))
		return;
	if (!str->is_interned) {
		/*
		 * A computed name, `__import__(f"plugin_{i}")`: its address is used again for the
		 * next one. Its hash is not, but may not have been computed yet.
		 */
		if (str->hash == ~0ULL) {
			bpf_probe_read_user(head, sizeof(head), (void *)str->data);
			str->hash = head[0] * 31 + head[1] * 17 + str->sz;
		}
		if (edge_count(t, edge_key(globals, str->hash, frame->instr, t->serial)))
			return;
	}
	t->edge_id = edge_first(t, h->lay, frame, name,
				(ARG4(ctx) & ~(0xffULL << 56)) | level << 56);
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
		edge = bpf_map_lookup_elem(&edges, &h->t->edge_key);
		if (edge)
			__sync_fetch_and_add(&edge->loads, 1);
		h->t->edge_id = 0; /* what is imported inside asks for itself */
	}
	args->want_frames = !args->edge && args->pyframe;
	if (!args->edge && (h->t->is_native || !args->pyframe))
		args->via = PYI_VIA_NATIVE;
	begin_frames(h, span_begin(h->t, h->lay, args));
}

static __always_inline void on_body(struct hit *h, struct pt_regs *ctx)
{
	struct begin_args *args = begin_in(h->t, PYI_SPAN_BODY, h->sp);
	struct module_names *names = &h->t->scratch.names;
	u64 co = ARG1(ctx), co_name;
	struct open_span *top;
	struct pyframe *frame = &h->t->scratch.frame;
	u32 chars = 0;

	args->globals = ARG2(ctx);
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
	__builtin_memset(frame, 0, sizeof(*frame));
	frame->code = co;
	frame->globals = args->globals;
	globals_names(h->lay, args->globals, names);
	args->name = names->name;
	code_forget(h->t, frame->code, frame->globals);
	args->code = CODE_ID(code_id(h->t, h->lay, frame));
	args->pyframe = current_frame(h);
	top = open_top(h->t);
	/* Under a load whose body this is, the load's own record says who asked. */
	args->want_frames = args->pyframe && (!top || top->span == PYI_SPAN_BODY ||
					    h->t->is_switching);
	begin_frames(h, span_begin(h->t, h->lay, args));
}

static __always_inline void on_execdef(struct hit *h, struct pt_regs *ctx)
{
	struct begin_args *args = begin_in(h->t, PYI_SPAN_EXECDEF, h->sp);
	struct module_names *names = &h->t->scratch.names;
	u64 dict;

	if (h->lay->module_name_dict >= 0) {
		dict = read_ptr(ARG1(ctx) + h->lay->module_name_dict);
		if (dict) {
			globals_names(h->lay, dict, names);
			args->name = names->name;
		}
	}
	args->pyframe = current_frame(h);
	begin_frames(h, span_begin(h->t, h->lay, args));
}

__noinline int has_greenlet(struct thread *t, u32 from)
{
	u32 at;

	if (!t)
		return 0;
	for (u32 i = 0; i < 32; i++) {
		at = from + i;
		if (at > sizeof(t->scratch.path) - 8)
			break;
		barrier_var(at);
		if (*(u64 *)(t->scratch.path + at) == WORD8('g', 'r', 'e', 'e', 'n', 'l', 'e', 't'))
			return 1;
	}
	return 0;
}

/* greenlet, gevent's copies of it, and whatever else carries the word in its file name */
__noinline int is_greenlet_path(struct thread *t, u64 path)
{
	long len;

	if (!t)
		return 0;
	len = bpf_probe_read_user_str(t->scratch.path, sizeof(t->scratch.path), (void *)path);
	for (u32 i = 0; i < sizeof(t->scratch.path) / 32 && i * 32 + 8 < len; i++)
		if (has_greenlet(t, i * 32))
			return 1;
	return 0;
}

static __always_inline void on_dlopen(struct hit *h, struct pt_regs *ctx)
{
	struct begin_args *args = begin_in(h->t, PYI_SPAN_DLOPEN, h->sp);

	args->cstr = ARG1(ctx);
	if (h->proc && !h->t->is_switching && is_greenlet_path(h->t, args->cstr))
		__sync_fetch_and_or(&h->proc->flags, PROC_SWITCHING);
	args->pyframe = current_frame(h);
	begin_frames(h, span_begin(h->t, h->lay, args));
}

static __always_inline void on_dynamic(struct hit *h)
{
	struct begin_args *args = begin_in(h->t, PYI_SPAN_DYNAMIC, h->sp);

	args->pyframe = current_frame(h);
	begin_frames(h, span_begin(h->t, h->lay, args));
}

static __always_inline void emit_mark(struct hit *h, u32 mark, const struct pyi_frame *at)
{
	struct open_span *top;
	struct pyi_mark *rec;

	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec) {
		count_loss(ring_full);
		return;
	}
	top = open_top(h->t);
	fill_hdr(&rec->hdr, PYI_EV_MARK, sizeof(*rec), h->t->serial);
	rec->id = top ? top->id : 0;
	rec->mark = mark;
	rec->frame = at ? *at : (struct pyi_frame){ 0, -1 };
	rec->name = (struct pyi_str){};
	__builtin_memset(rec->text, 0, sizeof(rec->text));
	bpf_ringbuf_submit(rec, wake_flag());
}

/*
 * Nothing tells how a failed import_module() ends, but the exception for a module that is not
 * there is made inside it.
 */
static __always_inline void on_import_error(struct hit *h, struct pt_regs *ctx)
{
	struct open_span *top = open_top(h->t);
	struct pyi_mark *rec;
	u64 type;
	long len;

	if (!top || top->span != PYI_SPAN_LOCK || h->lay->type_name < 0)
		return;
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec) {
		count_loss(ring_full);
		return;
	}
	fill_hdr(&rec->hdr, PYI_EV_MARK, sizeof(*rec), h->t->serial);
	rec->id = top->id;
	rec->mark = PYI_MARK_IMPORT_ERROR;
	rec->frame = (struct pyi_frame){ 0, -1 };
	rec->name = (struct pyi_str){};
	__builtin_memset(rec->text, 0, sizeof(rec->text));
	type = read_ptr(ARG1(ctx) + h->lay->ob_type);
	len = bpf_probe_read_user_str(rec->text, sizeof(rec->text),
				      (void *)read_ptr(type + h->lay->type_name));
	rec->name.sz = len > 0 ? len - 1 : 0;
	bpf_ringbuf_submit(rec, wake_flag());
}

/* Marks once per load, and only while the load has not reached its body. */
static __always_inline void mark_top(struct hit *h, u32 mark, u8 flag)
{
	struct open_span *top = open_top(h->t);

	if (!top || (top->span != PYI_SPAN_FIND && top->span != PYI_SPAN_LOCK))
		return;
	if (top->flags & flag)
		return;
	top->flags |= flag;
	emit_mark(h, mark, NULL);
}

/* First local variable of a frame: its function's first argument. */
static __always_inline u64 first_arg(const struct pyi_layout *lay, const struct pyframe *frame)
{
	return read_ptr(frame->addr + lay->frame_locals) & lay->code_mask; /* 3.14+: tagged */
}

/*
 * _imp.acquire_lock() is called when importlib fetches the lock of a module, at the start of
 * _find_and_load, and again when the lock object dies at its end (the weakref callback `cb` in
 * _get_module_lock). That makes it the one C function that brackets loads which do not come
 * through the import function: import_module() and reload(). Between _get_module_lock and
 * _find_and_load stands a lock manager's __enter__ or, from 3.15.1 on, nothing; 3.15.0 fetches
 * the locks of the parent packages as well, for one load.
 */
__noinline int lock_begin(struct thread *t, const struct pyi_layout *lay)
{
	struct begin_args *args;
	struct pyframe *frame;
	u32 chars = 0;
	u64 word;

	if (!t || !lay)
		return 0;
	frame = &t->scratch.frame;
	args = begin_in(t, PYI_SPAN_LOCK, 0);
	args->want_frames = true;
	args->name = first_arg(lay, frame);
	for (int i = 0; i < 2; i++) {
		if (frame_read_real(t, lay, frame->back, frame))
			return 0;
		word = str_word(lay, read_ptr(frame->code + lay->code_name), &chars);
		if (word != WORD8('_', '_', 'e', 'n', 't', 'e', 'r', '_'))
			break;
	}
	if (word == WORD8('_', 'f', 'i', 'n', 'd', '_', 'a', 'n')) {
		args->via = PYI_VIA_IMPORT_MODULE;
		args->name = first_arg(lay, frame);
	} else if (chars == 5 && word == WORD8('_', 'e', 'x', 'e', 'c', 0, 0, 0)) {
		args->via = PYI_VIA_RELOAD;
	} else { /* _lock_unlock_module: waits, loads nothing */
		return 0;
	}
	if (span_find(t, PYI_SPAN_LOCK, 0, frame->addr) >= 0)
		return 0; /* a parent's lock opened it */
	args->pyframe = frame->addr;
	return span_begin(t, lay, args);
}

/*
 * The lock dies in _find_and_load itself, while its manager's __exit__ is being left, or together
 * with _find_and_load's own frame, which then is no longer among the callers.
 */
__noinline int lock_end(struct thread *t, const struct pyi_layout *lay)
{
	struct open_span *top;
	struct pyframe *frame;
	u64 back;

	if (!t || !lay)
		return 0;
	frame = &t->scratch.frame;
	back = frame->back;
	for (int i = 0; i < 3; i++) {
		if (frame_read_real(t, lay, frame->back, frame))
			break;
		if (span_end(t, lay, PYI_SPAN_LOCK, 0, frame->addr))
			return 0;
	}
	top = open_top(t);
	if (top && top->span == PYI_SPAN_LOCK && !t->is_switching &&
	    !chain_has(t, lay, back, top->pyframe))
		span_end(t, lay, PYI_SPAN_LOCK, 0, top->pyframe);
	return 0;
}

/* The module's lock that the load on top takes first: it is measured already. */
static __always_inline bool is_lock_of_find(struct open_span *top)
{
	if (!top || top->span != PYI_SPAN_FIND || top->flags & OPEN_LOCK_TAKEN)
		return false;
	top->flags |= OPEN_LOCK_TAKEN;
	return true;
}

static __always_inline void on_acquire_lock(struct hit *h)
{
	struct thread *t = h->t;
	struct open_span *top = open_top(t);
	struct pyframe *frame = &t->scratch.frame;
	u32 chars = 0;
	u64 word;

	if (!t->is_switching && is_lock_of_find(top))
		return;
	if (h->lay->frame_locals < 0 || frame_read_real(t, h->lay, current_frame(h), frame))
		return;
	if (t->is_switching) {
		top = open_at(t, chain_parent(t, h->lay, frame->addr) - 1);
		if (is_lock_of_find(top))
			return;
	}
	word = str_word(h->lay, read_ptr(frame->code + h->lay->code_name), &chars);
	if (chars == 2 && (word & 0xffff) == ('c' | 'b' << 8)) {
		lock_end(t, h->lay);
		return;
	}
	if (word == WORD8('_', 'g', 'e', 't', '_', 'm', 'o', 'd'))
		begin_frames(h, lock_begin(t, h->lay));
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
	case PYI_SITE_BUILTIN: emit_mark(h, PYI_MARK_CREATE_BUILTIN, NULL); break;
	case PYI_SITE_ACQUIRE_LOCK: on_acquire_lock(h); break;
	case PYI_SITE_NEW_MODULE: mark_top(h, PYI_MARK_NEW_MODULE, OPEN_NEW_MODULE); break;
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
	if (h->t->is_switching || failed)
		pyframe = current_frame(h);
	span_end(h->t, h->lay, span_of[end] | (failed ? END_FAILED : 0),
		 h->sp - h->site->sp_delta, pyframe);
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

static __always_inline int on_site(struct pt_regs *ctx)
{
	u32 index = bpf_get_attach_cookie(ctx), tgid;
	struct hit h = {};

	if (!cfg_active)
		return 0;
	h.site = bpf_map_lookup_elem(&sites, &index);
	if (!h.site)
		return 0;
	h.t = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL, 0);
	if (h.t && h.site->begin == PYI_SITE_IMPORT && !h.site->end &&
	    import_again(ctx, h.site, h.t))
		return 0;
	tgid = bpf_get_current_pid_tgid() >> 32;
	h.proc = bpf_map_lookup_elem(&procs, &tgid);
	if (!h.proc) {
		if (!cfg_all)
			return 0;
		h.proc = proc_add(tgid, 0);
		if (!h.proc)
			return 0;
	}
	index = h.site->layout;
	h.lay = bpf_map_lookup_elem(&layouts, &index);
	if (!h.lay)
		return 0;
	if (!h.t)
		h.t = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL,
					   BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!h.t) {
		count_loss(thread_state);
		return 0;
	}
	if (h.t->serial != h.proc->serial) { /* a new image, or the first hit of the thread */
		h.t->serial = h.proc->serial;
		h.t->depth = 0;
		h.t->tstate = h.t->interp = 0;
		h.t->find_name = h.t->module_name = 0;
		h.t->tuple_type = h.t->none_type = 0;
		h.t->last_code.code = 0;
		h.t->edge_id = 0;
	}
	h.t->layout = h.site->layout;
	h.t->now = bpf_ktime_get_ns();
	h.t->bias = PT_REGS_IP(ctx) - h.site->addr;
	h.sp = PT_REGS_SP(ctx);
	h.t->is_switching = h.proc->flags & PROC_SWITCHING;
	if (!(h.proc->flags & PROC_SEEN))
		first_hit(&h, tgid);
	if (h.site->end)
		on_end(&h, ctx);
	if (h.site->begin)
		on_begin(&h, ctx);
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
