// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that wait for another thread's import of the same module. importlib has a lock for each
 * module that is being loaded. `import` of one that stands in sys.modules already waits for it in
 * _lock_unlock_module, import_module() in _find_and_load. That is Python code, which nearly always
 * finds the lock free: a probe would be hit by every import inside a package that is being loaded
 * (738 times where pandas is). So the scheduler tells: who blocks on a lock for as long as it
 * takes, and is in _ModuleLock.acquire, is such a thread. Whether another one loads the module is
 * for the model to say.
 */
#include "causes/import_wait.bpf.h"
#include "python/python.bpf.h"

#define FRAMES_MAX 6   /* acquire, __enter__, _find_and_load, _gcd_import; the evaluator's */
#define BLOCKED_MAX 32 /* since the last hit: some wait for locks all day */

enum lock_frame { LOCK_OTHER, LOCK_ACQUIRE, LOCK_ENTER, LOCK_UNLOCK, LOCK_LOAD, LOCK_GCD };

static __always_inline u32 lock_frame(const struct pyi_layout *lay, const struct pyframe *frame)
{
	u32 chars = 0;
	u64 word = str_word(lay, peek_ptr(frame->code + lay->code_name), &chars);

	if (word == WORD8('a', 'c', 'q', 'u', 'i', 'r', 'e', 0))
		return LOCK_ACQUIRE;
	if (word == WORD8('_', '_', 'e', 'n', 't', 'e', 'r', '_') && chars == 9)
		return LOCK_ENTER;
	if (word == WORD8('_', 'l', 'o', 'c', 'k', '_', 'u', 'n') && chars == 19)
		return LOCK_UNLOCK;
	if (word == WORD8('_', 'f', 'i', 'n', 'd', '_', 'a', 'n') && chars == 14)
		return LOCK_LOAD;
	if (word == WORD8('_', 'g', 'c', 'd', '_', 'i', 'm', 'p') && chars == 11)
		return LOCK_GCD;
	return LOCK_OTHER;
}

/* The name of the module whose lock is asked for by @addr's frame and its callers, 0 = none. */
__noinline u64 lock_module(struct thread *t, const struct pyi_layout *lay, u64 addr)
{
	struct pyframe *frame;
	u32 kind, callee = LOCK_OTHER;
	u64 name = 0;

	if (!t || !lay)
		return 0;
	frame = &t->scratch.frame;
	for (int i = 0; i < FRAMES_MAX && !frame_peek(t, lay, addr, frame); i++) {
		addr = frame->back;
		if (frame_is_shim(t, lay))
			continue;
		kind = lock_frame(lay, frame);
		if (kind == LOCK_UNLOCK || kind == LOCK_LOAD)
			name = first_arg(lay, frame);
		if (kind == LOCK_UNLOCK)
			return callee == LOCK_ACQUIRE ? name : 0;
		if (kind == LOCK_GCD) /* under the import function the load has its span */
			return callee == LOCK_LOAD ? name : 0;
		if (kind == LOCK_OTHER || (kind == LOCK_ACQUIRE) != (callee == LOCK_OTHER))
			return 0;
		callee = kind;
	}
	return 0;
}

static __always_inline void fill_wait(struct thread *t, struct pyi_begin *rec, u32 max, u32 id,
				      u32 parent, u64 now)
{
	u32 flags = 0;

	fill_thread_hdr(t, &rec->hdr, PYI_EV_BEGIN, sizeof(*rec) + max);
	rec->hdr.ts_ns = now;
	rec->id = id;
	rec->parent = parent;
	rec->span = PYI_SPAN_FIND;
	rec->via = PYI_VIA_WAIT;
	rec->pad = 0;
	rec->edge = rec->code = 0;
	rec->globals = 0;
	rec->frame = (struct pyi_frame){ 0, -1 };
	rec->interp = t->interp >> 4;
	rec->spent = t->spent;
	str_copy(t, &t->scratch.begin_name, rec->text, max, &rec->name, &flags);
	rec->hdr.flags = flags;
}

#define EMIT_WAIT(max)                                                                            \
	do {                                                                                      \
		rec = bpf_ringbuf_reserve(&events, sizeof(*rec) + (max), 0);                      \
		if (!rec) {                                                                       \
			count_loss(ring_full);                                                    \
			return 0;                                                                 \
		}                                                                                 \
		fill_wait(t, rec, (max), id, parent, now);                                         \
		bpf_ringbuf_submit(rec, BPF_RB_NO_WAKEUP);                                        \
	} while (0)

__noinline u32 emit_wait(struct thread *t, const struct pyi_layout *lay, u64 name, u32 parent,
			 u64 now)
{
	struct pyi_begin *rec;
	struct str_view *str;
	u32 id;

	if (!t || !lay)
		return 0;
	str = &t->scratch.begin_name;
	if (str_load(t, lay, name, str))
		return 0;
	id = new_id();
	if (str->sz <= PYI_STR_SMALL)
		EMIT_WAIT(PYI_STR_SMALL);
	else
		EMIT_WAIT(PYI_STR_LARGE);
	return id;
}

/* The scratch is free: a thread in a system call is not in a hit. */
__hidden u32 import_wait_begin(struct task_struct *task, const struct account *account, u64 now)
{
	struct thread *t = bpf_task_storage_get(&threads, task, NULL, 0);
	const struct pyi_layout *lay;
	u64 name;
	u32 index, top = account->span;

	if (!t || !t->serial || t->serial != account->serial || !t->tstate)
		return 0;
	if (t->blocked_at != t->now) {
		t->blocked_at = t->now;
		t->blocked_cnt = 0;
	}
	if (t->blocked_cnt++ >= BLOCKED_MAX)
		return 0;
	index = t->layout;
	lay = bpf_map_lookup_elem(&layouts, &index);
	if (!lay || lay->frame_locals < 0 || lay->code_name < 0 ||
	    !is_thread(lay, t->tstate, thread_pointer()))
		return 0;
	name = lock_module(t, lay, tstate_frame(lay, t->tstate));
	if (top == PYI_OUTSIDE_MAIN || top == PYI_OUTSIDE_OTHERS)
		top = 0;
	return name ? emit_wait(t, lay, name, top, now) : 0;
}

__hidden void import_wait_end(struct task_struct *task, u32 id, u64 now)
{
	struct thread *t = bpf_task_storage_get(&threads, task, NULL, 0);
	struct pyi_end *rec;

	if (!t)
		return;
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec) {
		count_loss(ring_full);
		return;
	}
	fill_thread_hdr(t, &rec->hdr, PYI_EV_END, sizeof(*rec));
	rec->hdr.ts_ns = now;
	rec->id = id;
	rec->span = PYI_SPAN_FIND;
	rec->failed = 0;
	rec->pad = 0;
	__builtin_memset(rec->error, 0, sizeof(rec->error));
	rec->spent = t->spent;
	bpf_ringbuf_submit(rec, BPF_RB_NO_WAKEUP);
}
