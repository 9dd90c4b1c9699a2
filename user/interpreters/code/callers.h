/* SPDX-License-Identifier: BSD-2-Clause */
/* Who calls a function. */
#ifndef INTERPRETERS_CODE_CALLERS_H
#define INTERPRETERS_CODE_CALLERS_H

#include "interpreters/code/code.h"

#define REFS_MAX_STUBS 8

struct ref {
	__u64 addr;
	enum insn_kind kind;
};

/* A function to look for: by address, by PLT stubs, by pointer slots. */
struct callee {
	const char *name;
	__u64 addr;                  /* 0 = not in this file */
	__u64 slots[REFS_MAX_STUBS]; /* GOT entries */
	struct elf_range stubs[REFS_MAX_STUBS];
	size_t slot_cnt, stub_cnt;
	struct ref *refs;            /* confirmed direct and indirect branches */
	size_t ref_cnt;
};

void callee__init(struct callee *callee, const struct elf *elf, const char *name);
void callee__done(struct callee *callee);
bool callee__is_target(const struct callee *callee, const struct insn *insn);
/* Finds stubs of all callees, then all branches to them, in one pass over the code each. */
int callees__scan(struct finder *finder, struct callee *callees, size_t cnt);

#endif
