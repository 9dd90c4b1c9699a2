/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loads that do not pass the import function: import_module() and reload(). They are recognised
 * by their Python frames when importlib asks for a frozen or makes a builtin module, once for
 * each module that is searched for.
 */
#ifndef SEARCH_BPF_H
#define SEARCH_BPF_H

#include "imports/span.bpf.h"

/* A load that did not pass the import function? */
static __always_inline bool is_search(const struct open_span *span)
{
	return span && span->span == PYI_SPAN_SEARCH;
}

/* Is this search that of the load on top, which passed the import function? */
static __always_inline bool is_search_of_find(struct thread *t, u64 name)
{
	struct open_span *top;

	if (t->is_switching || name != t->search_name)
		return false;
	top = open_top(t);
	if (!top || top->id != t->search_id)
		return false;
	top->flags |= OPEN_SEARCHED;
	return true;
}

/*
 * Opens what the Python frame @pyframe is being loaded by and is not open yet, the outermost first;
 * how many such loads there are, open or not.
 * The search that is seen now is for the name in t->scratch.searches.own, 0 = none is.
 * @flags: PYI_F_APPROX when the search itself was not seen, and may have begun long ago.
 */
int searches_open(struct thread *t, const struct pyi_layout *lay, u64 sp, u64 pyframe, u32 flags);

/* An ImportError of the type named @type_name was raised by importlib itself: who fails by it? */
int search_raise(struct thread *t, const struct pyi_layout *lay, u64 pyframe, u64 type_name);

#endif
