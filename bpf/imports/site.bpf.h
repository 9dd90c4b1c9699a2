/* SPDX-License-Identifier: GPL-2.0-only */
/* What a handler of a probe site is given: the hit, its registers. */
#ifndef BPF_IMPORTS_SITE_BPF_H
#define BPF_IMPORTS_SITE_BPF_H

#include "python/code.bpf.h"
#include "imports/span.bpf.h"

struct hit {
	struct thread *t;
	struct proc *proc; /* may be NULL on the fast path */
	const struct pyi_layout *lay;
	const struct pyi_site *site;
	u64 sp;
};

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

#define REG_HOLDS(name, field)                                                                     \
	if (ctx->field == value)                                                                  \
		return PYI_REG_##name

/* The register that holds @value, of those that a function keeps for its caller. */
static __always_inline u8 reg_holding(struct pt_regs *ctx, u64 value)
{
#if defined(__TARGET_ARCH_x86)
	REG_HOLDS(BX, bx);
	REG_HOLDS(BP, bp);
	REG_HOLDS(R12, r12);
	REG_HOLDS(R13, r13);
	REG_HOLDS(R14, r14);
	REG_HOLDS(R15, r15);
#elif defined(__TARGET_ARCH_arm64)
	REG_HOLDS(X0 + 19, user_regs.regs[19]);
	REG_HOLDS(X0 + 20, user_regs.regs[20]);
	REG_HOLDS(X0 + 21, user_regs.regs[21]);
	REG_HOLDS(X0 + 22, user_regs.regs[22]);
	REG_HOLDS(X0 + 23, user_regs.regs[23]);
	REG_HOLDS(X0 + 24, user_regs.regs[24]);
	REG_HOLDS(X0 + 25, user_regs.regs[25]);
	REG_HOLDS(X0 + 26, user_regs.regs[26]);
	REG_HOLDS(X0 + 27, user_regs.regs[27]);
	REG_HOLDS(X0 + 28, user_regs.regs[28]);
#endif
	return PYI_REG_NONE;
}

static __always_inline u64 current_frame(struct hit *h)
{
	return frame_now(h->t, h->lay);
}

/* Calls nest at most 8 deep: what can be is called from the site itself, not by span_begin. */
static __always_inline u32 begin_span(struct hit *h, const struct begin_args *args)
{
	u32 id;

	if (!h->t->is_switching && h->t->depth)
		sweep(h->t, h->lay, args->sp, args->pyframe, args->now);
	id = span_begin(h->t, h->lay, args);
	if (id && args->want_frames)
		emit_frames(h->t, h->lay, args->pyframe, id);
	return id;
}

/* greenlet, gevent's copies of it, and whatever else carries the word in its file name */
int is_greenlet_path(struct thread *t, u64 path);

#endif
