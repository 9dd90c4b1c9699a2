// SPDX-License-Identifier: BSD-2-Clause
/*
 * Static functions of a stripped interpreter, by CPython's own table of method definitions:
 * struct { char *name; void *func; int flags; char *doc; } in an array ended by a NULL name.
 */
#include <string.h>
#include "base/cleanup.h"
#include "interpreters/code/methods.h"
#include "interpreters/code/sites.h"

#define ROW_SZ 32
#define MAX_ROWS 64
#define MAX_NAME 64
#define MAX_HITS 64 /* occurrences of one string looked at */

#define METH_ALL 0x3ff /* VARARGS … METHOD: flags beyond it are garbage */

static const char *row_name(const struct elf *elf, __u64 row)
{
	__u64 name = elf__ptr_at(elf, row);

	return name ? elf__str_at(elf, name, MAX_NAME) : NULL;
}

static __u64 row_func(const struct elf *elf, __u64 row)
{
	const void *at = elf__at(elf, row + 16, sizeof(__s32));
	__u64 func = elf__ptr_at(elf, row + 8);
	struct elf_range range;
	__s32 flags;

	if (!at || !func || !elf__is_exec(elf, func))
		return 0;
	memcpy(&flags, at, sizeof(flags));
	if (flags <= 0 || flags > METH_ALL)
		return 0;
	if (elf__func_range(elf, func, &range) == 0 && range.start != func)
		return 0;
	return func;
}

struct search {
	const struct elf *elf;
	struct imp_methods *out;
	bool is_found;
};

static bool row_is(const struct elf *elf, __u64 row, const char *want)
{
	const char *name = row_name(elf, row);

	return name && !strcmp(name, want) && row_func(elf, row);
}

/* Is this slot the create_dynamic row of _imp's table? Its neighbour tells. */
static bool on_slot(void *ctx, __u64 slot)
{
	struct search *search = ctx;
	const struct elf *elf = search->elf;
	__u64 first = slot;

	if (!row_func(elf, slot) ||
	    (!row_is(elf, slot + ROW_SZ, "exec_dynamic") && !row_is(elf, slot - ROW_SZ, "is_frozen")
	     && !row_is(elf, slot + ROW_SZ, "exec_builtin")))
		return false;
	for (int i = 0; i < MAX_ROWS && row_name(elf, first - ROW_SZ) &&
	     row_func(elf, first - ROW_SZ); i++)
		first -= ROW_SZ;
	for (int i = 0; i < MAX_ROWS; i++) {
		__u64 row = first + i * ROW_SZ, func = row_func(elf, row);
		const char *name = row_name(elf, row);

		if (!name || !func)
			break;
		if (!strcmp(name, "create_dynamic"))
			search->out->create_dynamic = func;
		else if (!strcmp(name, "create_builtin"))
			search->out->create_builtin = func;
		else if (!strcmp(name, "is_frozen"))
			search->out->is_frozen = func;
		else if (!strcmp(name, "find_frozen"))
			search->out->find_frozen = func;
	}
	search->is_found = true;
	return true;
}

static void find_by_symtab(const struct elf *elf, struct imp_methods *out)
{
	const struct elf_sym *sym;

	if ((sym = elf__sym(elf, "_imp_create_dynamic")) && sym->is_func)
		out->create_dynamic = sym->addr;
	if ((sym = elf__sym(elf, "_imp_create_builtin")) && sym->is_func)
		out->create_builtin = sym->addr;
	if ((sym = elf__sym(elf, "_imp_is_frozen")) && sym->is_func)
		out->is_frozen = sym->addr;
	if ((sym = elf__sym(elf, "_imp_find_frozen")) && sym->is_func)
		out->find_frozen = sym->addr;
}

void methods_find_imp(const struct elf *elf, struct imp_methods *out)
{
	static const char want[] = "create_dynamic";
	struct search search = { .elf = elf, .out = out };
	int hits = 0;

	*out = (struct imp_methods){};
	for (size_t i = 0; i < elf->seg_cnt && !search.is_found; i++) {
		const struct elf_seg *seg = &elf->segs[i];
		const unsigned char *at = seg->data, *end = at ? at + seg->file_sz : NULL;

		/* No NUL is required in front: linkers merge strings by their tails. */
		if (!elf__may_search(elf, seg->file_sz))
			break;
		while (at && !search.is_found && hits < MAX_HITS &&
		       (at = memmem(at, end - at, want, sizeof(want)))) {
			elf__each_slot(elf, seg->addr + (at - seg->data), on_slot, &search);
			at++;
			hits++;
		}
	}
	if (!search.is_found)
		find_by_symtab(elf, out);
}
