/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a hierarchy of cgroups is mounted, and paths on both sides of the mount point. */
#ifndef INTERPRETERS_CONTAINERS_CGROUP_MOUNT_H
#define INTERPRETERS_CONTAINERS_CGROUP_MOUNT_H

#include <linux/types.h>

struct cgroup_mount {
	char *dir;           /* mount point */
	char *root;          /* what of the hierarchy is mounted there: "" = all of it */
	char controller[32]; /* "" = v2 */
	__u32 root_id;       /* in /proc/PID/cgroup */
};

/* As cgroups__new. */
int cgroup_mount_find(const char *path, struct cgroup_mount *out);
void cgroup_mount_clear(struct cgroup_mount *mount);

/* Directory of a path the user gave: one of this mount, or below its root. -ENOENT, -EXDEV. */
int cgroup_mount_resolve(const struct cgroup_mount *mount, const char *path, char **dir);

/* Between a path of the hierarchy and its directory here, both malloc'd. -ENOENT: not mounted. */
int cgroup_mount_dir(const struct cgroup_mount *mount, const char *path, char **dir);
int cgroup_mount_below(const struct cgroup_mount *mount, const char *dir, char **path);

/* Finds out root_id of a mount that was parsed. -ENODEV: its hierarchy is not there. */
int cgroup_mount_root_id(struct cgroup_mount *mount);

/* Parses one line of /proc/self/mountinfo. 0, or -EINVAL: not of a cgroup file system. */
int cgroup_mount_parse(char *line, struct cgroup_mount *out);

#endif
