// SPDX-License-Identifier: GPL-2.0-only
/* import_module() and reload(): begin and end of the lock that every load takes. */
#include "imports/lock.bpf.h"

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
		if (chars == 19 && word == WORD8('_', 'l', 'o', 'c', 'k', '_', 'u', 'n'))
			t->unlock_code = frame->code;
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
