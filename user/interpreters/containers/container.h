/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Containers: their ids from paths of cgroups, their names from the files and processes of the
 * runtimes. Names are what somebody called a container: hostile text.
 */
#ifndef INTERPRETERS_CONTAINERS_CONTAINER_H
#define INTERPRETERS_CONTAINERS_CONTAINER_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define CONTAINER_ID_SZ 256

/* A container as the path of a cgroup names it. */
struct container {
	char id[CONTAINER_ID_SZ];
	const char *runtime; /* "podman", "docker", "containerd", "cri-o", "lxc", "nspawn"; NULL = unknown */
	size_t path_sz;      /* of the cgroup's path, up to the end of the container's own part */
};

/* The innermost container in @path, a path below a hierarchy's root. False: there is none. */
bool container_parse(const char *path, struct container *out);

/* The same within the first @sz bytes: from the inside out, for containers in containers. */
bool container_parse_sz(const char *path, size_t sz, struct container *out);

/* The line of /proc/PID/cgroup's text that names a container. *path is malloc'd, NULL if none. */
int container_find_line(const char *text, struct container *out, char **path);

struct containers;

int containers__new(struct containers **out);
void containers__free(struct containers *containers);

/* Of a container; what is not known is NULL. Names are malloc'd where they are handed out. */
struct container_names {
	char *name, *image;  /* what it and its image are called */
	const char *runtime; /* what runs it */
};

/* May read files. The names are the caller's. */
void containers__names(struct containers *containers, const struct container *container,
		       struct container_names *out);
void container_names_clear(struct container_names *names);

/*
 * The container around @path that the user means: @wanted is its name or how its id begins (at
 * least CONTAINER_PREFIX_MIN characters). False: no container in @path is.
 */
#define CONTAINER_PREFIX_MIN 4
bool containers__match(struct containers *containers, const char *path, const char *wanted,
		       struct container *out);

/* Every container the runtimes know of, running or not. */
typedef void (*container_fn)(void *ctx, const char *id, const struct container_names *names);
void containers__each(struct containers *containers, container_fn fn, void *ctx);

#endif
