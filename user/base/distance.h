/* SPDX-License-Identifier: BSD-2-Clause */
/* How far a name is from the one that was meant. */
#ifndef BASE_DISTANCE_H
#define BASE_DISTANCE_H

#include <stddef.h>

/*
 * Edits between two texts: one character more, less, other, or two neighbours swapped. Capitals are
 * small letters; of each text the first 63 bytes count.
 */
size_t text_distance(const char *a, const char *b);

/* The name in @names (NULL-terminated) that @word was probably meant to be; NULL: none is near. */
const char *text_nearest(const char *word, const char *const *names);

#endif
