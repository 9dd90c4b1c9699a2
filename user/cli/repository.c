// SPDX-License-Identifier: BSD-2-Clause
/* See repository.h. */
#include "cli/repository.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *repository_find(const char *cwd, char *buf, size_t buf_sz)
{
	const char *given = getenv("GITHUB_WORKSPACE");
	char git[PATH_MAX + 8];

	if (given && *given == '/' && given[1])
		return given;
	for (snprintf(buf, buf_sz, "%s", cwd); *buf == '/' && buf[1]; *strrchr(buf, '/') = '\0') {
		snprintf(git, sizeof(git), "%s/.git", buf);
		if (!access(git, F_OK))
			return buf;
	}
	return NULL;
}
