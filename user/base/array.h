/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays that grow. */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <errno.h>
#include <stdlib.h>

/* @array with room for one more than @cnt items. NULL: no memory, and @array is as it was. */
static inline void *array_room(void *array, size_t cnt, size_t *cap, size_t item_sz)
{
	size_t new_cap = *cap ? *cap * 2 : 4;
	void *bigger;

	if (cnt < *cap)
		return array;
	bigger = reallocarray(array, new_cap, item_sz);
	if (bigger)
		*cap = new_cap;
	return bigger;
}

/* Appends @item to *@array, which has *@cnt items and room for *@cap. 0 or -ENOMEM. */
#define array_push(array, cnt, cap, item) ({ \
	__typeof__(*(array)) array_new = array_room(*(array), *(cnt), (cap), sizeof(**(array))); \
	if (array_new) { \
		*(array) = array_new; \
		array_new[(*(cnt))++] = (item); \
	} \
	array_new ? 0 : -ENOMEM; \
})

#endif
