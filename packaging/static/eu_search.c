/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elfutils 0.191 and 0.192 leave five functions out of their static libelf: those of libeu, which
 * the shared library contains (Debian 12's backports, Debian 13). They are a search tree whose root
 * is the first member of the struct that libelf allocates. The lock that comes after it in threaded
 * builds is left alone: an Elf of ours is used by one thread.
 */
#include <search.h>
#include <stddef.h>

typedef int (*eu_compare)(const void *, const void *);

void eu_search_tree_init(void **tree);
void eu_search_tree_fini(void **tree, void (*free_node)(void *));
void *eu_tsearch(const void *key, void **tree, eu_compare compare);
void *eu_tfind(const void *key, void **tree, eu_compare compare);
void *eu_tdelete(const void *key, void **tree, eu_compare compare);

void eu_search_tree_init(void **tree)
{
	*tree = NULL;
}

void eu_search_tree_fini(void **tree, void (*free_node)(void *))
{
	tdestroy(*tree, free_node);
	*tree = NULL;
}

void *eu_tsearch(const void *key, void **tree, eu_compare compare)
{
	return tsearch(key, tree, compare);
}

void *eu_tfind(const void *key, void **tree, eu_compare compare)
{
	return tfind(key, tree, compare);
}

void *eu_tdelete(const void *key, void **tree, eu_compare compare)
{
	return tdelete(key, tree, compare);
}
