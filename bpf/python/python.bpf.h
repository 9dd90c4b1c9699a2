/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading CPython's objects from a probed thread: strings, dicts, frames, thread states. Every
 * offset comes from struct pyi_layout. Reads never fault the target: a page that is not there
 * makes the read fail, and the caller goes on without that fact. What is read_…() is counted then,
 * as something will be unknown. What is peek_…() is not: it looks at what may be gone, and the
 * caller says what it does then.
 */
#ifndef BPF_PYTHON_PYTHON_BPF_H
#define BPF_PYTHON_PYTHON_BPF_H

#include "core/core.bpf.h"

/* 0, or -1 with zeros in @dst. */
static __always_inline int read_mem(void *dst, u32 sz, u64 addr)
{
	if (!bpf_probe_read_user(dst, sz, (void *)addr))
		return 0;
	count_loss(unreadable);
	return -1;
}

static __always_inline u64 read_ptr(u64 addr)
{
	u64 value = 0;

	read_mem(&value, sizeof(value), addr);
	return value;
}

static __always_inline u64 peek_ptr(u64 addr)
{
	u64 value = 0;

	bpf_probe_read_user(&value, sizeof(value), (void *)addr);
	return value;
}

static __always_inline u32 read_u32(u64 addr)
{
	u32 value = 0;

	read_mem(&value, sizeof(value), addr);
	return value;
}

/* length, hash and state of a str lie side by side in every version. 0, or -1 if not a str. */
struct str_head {
	u64 length, hash;
	u32 state, pad;
};

static __always_inline int str_parse(const struct pyi_layout *lay, u64 obj,
				     const struct str_head *head, struct str_view *str)
{
	u32 kind = (head->state >> lay->str_kind_shift) & 7;

	if ((kind != 1 && kind != 2 && kind != 4) ||
	    !((head->state >> lay->str_compact_shift) & 1) || head->length > (1 << 20))
		return -1;
	str->kind = kind;
	str->is_ascii = (head->state >> lay->str_ascii_shift) & 1;
	str->is_interned = head->state & 3;
	str->chars = head->length;
	str->sz = head->length * kind;
	str->hash = head->hash;
	str->data = obj + (str->is_ascii ? lay->str_ascii_data : lay->str_compact_data);
	str->peek_off = 0;
	return 0;
}

static __always_inline int str_view(const struct pyi_layout *lay, u64 obj, struct str_view *str)
{
	struct str_head head = {};

	if (!lay || !str || !obj || lay->str_length < 0)
		return -1;
	if (read_mem(&head, sizeof(head), obj + lay->str_length))
		return -1;
	return str_parse(lay, obj, &head, str);
}

int str_open(const struct pyi_layout *lay, u64 obj, struct str_view *str);

/* The same, with the text if it is short: to be copied before the next call. */
int str_load(struct thread *t, const struct pyi_layout *lay, u64 obj, struct str_view *str);

/* Is there a dot in what str_load has just read, or may there be one? */
int str_has_dot(struct thread *t, const struct str_view *name);

/* What __hash__ of a str gives; no str is known by it before it has been asked for it. */
static __always_inline u64 str_hash(const struct pyi_layout *lay, u64 obj)
{
	return read_ptr(obj + lay->str_length + sizeof(u64));
}

/* Copies at most @max bytes to @dst and describes them in @out; with @flags, counts a cut. */
static __always_inline void str_copy(struct thread *t, const struct str_view *str, char *dst,
				     u32 max, struct pyi_str *out, u32 *flags)
{
	u32 sz = str->sz, off = str->peek_off;
	long err;

	out->kind = str->kind;
	out->is_ascii = str->is_ascii;
	out->full_chars = str->chars;
	out->sz = 0;
	if (sz > max) {
		sz = max;
		if (flags) {
			*flags |= PYI_F_TRUNC;
			count_loss(names_truncated);
		}
	}
	barrier_var(sz);
	barrier_var(off);
	if (!sz)
		return;
	if (off && off <= 64 && sz <= STR_PEEK_TEXT_SZ && sz <= max)
		err = bpf_probe_read_kernel(dst, sz, (char *)t->str_buf + off);
	else if (sz <= max)
		err = bpf_probe_read_user(dst, sz, (void *)str->data);
	else
		return;
	if (err) {
		if (flags)
			*flags |= PYI_F_UNREADABLE;
		count_loss(unreadable);
		return;
	}
	out->sz = sz;
}

/* The str at @obj, or an empty one; @str is room to work in. */
static __always_inline void str_read(struct thread *t, const struct pyi_layout *lay, u64 obj,
				     char *dst, u32 max, struct pyi_str *out, u32 *flags,
				     struct str_view *str)
{
	*out = (struct pyi_str){};
	if (obj && !str_load(t, lay, obj, str))
		str_copy(t, str, dst, max, out, flags);
}

/*
 * What a str that str_load or str_open has just described says, in 64 bits: its own hash or, before
 * it has one, a sum of its end. Never 0.
 */
u64 str_sum(struct thread *t, struct str_view *str);

/* The same of the beginning of a bytes object, on top of @sum. */
u64 bytes_sum(struct thread *t, const struct pyi_layout *lay, u64 obj, u64 sum);

/* First 8 bytes of an ASCII str as a number, to compare short names; 0 if there are none. */
u64 str_word(const struct pyi_layout *lay, u64 obj, u32 *chars);

/*
 * Functions without `static` are verified once on their own, not once per path that calls them.
 * They take scalars and whole structs only, at most five.
 */
#define WORD8(a, b, c, d, e, f, g, h)                                                             \
	((u64)(a) | (u64)(b) << 8 | (u64)(c) << 16 | (u64)(d) << 24 | (u64)(e) << 32 |            \
	 (u64)(f) << 40 | (u64)(g) << 48 | (u64)(h) << 56)

int globals_names(struct thread *t, const struct pyi_layout *lay, u64 dict,
		  struct module_names *out);

#define FRAME_MIN_SZ 80
#define FRAME_AT(buf, off, type) (*(type *)((char *)(buf) + ((off) & (FRAME_BUF_SZ - 8))))

/* Takes the fields from t->frame_buf. */
static __always_inline void frame_parse(struct thread *t, const struct pyi_layout *lay, u64 addr,
					struct pyframe *frame)
{
	frame->addr = addr;
	frame->code = FRAME_AT(t->frame_buf, lay->frame_code, u64) & lay->code_mask;
	frame->globals = FRAME_AT(t->frame_buf, lay->frame_globals, u64);
	frame->back = FRAME_AT(t->frame_buf, lay->frame_back, u64);
	if (lay->lasti_is_ptr)
		frame->instr = FRAME_AT(t->frame_buf, lay->frame_lasti, u64);
	else
		frame->instr = frame->code + FRAME_AT(t->frame_buf, lay->frame_lasti & ~3, u32);
}

/* The frame at @addr, if there is one: it may have gone. */
static __always_inline int frame_peek(struct thread *t, const struct pyi_layout *lay, u64 addr,
				      struct pyframe *frame)
{
	/* A frame of 3.11+ is at least 80 bytes; older ones are objects of more than 128. */
	u32 sz = lay->lasti_is_ptr ? FRAME_MIN_SZ : FRAME_BUF_SZ;

	frame->addr = 0;
	if (!addr || lay->frame_code < 0)
		return -1;
	if (bpf_probe_read_user(t->frame_buf, sz, (void *)addr))
		return -1;
	frame_parse(t, lay, addr, frame);
	return 0;
}

/* The same of one that runs or waits for another. */
static __always_inline int frame_read(struct thread *t, const struct pyi_layout *lay, u64 addr,
				      struct pyframe *frame)
{
	if (!frame_peek(t, lay, addr, frame))
		return 0;
	if (addr && lay->frame_code >= 0)
		count_loss(unreadable);
	return -1;
}

/* Is the frame last read one of the evaluator's own (C stack, interpreter), not a function's? */
static __always_inline bool frame_is_shim(struct thread *t, const struct pyi_layout *lay)
{
	u32 off = lay->frame_owner;

	if (!lay->owner_skip_min || lay->frame_owner < 0)
		return false;
	return ((u8 *)t->frame_buf)[off & (FRAME_BUF_SZ - 1)] >= lay->owner_skip_min;
}

/*
 * Reads the frame at @addr or the nearest real one behind it. Two of the evaluator's own in a row
 * are the bottom of the stack (3.15 keeps one in the thread state for those who read it).
 */
static __always_inline int frame_read_real(struct thread *t, const struct pyi_layout *lay,
					   u64 addr, struct pyframe *frame)
{
	if (frame_read(t, lay, addr, frame))
		return -1;
	if (!frame_is_shim(t, lay))
		return 0;
	return frame_read(t, lay, frame->back, frame) || frame_is_shim(t, lay) ? -1 : 0;
}

/* First local variable of a frame: its function's first argument. */
static __always_inline u64 first_arg(const struct pyi_layout *lay, const struct pyframe *frame)
{
	return read_ptr(frame->addr + lay->frame_locals) & lay->code_mask; /* 3.14+: tagged */
}

/* Byte offset of the running instruction in the code's bytecode, -1 = unknown. */
static __always_inline s32 frame_lasti(const struct pyi_layout *lay, const struct pyframe *frame)
{
	u64 base = frame->code + lay->code_code;
	s64 off;

	if (!lay->lasti_is_ptr)
		return (s32)(frame->instr - frame->code) * lay->lasti_scale;
	if (lay->code_tlbc >= 0) { /* free-threaded 3.14+: every thread has its own copy */
		u64 array = read_ptr(frame->code + lay->code_tlbc);
		u32 index = read_u32(frame->addr + lay->frame_tlbc_index);

		if (array && index < 4096)
			base = read_ptr(array + 8 + 8ULL * index);
	}
	off = frame->instr - base;
	return off >= 0 && off < (1 << 24) ? off : -1;
}

/* The user's thread pointer. 0 on arm64: as before the first switch away from a fresh image. */
static __always_inline u64 thread_pointer(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();

#if defined(__TARGET_ARCH_x86)
	return task->thread.fsbase;
#elif defined(__TARGET_ARCH_arm64)
	return task->thread.uw.tp_value;
#endif
}

/*
 * Is the thread state @ts that of the thread with the pointer @tp? Its thread_id is pthread_self(),
 * which is the thread pointer itself on x86. On arm64 libc's descriptor lies right below it; with
 * none known yet it is the first thread, the last of the list. The state may have been freed:
 * another is looked for then, and who finds none counts that.
 */
static __always_inline bool is_thread(const struct pyi_layout *lay, u64 ts, u64 tp)
{
#if defined(__TARGET_ARCH_arm64)
	if (!tp)
		return !peek_ptr(ts + lay->thread_next);
	return tp - peek_ptr(ts + lay->thread_id) < 4096;
#else
	return tp && peek_ptr(ts + lay->thread_id) == tp;
#endif
}

/*
 * Makes the state t->tstate in which the running thread is at @frame or, if that is 0, at a frame
 * with these globals: the thread has begun to run another interpreter. 0: none is, all stays.
 */
int tstate_switch(struct thread *t, const struct pyi_layout *lay, u64 frame, u64 globals);

/* Address of the frame that runs on a thread state, 0 = none, or the state has gone. */
static __always_inline u64 tstate_frame(const struct pyi_layout *lay, u64 tstate)
{
	u64 addr;

	if (lay->thread_cframe >= 0) { /* 3.11, 3.12 */
		addr = peek_ptr(tstate + lay->thread_cframe);
		return addr ? peek_ptr(addr + lay->cframe_frame) : 0;
	}
	return lay->thread_frame >= 0 ? peek_ptr(tstate + lay->thread_frame) : 0;
}

/*
 * The frame that runs, 0 = none. The thread's state is looked up once per thread; a cached one must
 * still be this thread's, and have a frame: the interpreter of one that has none may have ended.
 */
u64 frame_now(struct thread *t, const struct pyi_layout *lay);

#endif
