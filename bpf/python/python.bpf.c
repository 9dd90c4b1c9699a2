// SPDX-License-Identifier: GPL-2.0-only
/* What reads CPython's objects in loops, each function verified once. */
#include "python/python.bpf.h"

__noinline int str_open(const struct pyi_layout *lay, u64 obj, struct str_view *str)
{
	return str_view(lay, obj, str);
}

#define STR_LAST_AT 64 /* in str_buf; the largest peek_off there is */

/* One at the end of its mapping, or before a page not used yet: no byte more than it has. */
static __always_inline int str_load_last(struct thread *t, const struct pyi_layout *lay, u64 obj,
					 struct str_view *str)
{
	u32 sz;

	if ((t->str_type && read_ptr(obj + lay->ob_type) != t->str_type) ||
	    str_view(lay, obj, str))
		return -1;
	sz = str->sz;
	if (sz > STR_PEEK_TEXT_SZ)
		return 0;
	barrier_var(sz);
	sz &= 127; /* the 6.1 verifier forgets a bound that was compared */
	if (!bpf_probe_read_user(&t->str_buf[STR_LAST_AT / 8], sz, (void *)str->data))
		str->peek_off = STR_LAST_AT;
	return 0;
}

/* A read costs 0.1 us whatever its size, so one is made where two would be natural. */
__noinline int str_load(struct thread *t, const struct pyi_layout *lay, u64 obj,
			struct str_view *str)
{
	u32 off;

	if (!t || !lay || !str || !obj || lay->str_length < 0)
		return -1;
	if (bpf_probe_read_user(t->str_buf, STR_PEEK_SZ, (void *)(obj + lay->ob_type)))
		return str_load_last(t, lay, obj, str);
	if (t->str_type && t->str_buf[0] != t->str_type)
		return -1;
	if (str_parse(lay, obj, (struct str_head *)&t->str_buf[1], str))
		return -1;
	off = str->data - obj - lay->ob_type;
	str->peek_off = off <= 64 ? off : 0;
	return 0;
}

#define DOTS 0x2e2e2e2e2e2e2e2eULL
#define ONES 0x0101010101010101ULL
__noinline int str_has_dot(struct thread *t, const struct str_view *name)
{
	u64 word;
	u32 at;

	if (!t || !name || !name->peek_off || name->sz > STR_PEEK_TEXT_SZ)
		return 1;
	for (u32 i = 0; i < STR_PEEK_TEXT_SZ / 8 && i * 8 < name->sz; i++) {
		at = (name->peek_off / 8 + i) & 31;
		if (at >= STR_PEEK_SZ / 8)
			return 1;
		word = t->str_buf[at] ^ DOTS;
		if (name->sz - i * 8 < 8)
			word |= ~0ULL << (name->sz - i * 8) * 8;
		if ((word - ONES) & ~word & ONES << 7)
			return 1;
	}
	return 0;
}

/* Of the @sz bytes in t->str_buf, at most all of it. */
static __always_inline u64 buf_sum(struct thread *t, u32 sz, u64 sum)
{
	u64 word;

	for (u32 i = 0; i < STR_PEEK_SZ / 8; i++) {
		if (i * 8 >= sz)
			break;
		word = t->str_buf[i];
		if (sz - i * 8 < 8) /* what follows is somebody else's */
			word &= (1ULL << (sz - i * 8) * 8) - 1;
		sum = (sum ^ word) * 0x9e3779b97f4a7c15ULL;
		sum ^= sum >> 29;
	}
	return sum;
}

__noinline u64 str_sum(struct thread *t, struct str_view *str)
{
	u32 sz;

	if (!t || !str)
		return 0;
	if (str->hash && str->hash != ~0ULL)
		return str->hash | 1ULL << 63;
	str->peek_off = 0; /* another part of the text takes its place */
	sz = str->sz < STR_PEEK_SZ ? str->sz : STR_PEEK_SZ;
	barrier_var(sz);
	if (sz > STR_PEEK_SZ ||
	    read_mem(t->str_buf, sz, str->data + str->sz - sz))
		sz = 0;
	return buf_sum(t, sz, str->sz) | 1;
}

__noinline u64 bytes_sum(struct thread *t, const struct pyi_layout *lay, u64 obj, u64 sum)
{
	u64 sz;
	u32 cnt;

	if (!t || !lay)
		return 0;
	sz = read_ptr(obj + lay->bytes_size);
	cnt = sz < STR_PEEK_SZ ? sz : STR_PEEK_SZ;
	barrier_var(cnt);
	if (cnt > STR_PEEK_SZ ||
	    read_mem(t->str_buf, cnt, obj + lay->bytes_data))
		cnt = 0;
	return buf_sum(t, cnt, sum + sz);
}

/* First 8 bytes of an ASCII str as a number, to compare short names; 0 if there are none. */
__noinline u64 str_word(const struct pyi_layout *lay, u64 obj, u32 *chars)
{
	struct str_view str = {};
	u64 word = 0;

	if (!chars)
		return 0;
	*chars = 0;
	if (str_view(lay, obj, &str) || !str.is_ascii) /* inline: calls nest at most 8 deep */
		return 0;
	*chars = str.chars;
	/* ASCII data is NUL-terminated, so a shorter one is read with what follows and masked. */
	read_mem(&word, sizeof(word), str.data);
	if (str.chars < 8)
		word &= (1ULL << (8 * (str.chars & 7))) - 1;
	return word;
}

/*
 * Entries of a dict in insertion order. Module dicts start with __name__, __doc__, __package__ in
 * every version (Objects/moduleobject.c, module_init_dict). *step is the size of an entry, the
 * key stands at the address returned, the value behind it.
 */
#define KEYS_AT(off) (*(u64 *)((char *)t->dict_buf + ((off) & 56)))
static __always_inline u64 dict_entries(struct thread *t, const struct pyi_layout *lay, u64 dict,
					u32 *step, u64 *cnt)
{
	u64 keys, size, head;
	u32 width;

	if (lay->dict_keys < 0)
		return 0;
	keys = read_ptr(dict + lay->dict_keys);
	/* All that stands before the indices; the last is the number of entries ever used. */
	if (!keys || read_mem(t->dict_buf, sizeof(u64) * 5, keys))
		return 0;
	*cnt = KEYS_AT(lay->keys_indices - 8);
	if (lay->keys_log2_size < 0) { /* up to 3.10: index width follows from the size */
		size = KEYS_AT(lay->keys_size);
		if (!size || size > (1U << 24))
			return 0;
		width = size <= 0xff ? 1 : size <= 0xffff ? 2 : 4;
		*step = 24;
		return keys + lay->keys_indices + size * width + 8;
	}
	head = KEYS_AT(lay->keys_log2_size); /* bytes: size, index bytes, kind, version */
	width = head >> 8 * (lay->keys_log2_index_bytes - lay->keys_log2_size) & 0xff;
	if (width > 26)
		return 0;
	/* All keys are str: no hash stored. */
	if ((head >> 8 * (lay->keys_kind - lay->keys_log2_size) & 0xff) == 1) {
		*step = 16;
		return keys + lay->keys_indices + (1ULL << width);
	}
	*step = 24;
	return keys + lay->keys_indices + (1ULL << width) + 8;
}

/* Is @key the name of one of the two values? Fills it in. */
static __always_inline void take_name(struct thread *t, const struct pyi_layout *lay, u64 key,
				      u64 value, struct module_names *out)
{
	u32 chars = 0;
	u64 word;

	if (key != t->name_key && key != t->package_key) {
		if (!key || (t->name_key && t->package_key))
			return;
		word = str_word(lay, key, &chars);
		if (chars == 8 && word == WORD8('_', '_', 'n', 'a', 'm', 'e', '_', '_'))
			t->name_key = key;
		else if (chars == 11 && word == WORD8('_', '_', 'p', 'a', 'c', 'k', 'a', 'g'))
			t->package_key = key;
	}
	if (key == t->name_key)
		out->name = value;
	else if (key == t->package_key)
		out->package = value;
}

/* Three entries at most, with nothing behind the last of all: that may not be mapped. */
static __always_inline int entries_read(struct thread *t, u64 entry, u64 all_sz, u32 step)
{
	u32 sz = all_sz < 3 * step ? all_sz : 3 * step;

	barrier_var(sz);
	return sz && sz <= sizeof(t->dict_buf) ? read_mem(t->dict_buf, sz, entry) : -1;
}

/*
 * Values of __name__ and __package__, which stand among the first six entries, and in a module
 * among the first three. The keys are interned: known after the first dict of an interpreter.
 */
__noinline int globals_names(struct thread *t, const struct pyi_layout *lay, u64 dict,
			     struct module_names *out)
{
	u32 step = 0;
	u64 entry, cnt = 0, *at;

	if (!t || !lay || !out)
		return 0;
	out->name = out->package = 0;
	entry = dict ? dict_entries(t, lay, dict, &step, &cnt) : 0;
	if (!entry)
		return 0;
	for (u32 half = 0; half < 2; half++, entry += 3 * step) {
		if (3 * half >= cnt)
			return 0;
		if (bpf_probe_read_user(t->dict_buf, sizeof(t->dict_buf), (void *)entry) &&
		    entries_read(t, entry, (cnt - 3 * half) * step, step))
			return 0;
		if (!half && t->dict_buf[0] != t->name_key) /* another interpreter's */
			t->name_key = t->package_key = 0;
		for (u32 i = 0; i < 3; i++) {
			if (3 * half + i >= cnt) /* what lies there is of an earlier dict */
				return 0;
			at = &t->dict_buf[step == 16 ? 2 * i : 3 * i];
			take_name(t, lay, at[0], at[1], out);
		}
		if (out->name && out->package)
			return 0;
	}
	return 0;
}

/*
 * A thread that runs several interpreters has a state in each. The one that runs now is known by
 * its frame, or by its frame's globals; 0 = any will do. FRAME_ANY: that has a frame. States come
 * and go while the list is walked; who finds none counts that.
 */
#define FRAME_ANY 1
static __always_inline bool is_running(const struct pyi_layout *lay, u64 ts, u64 frame,
				       u64 globals)
{
	u64 addr;

	if (!is_thread(lay, ts, thread_pointer()))
		return false;
	if (!frame && !globals)
		return true;
	addr = tstate_frame(lay, ts);
	if (frame)
		return frame == FRAME_ANY ? addr : addr == frame;
	return addr && peek_ptr(addr + lay->frame_globals) == globals;
}

/*
 * Loops are cut in three, blocks of a function's loop in another's: the verifier walks each once,
 * 8 + 64 + 64 rounds instead of 32,768. Few in the innermost, which has the most ways through it.
 */
#define TSTATE_BLOCK 8
#define TSTATE_BLOCKS 64
__noinline u64 tstate_find_block(struct thread *t, const struct pyi_layout *lay, u64 frame,
				 u64 globals)
{
	u64 ts;

	if (!t || !lay)
		return 0;
	ts = t->walk;
	for (int i = 0; i < TSTATE_BLOCK && ts; i++) {
		if (is_running(lay, ts, frame, globals))
			return ts;
		ts = peek_ptr(ts + lay->thread_next);
	}
	t->walk = ts;
	return 0;
}

__noinline u64 tstate_find_blocks(struct thread *t, const struct pyi_layout *lay, u64 frame,
				  u64 globals)
{
	u64 ts;

	if (!t || !lay)
		return 0;
	for (int i = 0; i < TSTATE_BLOCKS && t->walk; i++) {
		ts = tstate_find_block(t, lay, frame, globals);
		if (ts)
			return ts;
	}
	return 0;
}

/* Among the threads of one interpreter. */
__noinline u64 tstate_find_in(struct thread *t, const struct pyi_layout *lay, u64 interp,
			      u64 frame, u64 globals)
{
	u64 ts;

	if (!t || !lay)
		return 0;
	t->walk = peek_ptr(interp + lay->interp_threads_head);
	for (int i = 0; i < TSTATE_BLOCKS && t->walk; i++) {
		ts = tstate_find_blocks(t, lay, frame, globals);
		if (ts)
			return ts;
	}
	return 0;
}

static __always_inline u64 interp_first(const struct thread *t, const struct pyi_layout *lay)
{
	if (!lay->runtime_addr || lay->thread_id < 0)
		return 0;
	return read_ptr(lay->runtime_addr + t->bias + lay->runtime_interp_head);
}

/* The state of the running thread. */
__noinline u64 tstate_find(struct thread *t, const struct pyi_layout *lay, u64 frame, u64 globals)
{
	u64 interp, ts;

	if (!t || !lay)
		return 0;
	interp = interp_first(t, lay);
	for (int i = 0; i < 32 && interp; i++) {
		ts = tstate_find_in(t, lay, interp, frame, globals);
		if (ts) {
			t->interp = interp;
			return ts;
		}
		interp = peek_ptr(interp + lay->interp_next);
	}
	return 0;
}

__noinline int tstate_switch(struct thread *t, const struct pyi_layout *lay, u64 frame,
			     u64 globals)
{
	u64 interp, ts;

	if (!t || !lay || !t->tstate)
		return 0;
	interp = interp_first(t, lay);
	if (!interp || (interp == t->interp && !read_ptr(interp + lay->interp_next)))
		return 0; /* there is but one */
	ts = tstate_find(t, lay, frame, globals);
	if (!ts)
		return 0;
	t->tstate = ts;
	return 1;
}

__noinline u64 frame_now(struct thread *t, const struct pyi_layout *lay)
{
	u64 frame, found;
	bool is_ours;

	if (!t || !lay)
		return 0;
	is_ours = t->tstate && is_thread(lay, t->tstate, thread_pointer());
	frame = is_ours ? tstate_frame(lay, t->tstate) : 0;
	if (frame)
		return frame;
	found = tstate_find(t, lay, FRAME_ANY, 0);
	if (!found && is_ours) /* C code imports: no other state of ours is better */
		return 0;
	t->tstate = found ?: tstate_find(t, lay, 0, 0);
	if (!t->tstate) {
		count_loss(no_thread);
		return 0;
	}
	return tstate_frame(lay, t->tstate);
}
