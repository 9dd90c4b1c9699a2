/* SPDX-License-Identifier: GPL-2.0-only */
/* Modules: in sys.modules, and what they say of themselves. */
#ifndef MODULES_BPF_H
#define MODULES_BPF_H

#include "python/python.bpf.h"

/* The value of the str with @hash in a dict, 0 = none. */
u64 dict_find(struct thread *t, const struct pyi_layout *lay, u64 dict, u64 hash);

/* sys.modules of the thread's interpreter, 0 = unknown. */
static __always_inline u64 modules_dict(const struct thread *t, const struct pyi_layout *lay)
{
	if (!t->interp || lay->interp_modules < 0 || lay->dict_keys < 0)
		return 0;
	return read_ptr(t->interp + lay->interp_modules);
}

/*
 * What a module is that was found and ran nothing: PYI_MARK_NEW_MODULE when the loader of namespace
 * packages made it, PYI_MARK_LAZY_MODULE when LazyLoader will execute it, 0 = neither.
 */
u32 module_idle_kind(struct thread *t, const struct pyi_layout *lay, u64 module);

/* A module was to be loaded again, and nothing ran: what its loader makes of that. */
enum { RELOAD_UNKNOWN, RELOAD_FAILED, RELOAD_DONE };
u32 module_idle_reload(struct thread *t, const struct pyi_layout *lay, u64 module);

#endif
