/* SPDX-License-Identifier: GPL-2.0-only */
/* Python frames of importlib, told apart by their functions' names. */
#ifndef FRAME_BPF_H
#define FRAME_BPF_H

#include "python/python.bpf.h"

enum frame_kind {
	FRAME_OTHER,
	FRAME_LINK,     /* stands between a load and that of its parent package */
	FRAME_UNLOCKED, /* _find_and_load_unlocked: a link, and raises ModuleNotFoundError */
	FRAME_LOAD,     /* _find_and_load */
	FRAME_GCD,      /* _gcd_import: a link */
	FRAME_SPEC,     /* _find_spec */
	FRAME_RELOAD,
};

static __always_inline u32 frame_kind(const struct pyi_layout *lay, const struct pyframe *frame)
{
	u32 chars = 0;
	u64 word = str_word(lay, read_ptr(frame->code + lay->code_name), &chars);

	if (word == WORD8('_', 'f', 'i', 'n', 'd', '_', 'a', 'n'))
		return chars == 14 ? FRAME_LOAD : chars == 23 ? FRAME_UNLOCKED : FRAME_OTHER;
	if (word == WORD8('_', 'g', 'c', 'd', '_', 'i', 'm', 'p') && chars == 11)
		return FRAME_GCD;
	if (word == WORD8('_', 'f', 'i', 'n', 'd', '_', 's', 'p') && chars == 10)
		return FRAME_SPEC;
	if (word == WORD8('r', 'e', 'l', 'o', 'a', 'd', 0, 0))
		return FRAME_RELOAD;
	if ((word == WORD8('_', 'c', 'a', 'l', 'l', '_', 'w', 'i') && chars == 25) ||
	    (word == WORD8('_', 'r', 'e', 's', 'o', 'l', 'v', 'e') && chars == 16))
		return FRAME_LINK; /* _call_with_frames_removed, _resolve_parents (3.15) */
	return FRAME_OTHER;
}

#endif
