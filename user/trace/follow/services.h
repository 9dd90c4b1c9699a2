/* SPDX-License-Identifier: BSD-2-Clause */
/* Containers and cgroups below one that was named: each is a service of its own. */
#ifndef TRACE_FOLLOW_SERVICES_H
#define TRACE_FOLLOW_SERVICES_H

#include <stddef.h>

struct services {
	char **paths;
	size_t cnt;
};

/*
 * The number of what @path, below @top, belongs to: its container, else the cgroup next below @top.
 * Numbers count from @first. SERVICE_NONE: there are too many, or memory ran out.
 */
unsigned int services__number(struct services *services, const char *path, const char *top,
			      size_t first);
void services__clear(struct services *services);

#endif
