/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading code, one instruction at a time or along its control flow. */
#ifndef INTERPRETERS_CODE_CODE_H
#define INTERPRETERS_CODE_CODE_H

#include "interpreters/code/insn.h"
#include "interpreters/elf/elf_file.h"
#include "interpreters/interp.h"

/* What the search carries along. */
struct finder {
	const struct elf *elf;
	const struct insn_arch *arch;
	void *decoder;
	struct interp *interp; /* receives sites and notes */
	size_t decode_budget;  /* instructions left before we call the file hostile */
	bool is_out_of_memory; /* what was found is not all there is */
};

/* False: no instruction there, or the budget is used up. */
bool code_decode(struct finder *finder, __u64 addr, struct insn *out);
/* Like code_decode with text. */
bool code_decode_text(struct finder *finder, __u64 addr, struct insn *out);
/* Does decoding the enclosing function from its start hit addr? Fills its range. */
bool code_is_boundary(struct finder *finder, __u64 addr, struct elf_range *func);

/*
 * Follows control flow from a function's entry through its own and its cold parts, and through
 * functions that are not exported and are called (up to max_depth) or jumped to. Calls back once
 * per instruction; the depth tells the function itself (0) from those it calls.
 */
typedef void (*code_fn)(void *ctx, const struct insn *insn, unsigned int depth);
int code_walk(struct finder *finder, __u64 entry, unsigned int max_depth, code_fn fn, void *ctx);

#endif
