// SPDX-License-Identifier: GPL-2.0-only
/* What reads CPython's objects in loops, each function verified once. */
#include "python.bpf.h"

__noinline int str_open(const struct pyi_layout *lay, u64 obj, struct str_view *str)
{
	return str_view(lay, obj, str);
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
	bpf_probe_read_user(&word, sizeof(word), (void *)str.data);
	if (str.chars < 8)
		word &= (1ULL << (8 * (str.chars & 7))) - 1;
	return word;
}

/*
 * Entries of a dict in insertion order. Module dicts start with __name__, __doc__, __package__ in
 * every version (Objects/moduleobject.c, module_init_dict). *step is the size of an entry, the
 * key stands at the address returned, the value behind it.
 */
static __always_inline u64 dict_entries(const struct pyi_layout *lay, u64 dict, u32 *step)
{
	u64 keys, size;
	u32 width;

	if (lay->dict_keys < 0)
		return 0;
	keys = read_ptr(dict + lay->dict_keys);
	if (!keys)
		return 0;
	if (lay->keys_log2_size < 0) { /* up to 3.10: index width follows from the size */
		size = read_ptr(keys + lay->keys_size);
		if (!size || size > (1U << 24))
			return 0;
		width = size <= 0xff ? 1 : size <= 0xffff ? 2 : 4;
		*step = 24;
		return keys + lay->keys_indices + size * width + 8;
	}
	width = read_u8(keys + lay->keys_log2_index_bytes);
	if (width > 26)
		return 0;
	if (read_u8(keys + lay->keys_kind) == 1) { /* all keys are str: no hash stored */
		*step = 16;
		return keys + lay->keys_indices + (1ULL << width);
	}
	*step = 24;
	return keys + lay->keys_indices + (1ULL << width) + 8;
}

__noinline int globals_names(const struct pyi_layout *lay, u64 dict, struct module_names *out)
{
	u64 pair[2], word, entry;
	u32 step = 0, chars = 0;

	if (!lay || !out)
		return 0;
	out->name = out->package = 0;
	entry = dict_entries(lay, dict, &step);
	if (!entry)
		return 0;
	for (int i = 0; i < 6; i++, entry += step) {
		if (bpf_probe_read_user(pair, sizeof(pair), (void *)entry))
			return 0;
		if (!pair[0])
			continue;
		word = str_word(lay, pair[0], &chars);
		if (chars == 8 && word == WORD8('_', '_', 'n', 'a', 'm', 'e', '_', '_'))
			out->name = pair[1];
		else if (chars == 11 && word == WORD8('_', '_', 'p', 'a', 'c', 'k', 'a', 'g'))
			out->package = pair[1];
		if (out->name && out->package)
			return 0;
	}
	return 0;
}

/*
 * Loops are cut in two, blocks of a function's loop in another's: the verifier walks each once,
 * 32 + 32 rounds instead of 1,024.
 */
__noinline u64 tstate_find_block(struct thread *t, const struct pyi_layout *lay, u64 self)
{
	u64 ts;

	if (!t || !lay)
		return 0;
	ts = t->walk;
	for (int i = 0; i < 32 && ts; i++) {
		if (is_thread(lay, ts, self))
			return ts;
		ts = read_ptr(ts + lay->thread_next);
	}
	t->walk = ts;
	return 0;
}

/* Among the threads of one interpreter. */
__noinline u64 tstate_find_in(struct thread *t, const struct pyi_layout *lay, u64 interp, u64 self)
{
	u64 ts;

	if (!t || !lay)
		return 0;
	t->walk = read_ptr(interp + lay->interp_threads_head);
	for (int i = 0; i < 32 && t->walk; i++) {
		ts = tstate_find_block(t, lay, self);
		if (ts)
			return ts;
	}
	return 0;
}

/* The thread state of the running thread. */
__noinline u64 tstate_find(struct thread *t, const struct pyi_layout *lay, u64 bias)
{
	u64 self = thread_pointer(), interp, ts;

	if (!t || !lay || !lay->runtime_addr || lay->thread_id < 0)
		return 0;
	interp = read_ptr(lay->runtime_addr + bias + lay->runtime_interp_head);
	for (int i = 0; i < 32 && interp; i++) {
		ts = tstate_find_in(t, lay, interp, self);
		if (ts) {
			t->interp = interp;
			return ts;
		}
		interp = read_ptr(interp + lay->interp_next);
	}
	return 0;
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
