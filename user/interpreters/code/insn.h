/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One decoded instruction in terms every architecture has, and the table of functions an
 * architecture supplies. All knowledge of opcodes is behind it. Private to user/interpreters.
 */
#ifndef INTERPRETERS_CODE_INSN_H
#define INTERPRETERS_CODE_INSN_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

enum insn_kind {
	INSN_OTHER,
	INSN_CALL,     /* direct: target */
	INSN_JMP,      /* direct, unconditional: target */
	INSN_JCC,      /* direct, conditional: target */
	INSN_RET,
	INSN_CALL_IND, /* through memory (slot) or a register */
	INSN_JMP_IND,
	INSN_TRAP,     /* execution does not go on here: ud2, hlt, int3 */
};

/* Registers are numbered as in enum pyi_reg; a mask has bit 1ull << number. */
struct insn {
	__u64 addr;
	__u64 target; /* direct call or jump */
	__u64 slot;   /* memory the indirect call or jump reads, if its address is fixed */
	__u64 ref;    /* address this instruction computes or loads from, relative to ref_base */
	__u64 writes; /* registers changed; a call's clobbers are not listed */
	enum insn_kind kind;
	__u8 size;
	__u8 copy_from, copy_to; /* plain register copy of the whole value, else 0 */
	__u8 ref_reg;           /* register that receives ref or what lies there, 0 = none */
	__u8 ref_base;          /* register to add to ref, 0 = ref is the address itself */
	bool is_copy_32;        /* copies the low half only: enough for an int */
	bool is_emulated;       /* a uprobe here needs no single step */
	bool is_sp_lost;        /* the stack pointer changes by an unknown amount */
	bool is_landing;        /* endbr64 and the like: a no-op that marks an entry */
	bool is_load;           /* ref is read from, not computed */
	__s32 sp_change;
	char text[64];
};

struct insn_arch {
	__u8 result_reg;
	__u8 arg_regs[6];
	__u8 return_sz;      /* what a call leaves on the stack, bytes */
	__u64 saved_regs;    /* mask of those a callee preserves */
	__u64 readable_regs; /* mask of those that BPF reads at a site (reg_value) */
	int (*open)(void **decoder);
	void (*close)(void *decoder);
	/* False: not an instruction. `want_text` fills insn.text. */
	bool (*decode)(void *decoder, const unsigned char *code, size_t sz, __u64 addr,
		       bool want_text, struct insn *out);
	/*
	 * Calls back for every byte position that may be a direct branch (dest = its target) or
	 * an indirect one through fixed memory (is_slot, dest = the slot). Boundaries are not
	 * checked: most hits in data-like bytes are false.
	 */
	void (*scan)(const unsigned char *code, size_t sz, __u64 addr,
		     void (*fn)(void *ctx, __u64 at, __u64 dest, bool is_slot), void *ctx);
	/* How many of the `sz` bytes in front of a PLT stub's jump belong to the stub. */
	size_t (*stub_lead)(const unsigned char *before, size_t sz);
};

extern const struct insn_arch insn_arch_x86, insn_arch_arm64;
/* The one of this machine, NULL = not written yet. */
const struct insn_arch *insn_arch_host(void);

#endif
