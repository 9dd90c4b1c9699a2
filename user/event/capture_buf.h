/* SPDX-License-Identifier: BSD-2-Clause */
/* Buffers that only grow. */
#ifndef EVENT_CAPTURE_BUF_H
#define EVENT_CAPTURE_BUF_H

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

struct capture_buf { /* starts as {0}; free(data) */
	unsigned char *data;
	size_t cap;
};

/* Room for @size bytes; what was there stays. -ENOMEM. */
static inline int capture_buf__reserve(struct capture_buf *buf, size_t size)
{
	unsigned char *grown;

	if (size <= buf->cap)
		return 0;
	grown = realloc(buf->data, size);
	if (!grown)
		return -ENOMEM;
	buf->data = grown;
	buf->cap = size;
	return 0;
}

#endif
