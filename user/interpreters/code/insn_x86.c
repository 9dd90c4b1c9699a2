// SPDX-License-Identifier: BSD-2-Clause
/*
 * x86-64 for insn.h, by capstone. Knows which instructions the kernel emulates under a uprobe
 * (arch/x86/kernel/uprobes.c: branch_xol_ops and push_xol_ops); the rest is single-stepped, two
 * traps each.
 */
#include <linux/types.h>
#include <stdio.h>
#include <string.h>
#include "interpreters/code/callers.h"
#include "pyimport_layout.h"
#include "interpreters/code/decoder.h"
#include "interpreters/code/insn.h"

#define FAMILY(a, b, c, d, e) [a] = (e), [b] = (e), [c] = (e), [d] = (e)

static const __u8 reg_of[X86_REG_ENDING] = {
	FAMILY(X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL, PYI_REG_AX),
	FAMILY(X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL, PYI_REG_BX),
	FAMILY(X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL, PYI_REG_CX),
	FAMILY(X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL, PYI_REG_DX),
	FAMILY(X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL, PYI_REG_SI),
	FAMILY(X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL, PYI_REG_DI),
	FAMILY(X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL, PYI_REG_BP),
	FAMILY(X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B, PYI_REG_R8),
	FAMILY(X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B, PYI_REG_R9),
	FAMILY(X86_REG_R10, X86_REG_R10D, X86_REG_R10W, X86_REG_R10B, PYI_REG_R10),
	FAMILY(X86_REG_R11, X86_REG_R11D, X86_REG_R11W, X86_REG_R11B, PYI_REG_R11),
	FAMILY(X86_REG_R12, X86_REG_R12D, X86_REG_R12W, X86_REG_R12B, PYI_REG_R12),
	FAMILY(X86_REG_R13, X86_REG_R13D, X86_REG_R13W, X86_REG_R13B, PYI_REG_R13),
	FAMILY(X86_REG_R14, X86_REG_R14D, X86_REG_R14W, X86_REG_R14B, PYI_REG_R14),
	FAMILY(X86_REG_R15, X86_REG_R15D, X86_REG_R15W, X86_REG_R15B, PYI_REG_R15),
	[X86_REG_AH] = PYI_REG_AX, [X86_REG_BH] = PYI_REG_BX,
	[X86_REG_CH] = PYI_REG_CX, [X86_REG_DH] = PYI_REG_DX,
};

static int x86_open(void **out)
{
	return decoder_open(CS_ARCH_X86, CS_MODE_64, out);
}

/*
 * What branch_setup_xol_ops and push_setup_xol_ops accept. An operand-size prefix on a branch or
 * nop makes older kernels refuse the probe altogether, so only bare forms count; 67 in front of
 * a call is what linkers leave of a relaxed indirect call.
 */
static bool is_emulated(const unsigned char *code, size_t sz)
{
	if (code[0] == 0x67 && sz == 6 && code[1] == 0xe8)
		return true;
	switch (code[0]) {
	case 0x90: /* nop */
	case 0xe8: /* call rel32 */
	case 0xe9: case 0xeb: /* jmp */
		return true;
	case 0x41: /* push %r8 ... %r15 */
		return sz == 2 && (code[1] & 0xf8) == 0x50;
	case 0x0f:
		return sz == 6 && (code[1] & 0xf0) == 0x80; /* jcc rel32 */
	}
	return (code[0] & 0xf8) == 0x50 || /* push %rax ... %rdi */
	       (code[0] & 0xf0) == 0x70;   /* jcc rel8 */
}

/* Fixed address of a memory operand: rip-relative or absolute. 0 = depends on a register. */
static __u64 fixed_addr(const cs_insn *insn, const cs_x86_op *op)
{
	if (op->type != X86_OP_MEM || op->mem.index != X86_REG_INVALID ||
	    op->mem.segment != X86_REG_INVALID)
		return 0;
	if (op->mem.base == X86_REG_RIP)
		return insn->address + insn->size + op->mem.disp;
	return op->mem.base == X86_REG_INVALID ? (__u64)op->mem.disp : 0;
}

static void classify_branch(const cs_insn *insn, struct insn *out)
{
	const cs_x86 *x86 = &insn->detail->x86;
	const cs_x86_op *op = x86->op_count ? &x86->operands[0] : NULL;
	bool is_direct = op && op->type == X86_OP_IMM;

	if (is_direct)
		out->target = op->imm;
	else if (op)
		out->slot = fixed_addr(insn, op);
	if (insn->id == X86_INS_CALL)
		out->kind = is_direct ? INSN_CALL : INSN_CALL_IND;
	else if (insn->id == X86_INS_JMP)
		out->kind = is_direct ? INSN_JMP : INSN_JMP_IND;
	else
		out->kind = is_direct ? INSN_JCC : INSN_TRAP;
}

static void classify(csh handle, const cs_insn *insn, struct insn *out)
{
	switch (insn->id) {
	case X86_INS_CALL:
	case X86_INS_JMP:
		classify_branch(insn, out);
		return;
	case X86_INS_RET:
	case X86_INS_RETF:
		out->kind = INSN_RET;
		return;
	case X86_INS_UD2:
	case X86_INS_UD0:
	case X86_INS_HLT:
	case X86_INS_INT3:
		out->kind = INSN_TRAP;
		return;
	}
	if (cs_insn_group(handle, insn, CS_GRP_JUMP))
		classify_branch(insn, out);
}

static void track_stack(const cs_insn *insn, struct insn *out, bool writes_sp)
{
	const cs_x86 *x86 = &insn->detail->x86;
	const cs_x86_op *ops = x86->operands;

	switch (insn->id) {
	case X86_INS_CALL: /* balanced by its return */
	case X86_INS_RET:
		return;
	case X86_INS_PUSH:
	case X86_INS_PUSHFQ:
		out->sp_change = -8;
		return;
	case X86_INS_POP:
	case X86_INS_POPFQ:
		out->sp_change = 8;
		if (x86->op_count && ops[0].type == X86_OP_REG && ops[0].reg == X86_REG_RSP)
			out->is_sp_lost = true;
		return;
	case X86_INS_SUB:
	case X86_INS_ADD: /* AT&T order: source first */
		if (writes_sp && x86->op_count == 2 && ops[0].type == X86_OP_IMM)
			out->sp_change = insn->id == X86_INS_ADD ? ops[0].imm : -ops[0].imm;
		else
			out->is_sp_lost = writes_sp;
		return;
	case X86_INS_LEA:
		if (writes_sp && ops[0].mem.base == X86_REG_RSP &&
		    ops[0].mem.index == X86_REG_INVALID)
			out->sp_change = ops[0].mem.disp;
		else
			out->is_sp_lost = writes_sp;
		return;
	}
	out->is_sp_lost = writes_sp;
}

static void track_values(const cs_insn *insn, struct insn *out)
{
	const cs_x86 *x86 = &insn->detail->x86;
	const cs_x86_op *src = &x86->operands[0], *dst = &x86->operands[1];

	if (x86->op_count != 2 || dst->type != X86_OP_REG || !reg_of[dst->reg])
		return;
	if (insn->id == X86_INS_MOV && src->type == X86_OP_REG && reg_of[src->reg] &&
	    dst->size >= 4) {
		out->copy_from = reg_of[src->reg];
		out->copy_to = reg_of[dst->reg];
		out->is_copy_32 = dst->size == 4;
		return;
	}
	/* Narrower results and 32-bit sums are no addresses. */
	if (dst->size < 4 || (dst->size == 4 && src->type != X86_OP_IMM))
		return;
	if (insn->id == X86_INS_ADD && src->type == X86_OP_IMM && dst->size == 8) {
		out->ref = src->imm;
		out->ref_base = out->ref_reg = reg_of[dst->reg];
	} else if (insn->id == X86_INS_MOV && src->type == X86_OP_IMM) {
		out->ref = src->imm;
		out->ref_reg = reg_of[dst->reg];
	} else if ((insn->id == X86_INS_LEA || insn->id == X86_INS_MOV) &&
		   src->type == X86_OP_MEM && src->mem.index == X86_REG_INVALID &&
		   src->mem.segment == X86_REG_INVALID) {
		bool is_based = src->mem.base != X86_REG_RIP && src->mem.base != X86_REG_INVALID;

		if (is_based && !reg_of[src->mem.base])
			return;
		out->ref = is_based ? (__u64)src->mem.disp : fixed_addr(insn, src);
		out->ref_base = is_based ? reg_of[src->mem.base] : 0;
		out->ref_reg = reg_of[dst->reg];
		out->is_load = insn->id == X86_INS_MOV;
	}
}

static bool x86_decode(void *decoder, const unsigned char *code, size_t sz, __u64 addr,
		       bool want_text, struct insn *out)
{
	struct decoder *dec = decoder;
	const uint8_t *at = code;
	uint64_t next = addr;
	cs_regs reads, writes;
	__u8 read_cnt = 0, write_cnt = 0;
	bool writes_sp = false;

	memset(out, 0, sizeof(*out));
	/* capstone 4 does not know endbr64 on every build */
	if (sz >= 4 && !memcmp(code, "\xf3\x0f\x1e\xfa", 4)) {
		*out = (struct insn){ .addr = addr, .size = 4, .is_landing = true };
		snprintf(out->text, sizeof(out->text), "endbr64");
		return true;
	}
	if (!cs_disasm_iter(dec->handle, &at, &sz, &next, dec->insn))
		return false;
	out->addr = addr;
	out->size = dec->insn->size;
	out->is_emulated = is_emulated(code, out->size);
	if (!cs_regs_access(dec->handle, dec->insn, reads, &read_cnt, writes, &write_cnt)) {
		for (__u8 i = 0; i < write_cnt; i++) {
			if (writes[i] == X86_REG_RSP || writes[i] == X86_REG_ESP ||
			    writes[i] == X86_REG_SP)
				writes_sp = true;
			else if (writes[i] < X86_REG_ENDING && reg_of[writes[i]])
				out->writes |= 1ull << reg_of[writes[i]];
		}
	}
	classify(dec->handle, dec->insn, out);
	track_stack(dec->insn, out, writes_sp);
	track_values(dec->insn, out);
	if (want_text)
		decoder_text(dec, out);
	return true;
}

/* E8 call, E9 jmp, 0F 8x jcc with rel32; FF 15 call and FF 25 jmp through rip-relative memory. */
static void x86_scan(const unsigned char *code, size_t sz, __u64 addr,
		     void (*fn)(void *ctx, __u64 at, __u64 dest, bool is_slot), void *ctx)
{
	for (size_t i = 0; i + 5 <= sz; i++) {
		size_t op_sz = 1;
		bool is_slot = false;
		__s32 rel;

		switch (code[i]) {
		case 0xe8:
		case 0xe9:
			break;
		case 0x0f:
			if ((code[i + 1] & 0xf0) != 0x80)
				continue;
			op_sz = 2;
			break;
		case 0xff:
			if (code[i + 1] != 0x15 && code[i + 1] != 0x25)
				continue;
			op_sz = 2;
			is_slot = true;
			break;
		default:
			continue;
		}
		if (i + op_sz + 4 > sz)
			continue;
		memcpy(&rel, code + i + op_sz, sizeof(rel));
		fn(ctx, addr + i, addr + i + op_sz + 4 + (__s64)rel, is_slot);
	}
}

/* In front of a stub's jump: nothing, endbr64, or a bnd prefix (older -z ibtplt). */
static size_t x86_stub_lead(const unsigned char *before, size_t sz)
{
	bool has_bnd = sz && before[sz - 1] == 0xf2;
	size_t left = sz - has_bnd;

	return (left >= 4 && !memcmp(before + left - 4, "\xf3\x0f\x1e\xfa", 4) ? 4 : 0) + has_bnd;
}

const struct insn_arch insn_arch_x86 = {
	.result_reg = PYI_REG_AX,
	.arg_regs = { PYI_REG_DI, PYI_REG_SI, PYI_REG_DX, PYI_REG_CX, PYI_REG_R8, PYI_REG_R9 },
	.return_sz = 8,
	.readable_regs = ~0ull,
	.saved_regs = 1u << PYI_REG_BX | 1u << PYI_REG_BP | 1u << PYI_REG_R12 | 1u << PYI_REG_R13 |
		      1u << PYI_REG_R14 | 1u << PYI_REG_R15,
	.open = x86_open,
	.close = decoder_close,
	.decode = x86_decode,
	.scan = x86_scan,
	.stub_lead = x86_stub_lead,
};

const struct insn_arch *insn_arch_host(void)
{
#if defined(__x86_64__)
	return &insn_arch_x86;
#elif defined(__aarch64__)
	return &insn_arch_arm64;
#else
	return NULL;
#endif
}
