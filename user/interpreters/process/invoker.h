/* SPDX-License-Identifier: BSD-2-Clause */
/* Who a launched command belongs to: under sudo the person who typed it, else ourselves. */
#ifndef INTERPRETERS_PROCESS_INVOKER_H
#define INTERPRETERS_PROCESS_INVOKER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct invoker {
	bool is_other;  /* not who we run as: change to it before the command runs */
	uid_t uid;
	gid_t gid;
	char *name;     /* NULL = unknown: no supplementary groups then */
	char **env;     /* environment of the command; one block, NULL-terminated */
	size_t env_cnt;
};

/*
 * Under sudo (we are root and SUDO_UID is set) the invoking user. Their environment is read from
 * the sudo process above us, so that PATH, VIRTUAL_ENV and PYTHONPATH are those they see, with what
 * was set or unset between that sudo and us; where that cannot be had, ours with HOME, USER,
 * LOGNAME and SHELL put right.
 */
int invoker_find(struct invoker *out);
void invoker_clear(struct invoker *invoker);

/*
 * Who is to own the files we write: 0 and the invoking user's ids if a sudo that belongs to root
 * is really above us and gave us these ids, else -ENOENT and nothing is set. Variables alone could
 * name anybody.
 */
int invoker_owner(uid_t *uid, gid_t *gid);

/* Value of @name in the command's environment, NULL when unset. */
const char *invoker_getenv(const struct invoker *invoker, const char *name);

/* Becomes that user, for good, and gives up all capabilities. 0 or -errno. No-op if !is_other. */
int invoker_become(const struct invoker *invoker);

#endif
