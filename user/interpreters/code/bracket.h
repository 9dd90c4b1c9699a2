/* SPDX-License-Identifier: BSD-2-Clause */
/* Turning places into sites. */
#ifndef INTERPRETERS_CODE_BRACKET_H
#define INTERPRETERS_CODE_BRACKET_H

#include "interpreters/code/callers.h"

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
