/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory and descriptor ownership by attribute: an owning local is initialised where it is
 * declared, is released when it leaves scope, and hands ownership on only by TAKE_PTR/TAKE_FD.
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

static inline void cleanup_free(void *ptr)
{
	free(*(void **)ptr);
}

/* Keeps errno: a close on an error path must not hide why we are on it. */
static inline void cleanup_close(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void cleanup_fclose(FILE **file)
{
	int saved = errno;

	if (*file)
		fclose(*file);
	errno = saved;
}

#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)

/* The value moves out; what stays behind owns nothing. */
#define TAKE_PTR(ptr) ({ \
	__typeof__(ptr) *take_from_ = &(ptr); \
	__typeof__(ptr) take_value_ = *take_from_; \
	*take_from_ = NULL; \
	take_value_; \
})

#define TAKE_FD(fd) ({ \
	int *take_from_ = &(fd); \
	int take_value_ = *take_from_; \
	*take_from_ = -1; \
	take_value_; \
})

#endif
