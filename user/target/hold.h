/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holds every exec on the host for the moment it takes to look at the file, so that an
 * interpreter nobody could foresee (a version manager's shim, a wrapper script, a container's own
 * Python) is probed before its first instruction. A small process of its own gives the answers;
 * whatever happens to it or to us, the kernel lets everything go when its descriptor closes.
 */
#ifndef TARGET_HOLD_H
#define TARGET_HOLD_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define HOLD_LIMIT_NS 2000000000ULL /* longer than this nothing waits for us */

struct hold;

/*
 * Looks at the file of an exec, on a thread of hold's. @path as our mount namespace names it,
 * @tgid the process that execs (0 = in another pid namespace). True when the same file need not
 * be offered again until it is written to.
 */
typedef bool (*hold_fn)(void *ctx, int fd, const char *path, pid_t tgid);

struct hold_stats {
	__u64 held_cnt;         /* execs held, ld.so and scripts counted too */
	__u64 total_ns, max_ns; /* time they were held in user space */
	__u64 missed_cnt;       /* not looked at: queue overflow, or reading failed */
	__u64 late_cnt;         /* let go because we took longer than HOLD_LIMIT_NS */
	bool has_ended;         /* the process that answers is gone: nothing is held any more */
};

/* -EPERM: no CAP_SYS_ADMIN. -ENOSYS, -EINVAL: kernel without it. -ENODEV: no mark was accepted. */
int hold__new(hold_fn fn, void *ctx, struct hold **out);

void hold__stats(const struct hold *hold, struct hold_stats *out);

/* Lets go what is held, ends process and thread. NULL-safe. */
void hold__free(struct hold *hold);

/* Can it be used at all? 0 or the -errno of hold__new, nothing marked. */
int hold_check(void);

#endif
