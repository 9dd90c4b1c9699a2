// SPDX-License-Identifier: BSD-2-Clause
/* Instructions of arm64 as GNU as encodes them; runs on every machine. */
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>

#include "interpreters/code/callers.h"
#include "pyimport_layout.h"
#include "interpreters/code/insn.h"
#include "unit.h"

#define ADDR 0x401000ull
#define X(n) (PYI_REG_X0 + (n))
#define BIT(n) (1ull << X(n))

/* What differs from an ordinary instruction that is single-stepped. */
static const struct {
	__u32 word;
	struct insn want;
} cases[] = {
	{ 0xa9ba7bfd /* stp x29, x30, [sp, #-96]! */, { .sp_change = -96 } },
	{ 0xa8c67bfd /* ldp x29, x30, [sp], #96 */,
	  { .sp_change = 96, .writes = BIT(29) | BIT(30) } },
	{ 0xf81f0ff3 /* str x19, [sp, #-16]! */, { .sp_change = -16 } },
	{ 0xf84107f3 /* ldr x19, [sp], #16 */, { .sp_change = 16, .writes = BIT(19) } },
	{ 0xd10083ff /* sub sp, sp, #32 */, { .sp_change = -32 } },
	{ 0xd14007ff /* sub sp, sp, #1, lsl #12 */, { .sp_change = -4096 } },
	{ 0x910003bf /* mov sp, x29 */, { .is_sp_lost = true } },
	{ 0x910003fd /* mov x29, sp */, { .writes = BIT(29) } },
	{ 0xd10043ec /* sub x12, sp, #16 */, { .writes = BIT(12) } },
	{ 0xaa0003f3 /* mov x19, x0 */,
	  { .copy_from = X(0), .copy_to = X(19), .writes = BIT(19) } },
	{ 0x2a0003f4 /* mov w20, w0 */,
	  { .copy_from = X(0), .copy_to = X(20), .is_copy_32 = true, .writes = BIT(20) } },
	{ 0x91116021 /* add x1, x1, #0x458 */,
	  { .ref = 0x458, .ref_base = X(1), .ref_reg = X(1), .writes = BIT(1) } },
	{ 0xf9422c21 /* ldr x1, [x1, #0x458] */,
	  { .ref = 0x458, .ref_base = X(1), .ref_reg = X(1), .is_load = true, .writes = BIT(1) } },
	{ 0xb9445821 /* ldr w1, [x1, #0x458] */, { .writes = BIT(1) } },
	{ 0x8b020020 /* add x0, x1, x2 */, { .writes = BIT(0) } },
	{ 0x38401483 /* ldrb w3, [x4], #1 */, { .writes = BIT(3) | BIT(4) } },
	{ 0xb0000002 /* adrp x2, .+0x1000 */,
	  { .is_emulated = true, .ref = 0x402000, .ref_reg = X(2), .writes = BIT(2) } },
	{ 0x10000042 /* adr x2, .+8 */,
	  { .is_emulated = true, .ref = ADDR + 8, .ref_reg = X(2), .writes = BIT(2) } },
	{ 0x58000043 /* ldr x3, .+8 */, { .is_emulated = true, .ref = ADDR + 8, .ref_reg = X(3),
					  .is_load = true, .writes = BIT(3) } },
	{ 0xb4000040 /* cbz x0, .+8 */,
	  { .is_emulated = true, .kind = INSN_JCC, .target = ADDR + 8 } },
	{ 0x36180040 /* tbz w0, #3, .+8 */,
	  { .is_emulated = true, .kind = INSN_JCC, .target = ADDR + 8 } },
	{ 0x54ffffe0 /* b.eq .-4 */,
	  { .is_emulated = true, .kind = INSN_JCC, .target = ADDR - 4 } },
	{ 0x5400004e /* b.al .+8 */,
	  { .is_emulated = true, .kind = INSN_JMP, .target = ADDR + 8 } },
	{ 0x97ffffff /* bl .-4 */, { .is_emulated = true, .kind = INSN_CALL, .target = ADDR - 4,
				     .writes = BIT(30) } },
	{ 0x14000002 /* b .+8 */,
	  { .is_emulated = true, .kind = INSN_JMP, .target = ADDR + 8 } },
	{ 0xd63f0060 /* blr x3 */,
	  { .is_emulated = true, .kind = INSN_CALL_IND, .writes = BIT(30) } },
	{ 0xd61f0060 /* br x3 */, { .is_emulated = true, .kind = INSN_JMP_IND } },
	{ 0xd65f03c0 /* ret */, { .is_emulated = true, .kind = INSN_RET } },
	{ 0xd503245f /* bti c */, { .is_landing = true } },
	{ 0xd503201f /* nop */, {} },
	{ 0xd4200020 /* brk #1 */, { .kind = INSN_TRAP } },
	{ 0xd4400020 /* hlt #1 */, { .kind = INSN_TRAP } },
};

static struct insn decode(const void *code, size_t sz)
{
	struct insn insn = {};
	void *decoder;

	if (insn_arch_arm64.open(&decoder)) {
		FAIL("no decoder");
		return insn;
	}
	if (!insn_arch_arm64.decode(decoder, code, sz, ADDR, false, &insn))
		FAIL("not decoded");
	insn_arch_arm64.close(decoder);
	return insn;
}

static void test_words(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct insn got = decode(&cases[i].word, 4), want = cases[i].want;

		want.addr = ADDR;
		want.size = 4;
		if (got.kind != want.kind || got.target != want.target ||
		    got.writes != want.writes ||
		    got.is_emulated != want.is_emulated || got.is_landing != want.is_landing)
			FAIL("%08x: kind %d, target %llx, writes %llx, emulated %d, landing %d",
			     cases[i].word, got.kind, got.target, got.writes, got.is_emulated,
			     got.is_landing);
		if (got.sp_change != want.sp_change || got.is_sp_lost != want.is_sp_lost)
			FAIL("%08x: sp %+d, lost %d", cases[i].word, got.sp_change,
			     got.is_sp_lost);
		if (got.copy_from != want.copy_from || got.copy_to != want.copy_to ||
		    got.is_copy_32 != want.is_copy_32 || got.ref != want.ref ||
		    got.ref_base != want.ref_base || got.ref_reg != want.ref_reg ||
		    got.is_load != want.is_load)
			FAIL("%08x: copy %d to %d, ref %llx of %d to %d, load %d", cases[i].word,
			     got.copy_from, got.copy_to, got.ref, got.ref_base, got.ref_reg,
			     got.is_load);
	}
}

/* Those of which not every version of the disassembler knows all. */
static void test_newer(void)
{
	static const struct {
		__u32 word;
		enum insn_kind kind;
	} newer[] = {
		{ 0xd65f0bff /* retaa */, INSN_RET }, { 0xd65f0fff /* retab */, INSN_RET },
		{ 0xd71f0841 /* braa x2, x1 */, INSN_JMP_IND },
		{ 0xd73f0c41 /* blrab x2, x1 */, INSN_CALL_IND },
		{ 0xd61f085f /* braaz x2 */, INSN_JMP_IND }, { 0 /* udf */, INSN_TRAP },
		{ 0xd503233f /* paciasp */, INSN_OTHER },
	};
	static const __u32 nonsense = 0xffffffff;
	struct insn insn;

	for (size_t i = 0; i < sizeof(newer) / sizeof(newer[0]); i++) {
		insn = decode(&newer[i].word, 4);
		if (insn.kind != newer[i].kind || insn.is_emulated || insn.is_landing)
			FAIL("%08x: kind %d", newer[i].word, insn.kind);
	}
	insn = decode(&nonsense, 4);
	CHECK(insn.size == 4 && insn.writes == ~0ull && insn.is_sp_lost);
}

struct found {
	__u64 at, dest;
	size_t cnt;
	bool is_slot;
};

static void on_branch(void *ctx, __u64 at, __u64 dest, bool is_slot)
{
	struct found *found = ctx;

	*found = (struct found){ at, dest, found->cnt + 1, is_slot };
}

/* A stub of the PLT is one jump through its slot; a scan finds it, and calls. */
static void test_stub(void)
{
	static const __u32 stub[] = { 0xb0000010, 0xf9400611, 0x91002210, 0xd61f0220 };
	static const __u32 lead[] = { 0xd503201f, 0xd503245f }, call = 0x97ffffff;
	struct insn insn = decode(stub, sizeof(stub));
	struct found found = {};

	CHECK(insn.kind == INSN_JMP_IND && insn.slot == 0x402008 && insn.size == 16);
	CHECK(!decode(stub, 12).slot);
	insn_arch_arm64.scan((const void *)stub, sizeof(stub), ADDR, on_branch, &found);
	CHECK(found.cnt == 1 && found.is_slot && found.at == ADDR && found.dest == 0x402008);
	found.cnt = 0;
	insn_arch_arm64.scan((const void *)&call, 4, ADDR, on_branch, &found);
	CHECK(found.cnt == 1 && !found.is_slot && found.at == ADDR && found.dest == ADDR - 4);
	CHECK(insn_arch_arm64.stub_lead((const void *)lead, 8) == 4);
	CHECK(insn_arch_arm64.stub_lead((const void *)lead, 4) == 0);
}

int main(void)
{
	RUN(test_words);
	RUN(test_newer);
	RUN(test_stub);
	return unit_result();
}
