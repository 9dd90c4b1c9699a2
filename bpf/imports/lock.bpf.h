/* SPDX-License-Identifier: GPL-2.0-only */
/* Loads that do not pass the import function, seen by the lock they take. */
#ifndef BPF_IMPORTS_LOCK_BPF_H
#define BPF_IMPORTS_LOCK_BPF_H

#include "imports/span.bpf.h"

/* The module's lock that the load on top takes first: it is measured already. */
static __always_inline bool is_lock_of_find(struct open_span *top)
{
	if (!top || top->span != PYI_SPAN_FIND || top->flags & OPEN_LOCK_TAKEN)
		return false;
	top->flags |= OPEN_LOCK_TAKEN;
	return true;
}

/*
 * _imp.acquire_lock() is called when importlib fetches the lock of a module, at the start of
 * _find_and_load, and again when the lock object dies at its end (the weakref callback `cb` in
 * _get_module_lock). That makes it the one C function that brackets loads which do not come
 * through the import function: import_module() and reload(). Between _get_module_lock and
 * _find_and_load stands a lock manager's __enter__ or, from 3.15.1 on, nothing; 3.15.0 fetches
 * the locks of the parent packages as well, for one load.
 */
int lock_begin(struct thread *t, const struct pyi_layout *lay);

/*
 * The lock dies in _find_and_load itself, while its manager's __exit__ is being left, or together
 * with _find_and_load's own frame, which then is no longer among the callers.
 */
int lock_end(struct thread *t, const struct pyi_layout *lay);

#endif
