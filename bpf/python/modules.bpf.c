// SPDX-License-Identifier: GPL-2.0-only
/* Looks into dicts of the target as CPython does, by hash: Objects/dictobject.c, since 3.6. */
#include "python/modules.bpf.h"

#define PROBES_MAX 24 /* places looked at; a dict is at most two thirds full */

/* Where the parts of a dict are, in thread.dict_view. */
static __always_inline int dict_open(struct thread *t, const struct pyi_layout *lay, u64 dict)
{
	struct dict_view *view = &t->dict_view;
	u64 keys = read_ptr(dict + lay->dict_keys), head, size;
	u32 log2_index_bytes;

	if (!keys)
		return -1;
	view->indices = keys + lay->keys_indices;
	view->step = 24;
	if (lay->keys_log2_size < 0) { /* up to 3.10: index width follows from the size */
		size = read_ptr(keys + lay->keys_size);
		if (!size || size > (1U << 24))
			return -1;
		view->mask = size - 1;
		view->width = size <= 0xff ? 1 : size <= 0xffff ? 2 : 4;
		view->entries = view->indices + size * view->width;
		return 0;
	}
	head = read_ptr(keys + lay->keys_log2_size); /* bytes: size, index bytes, kind, version */
	log2_index_bytes = head >> 8 * (lay->keys_log2_index_bytes - lay->keys_log2_size) & 0xff;
	head &= 0xff | 0xffULL << 8 * (lay->keys_kind - lay->keys_log2_size);
	/* Indices have 4 bytes at most. */
	if ((head & 0xff) > 24 || log2_index_bytes > 26 || log2_index_bytes < (head & 0xff))
		return -1;
	view->mask = (1ULL << (head & 0xff)) - 1;
	view->width = 1U << (log2_index_bytes - (head & 0xff));
	view->entries = view->indices + (1ULL << log2_index_bytes);
	if (head >> 8) /* all keys are str: no hash stored */
		view->step = 16;
	return 0;
}

/* One place of the table: 1 found (t->dict_view.value), 0 go on, -1 the key is not in the dict. */
__noinline int dict_try(struct thread *t, const struct pyi_layout *lay, u64 hash, u64 place)
{
	struct dict_view *view;
	u64 index = 0, free, entry, words[3] = {};

	if (!t || !lay)
		return -1;
	view = &t->dict_view;
	/* The entries lie behind: more than the index can be read. */
	if (read_mem(&index, sizeof(index), view->indices + place * view->width))
		return -1;
	free = view->width == 1 ? 0xff : view->width == 2 ? 0xffff : 0xffffffff;
	index &= free;
	if (index == free)
		return -1;
	if (index > view->mask) /* was deleted */
		return 0;
	entry = view->entries + index * view->step;
	/* The last one may stand at the end of its mapping. */
	if (read_mem(words, view->step == 16 ? 16 : 24, entry))
		return -1;
	if (view->step == 16) {
		if (!words[0] || str_hash(lay, words[0]) != hash)
			return 0;
		view->value = words[1];
		return 1;
	}
	view->value = words[2];
	return words[0] == hash;
}

__noinline u64 dict_find(struct thread *t, const struct pyi_layout *lay, u64 dict, u64 hash)
{
	u64 place = hash, perturb = hash;
	int found;

	if (!t || !lay || !dict || lay->str_length < 0 || dict_open(t, lay, dict))
		return 0;
	for (int i = 0; i < PROBES_MAX; i++) {
		found = dict_try(t, lay, hash, place & t->dict_view.mask);
		if (found)
			return found > 0 ? t->dict_view.value : 0;
		perturb >>= 5;
		place = (place & t->dict_view.mask) * 5 + perturb + 1;
	}
	return 0;
}

/* First letters of the name of an object's type. */
static __always_inline u64 type_word(const struct pyi_layout *lay, u64 obj)
{
	return read_ptr(read_ptr(read_ptr(obj + lay->ob_type) + lay->type_name));
}

/*
 * First letters of the name of the type of a module's loader, 0 = unknown. __loader__ is among the
 * first five names of every module: module_init_dict.
 */
__noinline u64 module_loader(struct thread *t, const struct pyi_layout *lay, u64 module)
{
	u64 entry, words[2];
	u32 chars;

	if (!t || !lay || !module || lay->module_name_dict < 0 || lay->dict_keys < 0 ||
	    dict_open(t, lay, read_ptr(module + lay->module_name_dict)))
		return 0;
	entry = t->dict_view.entries + (t->dict_view.step == 24 ? 8 : 0);
	for (int i = 0; i < 5; i++, entry += t->dict_view.step) {
		chars = 0;
		if (read_mem(words, sizeof(words), entry))
			return 0;
		if (str_word(lay, words[0], &chars) ==
			    WORD8('_', '_', 'l', 'o', 'a', 'd', 'e', 'r') && chars == 10)
			return type_word(lay, words[1]);
	}
	return 0;
}

/* NamespaceLoader, _NamespaceLoader up to 3.10. */
static __always_inline bool is_namespace(u64 loader)
{
	return loader == WORD8('N', 'a', 'm', 'e', 's', 'p', 'a', 'c') ||
	       loader == WORD8('_', 'N', 'a', 'm', 'e', 's', 'p', 'a');
}

/* What has a file of code runs that; an extension that is loaded again may run nothing. */
__noinline u32 module_idle_reload(struct thread *t, const struct pyi_layout *lay, u64 module)
{
	u64 loader;

	if (!t || !lay || !module || lay->type_name < 0)
		return RELOAD_UNKNOWN;
	loader = module_loader(t, lay, module);
	if (loader == WORD8('S', 'o', 'u', 'r', 'c', 'e', 'F', 'i') ||
	    loader == WORD8('S', 'o', 'u', 'r', 'c', 'e', 'l', 'e'))
		return RELOAD_FAILED;
	return is_namespace(loader) || loader == WORD8('E', 'x', 't', 'e', 'n', 's', 'i', 'o') ?
		       RELOAD_DONE : RELOAD_UNKNOWN;
}

/* sys.modules may hold anything: the type tells. That of a LazyLoader's module is _LazyModule. */
__noinline u32 module_idle_kind(struct thread *t, const struct pyi_layout *lay, u64 module)
{
	u64 word;

	if (!t || !lay || !module || lay->type_name < 0)
		return 0;
	word = type_word(lay, module);
	if (word == WORD8('_', 'L', 'a', 'z', 'y', 'M', 'o', 'd'))
		return PYI_MARK_LAZY_MODULE;
	return word << 8 == WORD8(0, 'm', 'o', 'd', 'u', 'l', 'e', 0) &&
			       is_namespace(module_loader(t, lay, module)) ?
		       PYI_MARK_NEW_MODULE : 0;
}
