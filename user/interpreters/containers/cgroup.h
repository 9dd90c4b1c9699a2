/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One hierarchy of cgroups, v2 or that of one v1 controller: from a path to the id the kernel
 * compares, from an id back to a path, and who is inside. Paths are those of /proc/PID/cgroup:
 * below the root of the hierarchy, with a leading slash. Any cgroup may vanish at any moment.
 */
#ifndef INTERPRETERS_CONTAINERS_CGROUP_H
#define INTERPRETERS_CONTAINERS_CGROUP_H

#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>

#include "interpreters/process/proc.h"

struct cgroups;

/*
 * Finds the hierarchy. @path: a directory of it, or a path below the root of any (tried in v2,
 * then in v1's); NULL = v2 where it is mounted, else the v1 hierarchy that containers use.
 * -ENOENT: no such cgroup. -ENODEV: no cgroup file system is mounted. -ENOTSUP: a v1 hierarchy
 * without a controller (name=systemd), which the kernel's programs cannot see.
 */
int cgroups__new(const char *path, struct cgroups **out);
void cgroups__free(struct cgroups *cgroups);

/* Controller whose v1 hierarchy it is, NULL = v2. */
const char *cgroups__controller(const struct cgroups *cgroups);

/* Number of the hierarchy in /proc/PID/cgroup; 0 = v2. */
__u32 cgroups__root(const struct cgroups *cgroups);

/* A cgroup by @path as the user gives it: its id, and in *out its path, malloc'd. */
int cgroups__find(const struct cgroups *cgroups, const char *path, __u64 *id, char **out);

/* Path of a process in this hierarchy, malloc'd. */
int cgroups__of_process(const struct cgroups *cgroups, int proc_fd, char **out);

/* Remembers the name of an id, as a record of the kernel gives it. */
void cgroups__note(struct cgroups *cgroups, __u64 id, const char *path);

/* Remembers the names of all that are there now: one that is gone when asked for has one then. */
void cgroups__note_all(struct cgroups *cgroups);

/* Path of an id: remembered, or asked from the file system. NULL when it is gone. */
const char *cgroups__path(struct cgroups *cgroups, __u64 id);

/* Each process in @path and below until @fn returns non-zero, which is then the result. */
int cgroups__each_process(const struct cgroups *cgroups, const char *path, proc_fn fn, void *ctx);

/* Is there a process in @path or below? */
bool cgroups__is_used(const struct cgroups *cgroups, const char *path);

/* Is @path @top itself or below it? */
bool cgroup_is_below(const char *path, const char *top);

/* The path in one line of /proc/PID/cgroup with hierarchy @root, malloc'd. -ENOENT: none. */
int cgroup_parse(const char *text, __u32 root, char **out);

/* The systemd unit a path names: its deepest service or scope; "" in @unit if there is none. */
#define CGROUP_UNIT_SZ 256
void cgroup_unit(const char *path, char unit[CGROUP_UNIT_SZ]);

#endif
