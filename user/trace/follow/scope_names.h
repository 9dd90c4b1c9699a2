/* SPDX-License-Identifier: BSD-2-Clause */
/* From --cgroup and --container to a cgroup's path, or a list of what may have been meant. */
#ifndef TRACE_FOLLOW_SCOPE_NAMES_H
#define TRACE_FOLLOW_SCOPE_NAMES_H

struct containers;
struct opts;

/*
 * @wanted is one of those the options name. *path, malloc'd, leads to the hierarchy: the cgroup's
 * own or, with --wait, the nearest one around it that exists. NULL in *path: any hierarchy.
 * -errno after a logged message.
 */
int scope_find_cgroup(const struct opts *opts, const char *wanted, char **path);
int scope_find_container(const struct opts *opts, const char *wanted,
			 struct containers *containers, char **path);

#endif
