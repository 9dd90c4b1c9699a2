/* SPDX-License-Identifier: GPL-2.0-only */
/* Code objects: their numbers, the records that describe them, the frames that run them. */
#ifndef BPF_PYTHON_CODE_BPF_H
#define BPF_PYTHON_CODE_BPF_H

#include "python/python.bpf.h"

/*
 * Code that imports on behalf of others. RELAY: importlib's machinery and import_module, whose own
 * statements are somebody else's. RUNNER: runpy and importlib.util, which run code for others but
 * import for themselves as well; what stands at the top level of either is their own. BOOTSTRAP: a
 * RELAY that the interpreter starts by itself, top level included.
 */
enum code_role { ROLE_PLAIN = 0, ROLE_RELAY = 1, ROLE_RUNNER = 2, ROLE_BOOTSTRAP = 5 };

#define CODE_RELAY ((u64)ROLE_RELAY << 32)
#define CODE_RUNNER ((u64)ROLE_RUNNER << 32)
#define CODE_ID(value) ((u32)(value))

/*
 * Number of the code object of a module's body that begins. Such a one is freed when it has run,
 * and its address and its dict's can be those of the next: what was known of it is of an earlier.
 */
u64 code_new(struct thread *t, const struct pyi_layout *lay, const struct pyframe *frame);

/* Statements come in runs of the same code object: is it the one that t->last_code_id is of? */
static __always_inline bool code_known(const struct thread *t, const struct pyframe *frame)
{
	const struct code_key *key = &t->last_code;

	return key->code == frame->code && key->globals == frame->globals &&
	       key->serial == t->serial;
}

/* Number of a frame's code object, 0 = none; sends the object the first time it is met. */
u64 code_id(struct thread *t, const struct pyi_layout *lay, const struct pyframe *frame);

/*
 * Sends the Python stack from @addr on, up to and including the first frame that is in a file of
 * somebody else than importlib: that one is the importer a person wants to see.
 */
int emit_frames(struct thread *t, const struct pyi_layout *lay, u64 addr, u32 span);

#endif
