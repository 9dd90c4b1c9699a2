// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who calls a function: direct branches to it or to a PLT stub of it, and indirect ones through
 * its GOT slot. Raw byte matches are confirmed by decoding the enclosing function from its start.
 */
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "interpreters/code/callers.h"
#include "interpreters/code/code.h"
#include "interpreters/code/sites.h"

#define MAX_REFS 512 /* per callee; PyEval_EvalCode has about 6 */

void callee__init(struct callee *callee, const struct elf *elf, const char *name)
{
	const struct elf_sym *sym = elf__sym(elf, name);

	*callee = (struct callee){ .name = name, .addr = sym && sym->is_func ? sym->addr : 0 };
	for (size_t i = 0; i < elf->reloc_cnt && callee->slot_cnt < REFS_MAX_STUBS; i++) {
		const struct elf_reloc *reloc = &elf->relocs[i];

		if (reloc->name && !strcmp(reloc->name, name))
			callee->slots[callee->slot_cnt++] = reloc->slot;
	}
}

void callee__done(struct callee *callee)
{
	free(callee->refs);
	callee->refs = NULL;
}

static bool is_stub(const struct callee *callee, __u64 addr)
{
	for (size_t i = 0; i < callee->stub_cnt; i++) {
		if (addr >= callee->stubs[i].start && addr < callee->stubs[i].end)
			return true;
	}
	return false;
}

static bool is_slot_of(const struct callee *callee, __u64 slot)
{
	for (size_t i = 0; i < callee->slot_cnt; i++) {
		if (callee->slots[i] == slot)
			return true;
	}
	return false;
}

static bool matches(const struct callee *callee, __u64 dest, bool is_slot)
{
	if (is_slot)
		return is_slot_of(callee, dest);
	return dest && (dest == callee->addr || is_stub(callee, dest));
}

bool callee__is_target(const struct callee *callee, const struct insn *insn)
{
	switch (insn->kind) {
	case INSN_CALL:
	case INSN_JMP:
	case INSN_JCC:
		return matches(callee, insn->target, false);
	case INSN_CALL_IND:
	case INSN_JMP_IND:
		return insn->slot && matches(callee, insn->slot, true);
	default:
		return false;
	}
}

struct scan {
	struct finder *finder;
	struct callee *callees;
	size_t cnt;
	int err;
};

#define STUB_LEAD_MAX_SZ 5

static __u64 stub_start(const struct finder *finder, __u64 jmp)
{
	const unsigned char *before = elf__at(finder->elf, jmp - STUB_LEAD_MAX_SZ,
					      STUB_LEAD_MAX_SZ);

	return before ? jmp - finder->arch->stub_lead(before, STUB_LEAD_MAX_SZ) : jmp;
}

/*
 * A jump through the slot inside an ordinary function is a tail call of a build without PLT, not
 * a stub. The PLT has no unwind entry or one that starts with a stub.
 */
static bool is_plt(struct finder *finder, __u64 addr)
{
	struct elf_range func;
	struct insn insn;

	if (elf__func_range(finder->elf, addr, &func))
		return true;
	if (!code_decode(finder, func.start, &insn))
		return false;
	if (insn.is_landing && !code_decode(finder, func.start + insn.size, &insn))
		return false;
	/* push GOT+8(%rip) | jmp *slot(%rip) | push $index */
	return insn.kind == INSN_JMP_IND || insn.sp_change == -8;
}

static void on_stub(void *ctx, __u64 at, __u64 dest, bool is_slot)
{
	struct scan *scan = ctx;
	struct insn insn;

	if (!is_slot)
		return;
	for (size_t i = 0; i < scan->cnt; i++) {
		struct callee *callee = &scan->callees[i];

		if (!is_slot_of(callee, dest) || callee->stub_cnt >= REFS_MAX_STUBS)
			continue;
		if (!code_decode(scan->finder, at, &insn) || insn.kind != INSN_JMP_IND ||
		    !is_plt(scan->finder, at))
			continue;
		callee->stubs[callee->stub_cnt++] = (struct elf_range){
			stub_start(scan->finder, at), at + 1,
		};
	}
}

static int add_ref(struct callee *callee, __u64 addr, enum insn_kind kind)
{
	struct ref *refs;

	for (size_t i = 0; i < callee->ref_cnt; i++) {
		if (callee->refs[i].addr == addr)
			return 0;
	}
	if (callee->ref_cnt >= MAX_REFS)
		return 0;
	refs = realloc(callee->refs, (callee->ref_cnt + 1) * sizeof(*refs));
	if (!refs)
		return -ENOMEM;
	callee->refs = refs;
	refs[callee->ref_cnt++] = (struct ref){ addr, kind };
	return 0;
}

static void on_branch(void *ctx, __u64 at, __u64 dest, bool is_slot)
{
	struct scan *scan = ctx;

	for (size_t i = 0; i < scan->cnt; i++) {
		struct callee *callee = &scan->callees[i];
		struct elf_range func;
		struct insn insn;

		if (!matches(callee, dest, is_slot) || is_stub(callee, at))
			continue;
		/* One earlier: linkers leave a prefix where they relaxed call *x(%rip). */
		for (__u64 start = at; start >= at - 1; start--) {
			if (!code_is_boundary(scan->finder, start, &func) ||
			    !code_decode(scan->finder, start, &insn) ||
			    !callee__is_target(callee, &insn))
				continue;
			scan->err = add_ref(callee, start, insn.kind) ?: scan->err;
			break;
		}
	}
}

int callees__scan(struct finder *finder, struct callee *callees, size_t cnt)
{
	struct scan scan = { .finder = finder, .callees = callees, .cnt = cnt };

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < finder->elf->seg_cnt; i++) {
			const struct elf_seg *seg = &finder->elf->segs[i];

			if (seg->is_exec && seg->data && elf__may_search(finder->elf, seg->file_sz))
				finder->arch->scan(seg->data, seg->file_sz, seg->addr,
						   pass ? on_branch : on_stub, &scan);
		}
	}
	return scan.err;
}
