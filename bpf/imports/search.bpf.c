// SPDX-License-Identifier: GPL-2.0-only
/*
 * import_module() and reload(), by their frames. importlib asks _imp for a frozen module of the
 * name it searches for, once per search, or makes the builtin that it found. Among the frames
 * behind that call are the loads under way: a _find_and_load called by _gcd_import is one that
 * did not come through the import function, a _find_spec called by reload another. A finder that
 * answers before importlib's own shows with the next thing that is loaded below it, or by its
 * module's body.
 *
 * Their ends: the end of the module's own code, or the ImportError that importlib raises, takes
 * them along. What runs no code (a namespace package, a builtin of one phase) or fails otherwise
 * is found to be over at the next event of the thread; it ended at the last event inside at the
 * earliest, which is what is reported, as approximate.
 */
#include "imports/search.bpf.h"
#include "imports/span_end.bpf.h"
#include "imports/frame.bpf.h"
#include "python/modules.bpf.h"

#define FRAMES_MAX 40 /* looked at behind a search; importlib itself puts 6 between two loads */

static __always_inline void found_add(struct searches *found, u64 frame, u8 via)
{
	u32 index = found->cnt, before = index - 1;

	barrier_var(index);
	if (index >= SEARCHES_MAX)
		return;
	barrier_var(index);
	found->at[index] = (struct search){
		.frame = frame, .name = found->callee_name, .via = via,
	};
	barrier_var(before); /* older verifiers forget a bound checked before an addition */
	if (found->is_linked && before < SEARCHES_MAX) {
		barrier_var(before);
		found->at[before].is_parent = true;
	}
	found->is_linked = true;
	found->cnt++;
}

/* Looks at the frame @addr, which called the one looked at before; the next one, 0 = no more. */
__noinline u64 search_frame(struct thread *t, const struct pyi_layout *lay, u64 addr)
{
	struct searches *found;
	struct pyframe *frame;
	u32 kind;

	if (!t || !lay)
		return 0;
	found = &t->scratch.searches;
	frame = &t->scratch.frame;
	if (frame_read_real(t, lay, addr, frame))
		return 0;
	kind = frame_kind(lay, frame);
	if (kind == FRAME_GCD && found->callee == FRAME_LOAD)
		found_add(found, found->callee_frame, PYI_VIA_IMPORT_MODULE);
	else if (kind == FRAME_RELOAD && found->callee == FRAME_SPEC)
		found_add(found, frame->addr, PYI_VIA_RELOAD);
	if (kind == FRAME_OTHER || kind == FRAME_SPEC || kind == FRAME_RELOAD)
		found->is_linked = false;
	if (kind == FRAME_LOAD || kind == FRAME_SPEC)
		found->callee_name = first_arg(lay, frame);
	found->callee = kind;
	found->callee_frame = frame->addr;
	return frame->addr == found->until ? 0 : frame->back;
}

static __always_inline bool is_loaded(struct thread *t, const struct pyi_layout *lay, u64 name)
{
	u64 dict = modules_dict(t, lay);

	return dict && dict_find(t, lay, dict, str_hash(lay, name));
}

/*
 * Does the search have its span already? A load searches once: what has the frame of one that has
 * done so, and searches (again), is the next one, in the place of the first.
 */
static __always_inline bool is_open(struct thread *t, const struct pyi_layout *lay,
				    const struct search *search, bool is_own)
{
	int index = span_find(t, PYI_SPAN_SEARCH, 0, search->frame);
	struct open_span *span = index < 0 ? NULL : open_at(t, index);

	if (!span)
		return false;
	if (!is_own || !(span->flags & OPEN_SEARCHED)) {
		if (is_own)
			span->flags |= OPEN_SEARCHED;
		return true;
	}
	search_settle(t, lay, span);
	span_close(t, index);
	return false;
}

/* Opens the search at @index; its id, 0 when there is no need to. */
__noinline int search_open(struct thread *t, const struct pyi_layout *lay, u64 sp, u32 index,
			   u32 flags)
{
	struct begin_args *args;
	struct search *search;
	bool is_own;

	if (!t || !lay)
		return 0;
	is_own = !index && t->scratch.searches.own;
	barrier_var(index);
	if (index >= SEARCHES_MAX)
		return 0;
	barrier_var(index);
	search = &t->scratch.searches.at[index];
	is_own = is_own && t->scratch.searches.own == search->name;
	if (is_open(t, lay, search, is_own))
		return 0;
	/* Loaded already, and the loader is at something else (hooks that run behind it). */
	if (search->via == PYI_VIA_IMPORT_MODULE && !flags && is_loaded(t, lay, search->name))
		return 0;
	args = begin_in(t, PYI_SPAN_SEARCH, sp);
	args->want_frames = true;
	args->name = search->name;
	args->via = search->via;
	args->pyframe = search->frame;
	args->flags = flags;
	args->open_flags = (search->is_parent ? OPEN_PARENT : 0) |
			   (search->via == PYI_VIA_RELOAD ? OPEN_RELOAD : 0) |
			   (is_own ? OPEN_SEARCHED : 0);
	return span_begin(t, lay, args);
}

__noinline int searches_open(struct thread *t, const struct pyi_layout *lay, u64 sp, u64 pyframe,
			     u32 flags)
{
	struct searches *found;
	struct open_span *top;

	if (!t || !lay || lay->frame_locals < 0 || lay->code_name < 0 || !pyframe)
		return 0;
	found = &t->scratch.searches;
	found->cnt = found->callee = found->is_linked = 0;
	top = t->is_switching ? NULL : open_top(t);
	/* What searches again may be the next one, in the place of the first: is_open(). */
	if (is_search(top) && top->flags & OPEN_SEARCHED)
		top = NULL;
	found->until = top ? top->pyframe : 0;
	for (int i = 0; i < FRAMES_MAX && pyframe; i++)
		pyframe = search_frame(t, lay, pyframe);
	for (u32 i = SEARCHES_MAX; i-- > 0;) {
		if (i < found->cnt)
			found->at[i].id = search_open(t, lay, sp, i, flags);
	}
	return found->cnt;
}

__noinline int search_raise(struct thread *t, const struct pyi_layout *lay, u64 pyframe,
			    u64 type_name)
{
	struct pyframe *frame;
	struct open_span *top;
	u32 kind;

	if (!t || !lay || lay->code_name < 0)
		return 0;
	frame = &t->scratch.frame;
	if (frame_read_real(t, lay, pyframe, frame))
		return 0;
	kind = frame_kind(lay, frame);
	if (kind == FRAME_UNLOCKED && frame_read_real(t, lay, frame->back, frame))
		return 0;
	if (kind != FRAME_UNLOCKED && kind != FRAME_RELOAD && kind != FRAME_LOAD)
		return 0;
	top = t->is_switching ? open_at(t, chain_parent(t, lay, frame->addr) - 1) : open_top(t);
	if (top && top->span == PYI_SPAN_SEARCH && top->pyframe == frame->addr)
		search_end(t, lay, frame->addr, true, type_name);
	return 0;
}
