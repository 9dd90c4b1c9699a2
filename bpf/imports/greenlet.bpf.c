// SPDX-License-Identifier: GPL-2.0-only
/* Is a shared object one that swaps C stacks? */
#include "imports/site.bpf.h"

__noinline int has_greenlet(struct thread *t, u32 from)
{
	u32 at;

	if (!t)
		return 0;
	for (u32 i = 0; i < 32; i++) {
		at = from + i;
		if (at > sizeof(t->path) - 8)
			break;
		barrier_var(at);
		if (*(u64 *)(t->path + at) == WORD8('g', 'r', 'e', 'e', 'n', 'l', 'e', 't'))
			return 1;
	}
	return 0;
}

/* greenlet, gevent's copies of it, and whatever else carries the word in its file name */
__noinline int is_greenlet_path(struct thread *t, u64 path)
{
	long len;

	if (!t)
		return 0;
	/* The record of this dlopen counts a path that cannot be read. */
	len = bpf_probe_read_user_str(t->path, sizeof(t->path), (void *)path);
	for (u32 i = 0; i < sizeof(t->path) / 32 && i * 32 + 8 < len; i++)
		if (has_greenlet(t, i * 32))
			return 1;
	return 0;
}
