// SPDX-License-Identifier: GPL-2.0-only
/*
 * Code objects are sent once, when first met: names, file and line table, from which user space
 * makes line numbers. What imports on behalf of others is told apart here as well.
 */
#include "python/code.bpf.h"
#include "core/slots.bpf.h"

static __always_inline u32 frozen_role(const u64 *words)
{
	if (words[0] != WORD8('<', 'f', 'r', 'o', 'z', 'e', 'n', ' '))
		return ROLE_PLAIN;
	if (words[1] == WORD8('z', 'i', 'p', 'i', 'm', 'p', 'o', 'r'))
		return ROLE_RELAY;
	if (words[1] << 16 == WORD8(0, 0, 'r', 'u', 'n', 'p', 'y', '>'))
		return ROLE_RUNNER;
	if (words[1] != WORD8('i', 'm', 'p', 'o', 'r', 't', 'l', 'i'))
		return ROLE_PLAIN;
	if (words[2] == WORD8('b', '.', '_', 'b', 'o', 'o', 't', 's'))
		return ROLE_BOOTSTRAP;
	return words[2] << 8 == WORD8(0, 'b', '.', 'u', 't', 'i', 'l', '>') ? ROLE_RUNNER :
									     ROLE_RELAY;
}

/* By the first or the last 24 bytes of the file's name, which str_load has read. */
static __always_inline u32 file_role(struct thread *t, const struct str_view *file, u64 *words)
{
	u32 role, off = file->peek_off;

	if (!file->is_ascii || file->sz < 14 || off > 64)
		return ROLE_PLAIN;
	barrier_var(off);
	if (off && off <= 64) {
		/* What lies behind a shorter name than "<frozen importlib.util>" is not looked at. */
		bpf_probe_read_kernel(words, 24, (char *)t->str_buf + off);
		role = frozen_role(words);
		if (role)
			return role;
	}
	if (file->sz < 24 ||
	    read_mem(words, 24, file->data + file->sz - 24))
		return ROLE_PLAIN;
	/* …/importlib/__init__.py holds import_module, …/importlib/util.py LazyLoader. */
	if (words[0] >> 24 == WORD8('i', 'm', 'p', 'o', 'r', 0, 0, 0) &&
	    words[1] == WORD8('t', 'l', 'i', 'b', '/', '_', '_', 'i'))
		return ROLE_RELAY;
	if (words[1] == WORD8('m', 'p', 'o', 'r', 't', 'l', 'i', 'b') &&
	    words[2] == WORD8('/', 'u', 't', 'i', 'l', '.', 'p', 'y'))
		return ROLE_RUNNER;
	return words[1] >> 56 == '/' && words[2] == WORD8('r', 'u', 'n', 'p', 'y', '.', 'p', 'y') ?
		       ROLE_RUNNER : ROLE_PLAIN;
}

/* A field of the code object in t->code_buf. */
#define CODE_AT(t, off, type)                                                                     \
	(*(type *)((char *)(t)->code_buf + ((off) & (CODE_BUF_SZ - sizeof(type)))))

/* Reads all that is wanted of a code object at once: no more than the last field's end. */
static __always_inline int code_read(struct thread *t, const struct pyi_layout *lay, u64 code)
{
	u32 sz = lay->code_read_sz;

	barrier_var(sz);
	if (!sz || sz > CODE_BUF_SZ)
		return -1;
	return read_mem(t->code_buf, sz, code);
}

#define CODE_FIXED_SZ ((u32)sizeof(struct pyi_code))

static __always_inline void fill_code(struct thread *t, const struct pyi_layout *lay,
				      struct pyi_code *rec, u32 table_max,
				      const struct pyframe *frame, u32 id, u64 table, u32 table_sz)
{
	struct module_names *names = &t->scratch.code_names;
	struct str_view *str = &t->scratch.code_str;
	u32 flags = 0;

	fill_thread_hdr(t, &rec->hdr, PYI_EV_CODE, CODE_FIXED_SZ + table_max);
	rec->id = id;
	rec->firstlineno = CODE_AT(t, lay->code_firstlineno, s32);
	rec->globals = frame->globals;
	rec->lines = lay->lines;
	rec->table_sz = 0;
	/* Cut or not: the record of the module's body has the name in full. */
	str_read(t, lay, names->name, rec->module_text, sizeof(rec->module_text), &rec->module,
		 NULL, str);
	str_read(t, lay, names->package, rec->package_text, sizeof(rec->package_text),
		 &rec->package, NULL, str);
	str_read(t, lay, CODE_AT(t, lay->code_filename, u64), rec->filename_text,
		 sizeof(rec->filename_text), &rec->filename, &flags, str);
	str_read(t, lay, CODE_AT(t, lay->code_name, u64), rec->name_text,
		 sizeof(rec->name_text), &rec->name, &flags, str);
	if (table_sz >= table_max) {
		count_loss(tables_truncated);
		flags |= PYI_F_TRUNC;
		table_sz = table_max - 1;
	}
	barrier_var(table_sz);
	table_sz &= table_max - 1; /* the 6.1 verifier forgets a bound that was compared */
	if (table_sz) {
		if (read_mem(rec->table, table_sz, table))
			flags |= PYI_F_UNREADABLE;
		else
			rec->table_sz = table_sz;
	}
	rec->hdr.flags = flags;
}

/* The record's room grows in steps, powers of two: the verifier wants constant sizes. */
#define EMIT_CODE(max)                                                                            \
	do {                                                                                      \
		struct pyi_code *rec = bpf_ringbuf_reserve(&events, CODE_FIXED_SZ + (max), 0);     \
		if (!rec) {                                                                       \
			count_loss(ring_full);                                                    \
			break;                                                                    \
		}                                                                                 \
		fill_code(t, lay, rec, (max), frame, id, table + lay->bytes_data, sz);            \
		bpf_ringbuf_submit(rec, thread_wake_flag(t));                                      \
	} while (0)

__noinline int emit_code(struct thread *t, const struct pyi_layout *lay,
			 const struct pyframe *frame, u32 id)
{
	u64 table, sz = 0;

	if (!t || !lay || !frame)
		return 0;
	table = lay->code_table >= 0 ? CODE_AT(t, lay->code_table, u64) : 0;
	if (table && bpf_probe_read_user(&sz, sizeof(sz), (void *)(table + lay->bytes_size))) {
		table = 0; /* reading it will fail, too, and that is counted */
		sz = 1;
	}
	if (sz < 512)
		EMIT_CODE(512);
	else if (sz < 2048)
		EMIT_CODE(2048);
	else if (sz < 8192)
		EMIT_CODE(8192);
	else if (sz < 16384)
		EMIT_CODE(16384);
	else if (sz < 32768)
		EMIT_CODE(32768);
	else
		EMIT_CODE(262144); /* tables of data: html.entities has 90 kB in 3.10 */
	return 0;
}

static __always_inline u32 code_role(struct thread *t, const struct pyi_layout *lay)
{
	struct str_view *file = &t->scratch.code_file;
	u32 chars = 0, role;

	if (str_load(t, lay, CODE_AT(t, lay->code_filename, u64), file))
		return ROLE_PLAIN;
	role = file_role(t, file, t->scratch.code_words);
	if (role != ROLE_BOOTSTRAP && role != ROLE_PLAIN &&
	    str_word(lay, CODE_AT(t, lay->code_name, u64), &chars) ==
		    WORD8('<', 'm', 'o', 'd', 'u', 'l', 'e', '>'))
		return ROLE_PLAIN;
	return role;
}

static __always_inline void code_flush(const struct code_value *code)
{
}

DEFINE_RECYCLE(code_recycle, code_value, code_slots, cfg_code_slots, code_flush)

/* Values of the module's names, read once per hit. */
static __always_inline void code_names(struct thread *t, const struct pyi_layout *lay, u64 globals)
{
	if (!globals || t->scratch.code_names_of != globals)
		globals_names(t, lay, globals, &t->scratch.code_names);
	t->scratch.code_names_of = globals;
}

static __always_inline u64 text_sum(struct thread *t, const struct pyi_layout *lay, u64 obj)
{
	return str_load(t, lay, obj, &t->scratch.code_str) ? 0 :
							     str_sum(t, &t->scratch.code_str);
}

/* What the code object in t->code_buf says, in 64 bits: those that say the same are the same. */
__noinline u64 code_sum(struct thread *t, const struct pyi_layout *lay, u64 globals)
{
	u64 sum, table;

	if (!t || !lay)
		return 0;
	code_names(t, lay, globals);
	sum = mix_key(text_sum(t, lay, CODE_AT(t, lay->code_filename, u64)),
		      text_sum(t, lay, CODE_AT(t, lay->code_name, u64)),
		      text_sum(t, lay, t->scratch.code_names.name),
		      CODE_AT(t, lay->code_firstlineno, u32));
	table = lay->code_table >= 0 ? CODE_AT(t, lay->code_table, u64) : 0;
	return table ? bytes_sum(t, lay, table, sum) : sum;
}

/* Number and role of t->last_code, read into t->code_buf, which is sent. */
static __always_inline u64 code_add(struct thread *t, const struct pyi_layout *lay,
				    const struct pyframe *frame, u64 sum)
{
	struct code_value *value = code_find(t, true);
	u32 id = new_id();

	if (!value) {
		t->last_code.code = 0;
		count_loss(codes_full);
		return 0;
	}
	value->id = id;
	value->role = code_role(t, lay);
	value->sum = sum;
	value->serial = t->serial;
	value->gen = t->last_code.gen;
	t->last_code_id = id | (u64)value->role << 32;
	code_names(t, lay, frame->globals);
	emit_code(t, lay, frame, id);
	return t->last_code_id;
}

/* Makes the frame's code object t->last_code; false when it cannot be read. */
static __always_inline bool code_take(struct thread *t, const struct pyi_layout *lay,
				      const struct pyframe *frame)
{
	t->last_code.code = 0;
	if (lay->code_filename < 0)
		return false;
	if (code_read(t, lay, frame->code))
		return false;
	t->last_code = (struct code_key){ frame->code, frame->globals, t->serial,
					  *dict_gen(frame->globals, t->serial) };
	return true;
}

__noinline u64 code_new(struct thread *t, const struct pyi_layout *lay,
			const struct pyframe *frame)
{
	if (!t || !lay || !frame || !frame->code || !code_take(t, lay, frame))
		return 0;
	return code_add(t, lay, frame, code_sum(t, lay, frame->globals));
}

__noinline u64 code_id(struct thread *t, const struct pyi_layout *lay, const struct pyframe *frame)
{
	struct code_value *value;
	u64 sum;

	if (!t || !lay || !frame || !frame->code)
		return 0;
	if (code_again(t, frame->code, frame->globals))
		return t->last_code_id;
	if (!code_take(t, lay, frame))
		return 0;
	sum = code_sum(t, lay, frame->globals);
	value = code_find(t, false);
	if (!value || !value->id || value->sum != sum)
		return code_add(t, lay, frame, sum);
	value->gen = t->last_code.gen;
	t->last_code_id = value->id | (u64)value->role << 32;
	return t->last_code_id;
}

/* One Python frame for emit_frames: 0 none, 1 importlib's own, 2 somebody else's. */
__noinline int frame_step(struct thread *t, const struct pyi_layout *lay, u32 cnt)
{
	struct pyframe *frame;
	u64 code;

	if (!t || !lay || cnt >= PYI_MAX_FRAMES || !t->walk)
		return 0;
	frame = &t->scratch.frames_at;
	if (frame_read_real(t, lay, t->walk, frame))
		return 0;
	t->walk = frame->back;
	code = code_id(t, lay, frame);
	if (!code)
		return 0;
	barrier_var(cnt);
	t->frames[cnt & (PYI_MAX_FRAMES - 1)].code = CODE_ID(code);
	t->frames[cnt & (PYI_MAX_FRAMES - 1)].lasti = frame_lasti(lay, frame);
	return code & (CODE_RELAY | CODE_RUNNER) ? 1 : 2;
}

__noinline int emit_frames(struct thread *t, const struct pyi_layout *lay, u64 addr, u32 span)
{
	struct pyi_frames *rec;
	u32 cnt = 0;
	int more = 0;

	if (!t || !lay)
		return 0;
	t->walk = addr;
	for (int i = 0; i < PYI_MAX_FRAMES; i++) {
		more = frame_step(t, lay, i);
		if (more)
			cnt++;
		if (span ? more != 1 : !more || i == PYI_MAX_CALLERS)
			break;
	}
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec) {
		count_loss(ring_full);
		return 0;
	}
	fill_thread_hdr(t, &rec->hdr, PYI_EV_FRAMES, sizeof(*rec));
	if (span && more == 1) /* only importlib's own so far: who asked is not known */
		rec->hdr.flags |= PYI_F_TRUNC;
	rec->span = span;
	rec->edge = span ? 0 : t->edge_id;
	rec->cnt = cnt;
	rec->pad = 0;
	__builtin_memcpy(rec->frames, t->frames, sizeof(rec->frames));
	bpf_ringbuf_submit(rec, thread_wake_flag(t));
	return 0;
}
