/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Choosing the instructions to probe. Private to user/interpreters: interp.c opens the file, calls
 * sites_find, and gets the list.
 */
#ifndef INTERPRETERS_CODE_SITES_H
#define INTERPRETERS_CODE_SITES_H

#include <stdarg.h>
#include "interpreters/elf/elf_file.h"
#include "interpreters/code/insn.h"
#include "interpreters/interp.h"

#define SITES_MAX 1024 /* per file; far above any build */

/* What the search carries along. */
struct finder {
	const struct elf *elf;
	const struct insn_arch *arch;
	void *decoder;
	struct interp *interp; /* receives sites and notes */
	size_t decode_budget;  /* instructions left before we call the file hostile */
	bool is_out_of_memory; /* what was found is not all there is */
};

/*
 * Fills interp->sites, interp->layers (those that depend on sites) and notes. What is not there is
 * noted. -ENOMEM, or an errno of opening the disassembler: no part of the sites is to be trusted.
 */
int sites_find(const struct elf *elf, const struct insn_arch *arch, struct interp *interp);

/* --- code.c: reading code --- */

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

/* --- callers.c: who calls a function --- */

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

/* --- methods.c: static functions by their PyMethodDef --- */

/* Functions of the _imp module; 0 = not found. */
struct imp_methods {
	__u64 create_dynamic, create_builtin;
	__u64 is_frozen;   /* up to 3.10 */
	__u64 find_frozen; /* from 3.11 on */
};
void methods_find_imp(const struct elf *elf, struct imp_methods *out);

/* --- import.c: the import function and its calls into importlib --- */

int import_find_sites(struct finder *finder);

/* --- bracket.c: turning places into sites --- */

/* Call site: begin at the call, end behind it. */
int bracket_call(struct finder *finder, __u64 call, enum pyi_site_kind kind, bool result_is_int,
		 const char *reason);
/*
 * Tail call: begin at the jump, where the arguments stand; end behind the calls of the function
 * that jumps. -ENOENT: nobody calls it by a plain call.
 */
int bracket_tail(struct finder *finder, __u64 jump, const struct callee *caller,
		 enum pyi_site_kind kind, bool result_is_int, const char *reason);
/* Entry of a function; arg_cnt registers must still hold arguments. */
int bracket_entry(struct finder *finder, __u64 entry, enum pyi_site_kind kind,
		  unsigned int arg_cnt, const char *reason);

struct bracket_opts {
	enum pyi_site_kind kind;
	unsigned int arg_cnt;
	bool result_is_int;
	/*
	 * Spans of other kinds begin in this very function. An equal stack pointer would say that
	 * ours has returned: begin before the function makes room for its variables.
	 */
	bool is_outer;
	__u64 tail;         /* function it ends in by a jump, whose returns are its own; 0 = none */
	const char *reason;
};
/* Entry and every return of a function. */
int bracket_function(struct finder *finder, __u64 entry, const struct bracket_opts *opts);

#endif
