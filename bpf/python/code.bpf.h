/* SPDX-License-Identifier: GPL-2.0-only */
/* Code objects: their numbers, the records that describe them, the frames that run them. */
#ifndef BPF_PYTHON_CODE_BPF_H
#define BPF_PYTHON_CODE_BPF_H

#include "core/slots.bpf.h"
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

/* A new number, and a record, for a frame's code object: what was known of it is of an earlier. */
u64 code_new(struct thread *t, const struct pyi_layout *lay, const struct pyframe *frame);

u32 code_recycle(u64 key);

DEFINE_SLOTS(code_slot, code_value, code_slots, cfg_code_slots, codes, code_recycle)

/* The place of t->last_code. */
static __always_inline struct code_value *code_find(struct thread *t, bool want_new)
{
	const struct code_key *key = &t->last_code;

	return code_slot(mix_key(key->code, key->globals, 0, key->serial), want_new);
}

/* Statements come in runs of the same code object: is it the one that t->last_code_id is of? */
static __always_inline bool is_last_code(const struct thread *t, u64 code, u64 globals, u32 gen)
{
	const struct code_key *key = &t->last_code;

	return key->code == code && key->globals == globals && key->serial == t->serial &&
	       key->gen == gen;
}

static __always_inline bool code_known(const struct thread *t, const struct pyframe *frame)
{
	return is_last_code(t, frame->code, frame->globals, *dict_gen(frame->globals, t->serial));
}

/* Makes a code object t->last_code if it is known and needs no other look. */
static __always_inline bool code_again(struct thread *t, u64 code, u64 globals)
{
	u32 gen = *dict_gen(globals, t->serial);
	struct code_value *value;

	if (is_last_code(t, code, globals, gen))
		return true;
	t->last_code = (struct code_key){ code, globals, t->serial, gen };
	value = code_find(t, false);
	if (!value || !value->id || value->gen != gen) {
		t->last_code.code = 0;
		return false;
	}
	t->last_code_id = value->id | (u64)value->role << 32;
	return true;
}

/*
 * Number of a frame's code object, 0 = none; sends the object the first time it is met. One at an
 * address that is known is looked at again once bodies have begun in its dict.
 */
u64 code_id(struct thread *t, const struct pyi_layout *lay, const struct pyframe *frame);

/*
 * Sends the Python stack from @addr on, up to and including the first frame that is in a file of
 * somebody else than importlib: that one is the importer a person wants to see. Without a span it
 * is that of the statement t->edge_id, with its callers.
 */
int emit_frames(struct thread *t, const struct pyi_layout *lay, u64 addr, u32 span);

#endif
