/* SPDX-License-Identifier: BSD-2-Clause */
/* What is checked out where we run. */
#ifndef CLI_REPOSITORY_H
#define CLI_REPOSITORY_H

#include <stddef.h>

/*
 * The top of the repository: $GITHUB_WORKSPACE, or the nearest directory from @cwd up that has a
 * .git. @cwd is absolute, @buf at least as long. NULL: there is none.
 */
const char *repository_find(const char *cwd, char *buf, size_t buf_sz);

#endif
