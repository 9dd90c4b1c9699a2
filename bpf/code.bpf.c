// SPDX-License-Identifier: GPL-2.0-only
/*
 * Code objects are sent once, when first met: names, file and line table, from which user space
 * makes line numbers. What imports on behalf of others is told apart here as well.
 */
#include "code.bpf.h"

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
