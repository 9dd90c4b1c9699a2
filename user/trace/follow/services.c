// SPDX-License-Identifier: BSD-2-Clause
/* See services.h. */
#include "trace/follow/services.h"

#include <stdlib.h>
#include <string.h>

#include "interpreters/containers/container.h"
#include "trace/until.h"

static size_t service_sz(const char *path, const char *top)
{
	size_t sz = strcmp(top, "/") ? strlen(top) : 0;
	struct container container;

	if (container_parse(path, &container) && container.path_sz > sz)
		return container.path_sz;
	return path[sz] ? sz + 1 + strcspn(path + sz + 1, "/") : sz;
}

unsigned int services__number(struct services *services, const char *path, const char *top,
			      size_t first)
{
	size_t sz = service_sz(path, top);
	char **bigger, *copy;

	for (size_t i = 0; i < services->cnt; i++)
		if (!strncmp(services->paths[i], path, sz) && !services->paths[i][sz])
			return (unsigned int)(first + i);
	if (first + services->cnt >= SERVICES_MAX)
		return SERVICE_NONE;
	bigger = reallocarray(services->paths, services->cnt + 1, sizeof(*bigger));
	if (!bigger)
		return SERVICE_NONE;
	services->paths = bigger;
	copy = strndup(path, sz);
	if (!copy)
		return SERVICE_NONE;
	bigger[services->cnt] = copy;
	return (unsigned int)(first + services->cnt++);
}

void services__clear(struct services *services)
{
	for (size_t i = 0; i < services->cnt; i++)
		free(services->paths[i]);
	free(services->paths);
}
