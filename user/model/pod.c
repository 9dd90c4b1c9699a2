// SPDX-License-Identifier: BSD-2-Clause
/* See pod.h. No other runtime lets a name have a slash. */
#include "model/pod.h"

#include <stddef.h>
#include <string.h>

/* Up to @end; false: there is nothing, or too much. */
static bool take(char *part, size_t room, const char *name, const char *end)
{
	size_t sz = (size_t)(end - name);

	if (!sz || sz >= room)
		return false;
	memcpy(part, name, sz);
	part[sz] = '\0';
	return true;
}

static bool split(const char *name, struct pod_name *out)
{
	const char *first = name ? strchr(name, '/') : NULL, *second, *end;

	if (!first)
		return false;
	second = strchr(first + 1, '/');
	end = name + strlen(name);
	if (!second)
		return take(out->pod, sizeof(out->pod), name, first) &&
		       take(out->container, sizeof(out->container), first + 1, end);
	return !strchr(second + 1, '/') && take(out->space, sizeof(out->space), name, first) &&
	       take(out->pod, sizeof(out->pod), first + 1, second) &&
	       take(out->container, sizeof(out->container), second + 1, end);
}

bool pod_name_parse(const char *name, struct pod_name *out)
{
	*out = (struct pod_name){};
	if (split(name, out))
		return true;
	*out = (struct pod_name){};
	return false;
}
