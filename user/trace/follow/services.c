// SPDX-License-Identifier: BSD-2-Clause
/* See homes.h. */
#include "trace/follow/services.h"

#include <stdlib.h>
#include <string.h>

#include "interpreters/containers/container.h"
#include "trace/until.h"

static size_t home_sz(const char *path, const char *top)
{
	size_t sz = strcmp(top, "/") ? strlen(top) : 0;
	struct container container;

	if (container_parse(path, &container) && container.path_sz > sz)
		return container.path_sz;
	return path[sz] ? sz + 1 + strcspn(path + sz + 1, "/") : sz;
}

unsigned int homes__number(struct homes *homes, const char *path, const char *top, size_t first)
{
	size_t sz = home_sz(path, top);
	char **bigger, *copy;

	for (size_t i = 0; i < homes->cnt; i++)
		if (!strncmp(homes->paths[i], path, sz) && !homes->paths[i][sz])
			return (unsigned int)(first + i);
	if (first + homes->cnt >= HOMES_MAX)
		return HOME_NONE;
	bigger = reallocarray(homes->paths, homes->cnt + 1, sizeof(*bigger));
	if (!bigger)
		return HOME_NONE;
	homes->paths = bigger;
	copy = strndup(path, sz);
	if (!copy)
		return HOME_NONE;
	bigger[homes->cnt] = copy;
	return (unsigned int)(first + homes->cnt++);
}

void homes__clear(struct homes *homes)
{
	for (size_t i = 0; i < homes->cnt; i++)
		free(homes->paths[i]);
	free(homes->paths);
}
