// SPDX-License-Identifier: BSD-2-Clause
/* Files as a repository names them: what annotations of pull requests are found by. */
#include <string.h>

#include "report/ci/check.h"

/* @path from below @dir on; NULL: it is not below it. */
static const char *below(const char *path, const char *dir)
{
	size_t len = dir ? strlen(dir) : 0;

	while (len && dir[len - 1] == '/')
		len--;
	return len && !strncmp(path, dir, len) && path[len] == '/' && path[len + 1] ?
		       path + len + 1 : NULL;
}

void ci_place(const char *root, const char *cwd, const char *path, struct text_buf *out)
{
	struct text_buf whole = { 0 };
	const char *inside;

	if (*path != '/' && cwd)
		text_buf__printf(&whole, "%s/", cwd);
	text_buf__add(&whole, path);
	inside = below(text_buf__str(&whole), root);
	if (!inside)
		inside = below(text_buf__str(&whole), cwd);
	text_buf__add(out, inside ? inside : path);
	text_buf__free(&whole);
}
