/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which files must be probed: from a command, a process, or a whole host to interpreter files.
 * Remembers every file it looked at, so that a file is opened once however many processes map
 * it. Safe to call from two threads. Knows nothing of probes: what is found goes to a callback.
 */
#ifndef INTERPRETERS_DISCOVER_DISCOVER_H
#define INTERPRETERS_DISCOVER_DISCOVER_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct discover;

/*
 * Called once per interpreter file (not per path), with @fd open for the length of the call.
 * 0 when it is one that is dealt with; -errno: not usable, and then it is offered each time a
 * process is met that uses it. @tgid is that process, 0 when it only lies on the disk. Called
 * under the lock of struct discover, so it must not call back into it.
 */
typedef int (*discover_fn)(void *ctx, int fd, const char *path, pid_t tgid);

enum discover_verdict {
	DISCOVER_NOTHING = 0,     /* no interpreter */
	DISCOVER_INTERPRETER = 1, /* it is one */
	DISCOVER_LIBRARY = 2,     /* it needs a libpython, which was examined too */
	DISCOVER_REFUSED = 3,     /* it is or needs one the callback refused */
};

int discover__new(discover_fn fn, void *ctx, struct discover **out);
void discover__free(struct discover *discover);

/*
 * Looks at the file behind @fd; @path is its name below @root ("" or "/proc/PID/root"), @tgid the
 * process that uses it or 0. Returns an enum discover_verdict or -errno.
 */
int discover__file(struct discover *discover, int fd, const char *path, const char *root,
		   pid_t tgid);

/* The verdict on a file looked at before, or -ENOENT. Waits for nobody who is looking at one. */
int discover__known(struct discover *discover, int fd);

/* Is there certainly no Python in it, nor in what it needs? Offers nothing to the callback. */
bool discover__is_other(struct discover *discover, int fd, const char *path, const char *root);

/*
 * The program that @name starts, by PATH value @path, in process @tgid (0 = it is not started).
 * Verdict or -errno (of shebang_resolve).
 */
int discover__command(struct discover *discover, const char *name, const char *path, pid_t tgid);

/*
 * Everything executable that a process maps. Returns how many interpreter files it uses (seen
 * before or not), or -errno.
 */
int discover__process(struct discover *discover, pid_t tgid);

/* Every process, then python* and libpython* in the PATH and library directories. */
int discover__host(struct discover *discover, const char *path);

/* Files that were not examined, because that takes more than one file may take. */
struct discover_unexamined {
	char *paths[16]; /* of the first ones */
	size_t path_cnt;
	__u64 cnt;
};

/* Of now; for who is alone with it. */
const struct discover_unexamined *discover__unexamined(const struct discover *discover);

/* How many files were looked into so far. */
size_t discover__examined(const struct discover *discover);

#endif
