// SPDX-License-Identifier: BSD-2-Clause
/*
 * arm64 for insn.h, by capstone. Knows which instructions the kernel simulates under a uprobe
 * (arch/arm64/kernel/probes/decode-insn.c: arm_probe_decode_insn); the rest is single-stepped.
 */
#include <linux/types.h>
#include <stdio.h>
#include <string.h>
#include "interpreters/code/callers.h"
#include "pyimport_layout.h"
#include "interpreters/code/decoder.h"
#include "interpreters/code/insn.h"

#define INSN_SZ 4
#define X(n) (PYI_REG_X0 + (n))
#define BIT(reg) (1ull << (reg))
#define X19_TO_X28 (0x3ffull << X(19))

static int arm64_open(void **out)
{
	return decoder_open(CS_ARCH_ARM64, CS_MODE_ARM, out);
}

/* x0 to x30 and w0 to w30 alike; 0 = another register. */
static __u8 reg_of(unsigned int reg)
{
	if (reg >= ARM64_REG_X0 && reg <= ARM64_REG_X28)
		return X(reg - ARM64_REG_X0);
	if (reg >= ARM64_REG_W0 && reg <= ARM64_REG_W30)
		return X(reg - ARM64_REG_W0);
	/* capstone numbers these two apart */
	return reg == ARM64_REG_X29 ? X(29) : reg == ARM64_REG_X30 ? X(30) : 0;
}

static bool is_64(unsigned int reg)
{
	return reg_of(reg) && !(reg >= ARM64_REG_W0 && reg <= ARM64_REG_W30);
}

/*
 * The instructions simulated since uprobes exist on arm64 (4.10). Returns and branches that
 * authenticate a pointer are refused, and their encodings differ.
 */
static bool is_emulated(__u32 word)
{
	return (word & 0x7c000000) == 0x14000000 || /* b, bl */
	       (word & 0xff000010) == 0x54000000 || /* b.cond */
	       (word & 0x7e000000) == 0x34000000 || /* cbz, cbnz */
	       (word & 0x7e000000) == 0x36000000 || /* tbz, tbnz */
	       (word & 0x1f000000) == 0x10000000 || /* adr, adrp */
	       (word & 0xfffffc1f) == 0xd61f0000 || /* br */
	       (word & 0xfffffc1f) == 0xd63f0000 || /* blr */
	       (word & 0xfffffc1f) == 0xd65f0000 || /* ret */
	       (word & 0xbf000000) == 0x18000000 || /* ldr literal, 32 and 64 bits */
	       (word & 0xff000000) == 0x98000000;   /* ldrsw literal */
}

static __u32 word_at(const unsigned char *code)
{
	__u32 word;

	memcpy(&word, code, sizeof(word));
	return word;
}

static __s64 sign_extend(__u64 value, unsigned int bits)
{
	return (__s64)(value << (64 - bits)) >> (64 - bits);
}

/* bti c, bti j, bti jc. paciasp is one too, but does something. */
static bool is_landing(__u32 word)
{
	return (word & 0xffffff3f) == 0xd503241f && word != 0xd503241f;
}

/* adrp x16, slot; ldr x17, [x16, slot]; add x16, x16, slot; br x17: the slot, 0 = another thing */
static __u64 stub_slot(const unsigned char *code, size_t sz, __u64 addr)
{
	__u32 page;
	__u64 at;

	if (sz < 4 * INSN_SZ)
		return 0;
	page = word_at(code);
	if ((page & 0x9f00001f) != 0x90000010 ||
	    (word_at(code + 4) & 0xffc003ff) != 0xf9400211 ||
	    (word_at(code + 8) & 0xffc003ff) != 0x91000210 || word_at(code + 12) != 0xd61f0220)
		return 0;
	at = sign_extend((page >> 5 & 0x7ffff) << 2 | (page >> 29 & 3), 21);
	return (addr & ~0xfffull) + (at << 12) + 8ull * (word_at(code + 4) >> 10 & 0xfff);
}

static void classify(const cs_insn *insn, struct insn *out)
{
	const cs_arm64 *arm64 = &insn->detail->arm64;
	const cs_arm64_op *last = arm64->op_count ? &arm64->operands[arm64->op_count - 1] : NULL;
	__u64 target = last && last->type == ARM64_OP_IMM ? last->imm : 0;

	switch (insn->id) {
	case ARM64_INS_BL:
		out->kind = INSN_CALL;
		break;
	case ARM64_INS_B:
		out->kind = arm64->cc == ARM64_CC_INVALID || arm64->cc == ARM64_CC_AL ?
			INSN_JMP : INSN_JCC;
		break;
	case ARM64_INS_CBZ:
	case ARM64_INS_CBNZ:
	case ARM64_INS_TBZ:
	case ARM64_INS_TBNZ:
		out->kind = INSN_JCC;
		break;
	case ARM64_INS_BLR:
		out->kind = INSN_CALL_IND;
		return;
	case ARM64_INS_BR:
		out->kind = INSN_JMP_IND;
		return;
	case ARM64_INS_RET:
		out->kind = INSN_RET;
		return;
	case ARM64_INS_BRK:
	case ARM64_INS_HLT:
		out->kind = INSN_TRAP;
		return;
	default:
		return;
	}
	out->target = target;
}

/* By pre- and post-indexed accesses, and by sums. capstone 4 has a post-index as an operand. */
static void track_stack(const cs_insn *insn, struct insn *out)
{
	const cs_arm64 *arm64 = &insn->detail->arm64;
	const cs_arm64_op *ops = arm64->operands;
	bool is_add = insn->id == ARM64_INS_ADD;

	for (int i = 0; i < arm64->op_count && arm64->writeback; i++) {
		if (ops[i].type == ARM64_OP_MEM && ops[i].mem.base == ARM64_REG_SP)
			out->sp_change = ops[i].mem.disp;
		else if (ops[i].type == ARM64_OP_IMM)
			out->sp_change = ops[i].imm;
	}
	if (!arm64->writeback && (is_add || insn->id == ARM64_INS_SUB) && arm64->op_count == 3 &&
	    ops[1].reg == ARM64_REG_SP && ops[2].type == ARM64_OP_IMM) {
		__s32 sum = ops[2].imm << ops[2].shift.value;

		out->sp_change = is_add ? sum : -sum;
	}
	out->is_sp_lost = !out->sp_change;
}

static void track_values(const cs_insn *insn, struct insn *out)
{
	const cs_arm64 *arm64 = &insn->detail->arm64;
	const cs_arm64_op *dst = &arm64->operands[0], *src = &arm64->operands[1];

	if (arm64->op_count < 2 || arm64->writeback || dst->type != ARM64_OP_REG ||
	    !reg_of(dst->reg))
		return;
	if (insn->id == ARM64_INS_MOV && src->type == ARM64_OP_REG && reg_of(src->reg)) {
		out->copy_from = reg_of(src->reg);
		out->copy_to = reg_of(dst->reg);
		out->is_copy_32 = !is_64(dst->reg);
		return;
	}
	if (!is_64(dst->reg))
		return;
	if ((insn->id == ARM64_INS_ADR || insn->id == ARM64_INS_ADRP) &&
	    src->type == ARM64_OP_IMM) {
		out->ref = src->imm;
	} else if (insn->id == ARM64_INS_ADD && arm64->op_count == 3 &&
		   src->type == ARM64_OP_REG && reg_of(src->reg) && src[1].type == ARM64_OP_IMM) {
		out->ref = src[1].imm << src[1].shift.value;
		out->ref_base = reg_of(src->reg);
	} else if (insn->id == ARM64_INS_LDR && src->type == ARM64_OP_IMM) {
		out->ref = src->imm;
		out->is_load = true;
	} else if (insn->id == ARM64_INS_LDR && src->type == ARM64_OP_MEM &&
		   src->mem.index == ARM64_REG_INVALID && reg_of(src->mem.base)) {
		out->ref = src->mem.disp;
		out->ref_base = reg_of(src->mem.base);
		out->is_load = true;
	} else {
		return;
	}
	out->ref_reg = reg_of(dst->reg);
}

/* What not every capstone knows: branches that authenticate an address, and udf. */
static void classify_newer(__u32 word, struct insn *out)
{
	static const enum insn_kind kinds[] = { INSN_JMP_IND, INSN_CALL_IND, INSN_RET, INSN_OTHER };

	if (word < 0x10000) /* udf */
		out->kind = INSN_TRAP;
	else if ((word & 0xfe9ff800) == 0xd61f0800) /* braa, blraa, retaa and their kin */
		out->kind = kinds[word >> 21 & 3];
}

static bool arm64_decode(void *decoder, const unsigned char *code, size_t sz, __u64 addr,
			 bool want_text, struct insn *out)
{
	struct decoder *dec = decoder;
	const uint8_t *at = code;
	uint64_t next = addr;
	cs_regs reads, writes;
	__u8 read_cnt = 0, write_cnt = 0;
	size_t left = INSN_SZ;
	bool writes_sp = false;
	__u32 word;

	if (sz < INSN_SZ || addr % INSN_SZ)
		return false;
	word = word_at(code);
	*out = (struct insn){
		.addr = addr, .size = INSN_SZ, .slot = stub_slot(code, sz, addr),
		.is_emulated = is_emulated(word), .is_landing = is_landing(word),
	};
	classify_newer(word, out);
	if (!cs_disasm_iter(dec->handle, &at, &left, &next, dec->insn)) {
		/* It may do anything but change the length of an instruction. */
		out->writes = ~0ull;
		out->is_sp_lost = true;
		snprintf(out->text, sizeof(out->text), ".inst 0x%08x", word);
		return true;
	}
	if (!cs_regs_access(dec->handle, dec->insn, reads, &read_cnt, writes, &write_cnt)) {
		for (__u8 i = 0; i < write_cnt; i++) {
			if (writes[i] == ARM64_REG_SP || writes[i] == ARM64_REG_WSP)
				writes_sp = true;
			else if (reg_of(writes[i]))
				out->writes |= BIT(reg_of(writes[i]));
		}
	}
	classify(dec->insn, out);
	if (writes_sp)
		track_stack(dec->insn, out);
	track_values(dec->insn, out);
	if (want_text)
		decoder_text(dec, out);
	if (out->slot) { /* the whole stub is taken for the jump it ends in */
		out->kind = INSN_JMP_IND;
		out->size = 4 * INSN_SZ;
	}
	return true;
}

/* b and bl; and stubs. */
static void arm64_scan(const unsigned char *code, size_t sz, __u64 addr,
		       void (*fn)(void *ctx, __u64 at, __u64 dest, bool is_slot), void *ctx)
{
	for (size_t i = -addr % INSN_SZ; i + INSN_SZ <= sz; i += INSN_SZ) {
		__u32 word = word_at(code + i);
		__u64 slot = stub_slot(code + i, sz - i, addr + i);

		if (slot)
			fn(ctx, addr + i, slot, true);
		else if ((word & 0x7c000000) == 0x14000000)
			fn(ctx, addr + i, addr + i + sign_extend((word & 0x3ffffff) << 2, 28),
			   false);
	}
}

static size_t arm64_stub_lead(const unsigned char *before, size_t sz)
{
	return sz >= INSN_SZ && is_landing(word_at(before + sz - INSN_SZ)) ? INSN_SZ : 0;
}

const struct insn_arch insn_arch_arm64 = {
	.result_reg = X(0),
	.arg_regs = { X(0), X(1), X(2), X(3), X(4), X(5) },
	.saved_regs = X19_TO_X28 | BIT(X(29)),
	.readable_regs = X19_TO_X28 | BIT(X(0)),
	.open = arm64_open,
	.close = decoder_close,
	.decode = arm64_decode,
	.scan = arm64_scan,
	.stub_lead = arm64_stub_lead,
};
