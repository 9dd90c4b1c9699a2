/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holds what starts Python for the moment it takes to probe it, so that an interpreter nobody
 * could foresee (a version manager's shim, a wrapper script, a container's own Python, a
 * libpython that a running program opens) is probed before its first import.
 *
 * An exec is held by a fanotify permission event. A program that maps a library to execute is
 * noticed from the kernel's mapping records, and stopped by ptrace if a look into the library shows
 * a Python that is not probed: nothing else is ever stopped that way. A small process of its own
 * does both; whatever happens to it or to us, the kernel lets everything go when it ends.
 */
#ifndef INTERPRETERS_HOLD_HOLD_H
#define INTERPRETERS_HOLD_HOLD_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define HOLD_LIMIT_NS 2000000000ULL /* longer than this nothing waits for us */
/* Longer no exec waits: its mapping is noticed later, and stops nobody but itself. */
#define HOLD_EXEC_LIMIT_NS 400000000ULL

/* Smaller ones are not told of: the leanest interpreters have twice as much. */
#define MAPPED_CODE_MIN_SZ (512u << 10)

#define HOLD_WANTS_FDS 2
#define HOLD_NOTES_MAX 2048 /* answers with HOLD_NOTE whose length is told */

struct hold;

enum hold_answer {
	HOLD_IGNORE = 1 << 0, /* the same file need not be offered again until it is written to */
	HOLD_NOTE = 1 << 1,   /* keep how long this was held, for hold__noted */
	/* Of a scout: */
	HOLD_STOP = 1 << 2,   /* it must be probed: stop who mapped it, and call .mapped */
	HOLD_LOOK = 1 << 3,   /* call .mapped, while it runs on */
};

/* A program has mapped a file to execute. */
struct hold_mapping {
	pid_t tgid;
	__u64 ts_ns, start, end;
	__u64 dev, ino;  /* as in /proc/PID/maps: major << 32 | minor */
	bool is_over;    /* nothing is probed any more, and nobody waits: what was it? */
	const char *path; /* as the process named the file, "" if not known */
	__u64 stopped_ns; /* its thread stands still since then, until the answer; 0 = it runs on */
};

struct hold_ops {
	/*
	 * Is this process to be traced at all? What others start is let go at once, unasked. Called
	 * in another process, a fork of us: it may use @wants_fds (-1 = none), but no other
	 * descriptor, and take no lock. NULL: all are.
	 */
	bool (*wants)(void *ctx, pid_t tgid);
	/* Was it, when it ended at @since_ns or later? Likewise. */
	bool (*wanted)(void *ctx, pid_t tgid, __u64 since_ns);
	int wants_fds[HOLD_WANTS_FDS];
	bool want_all_execs; /* @wants is about mappings only */
	/* On a thread of hold's; the answer is a set of enum hold_answer. */
	/*
	 * @path as our mount namespace names it, @tgid who execs (0 = in another pid namespace) and
	 * waits since @since_ns.
	 */
	unsigned int (*exec)(void *ctx, int fd, const char *path, pid_t tgid, __u64 since_ns);
	unsigned int (*mapped)(void *ctx, const struct hold_mapping *mapping);
	/* Mappings since @since_ns were not noticed, whoever made them. Called if .wants is set. */
	void (*lost)(void *ctx, __u64 since_ns);
	/* On another thread, which must be quick: is this worth a stop? */
	unsigned int (*scout)(void *ctx, const struct hold_mapping *mapping);
	void *ctx;
	bool is_multi;     /* probes are uprobe_multi: see privilege_keep_tracing */
	bool want_no_stop; /* only notice: neither execs nor threads are held */
};

struct hold_stats {
	__u64 held_cnt;         /* execs and threads held, ld.so and scripts counted too */
	__u64 total_ns;         /* that they were held */
	__u64 max_ns;           /* that an exec waited, at most: also for another that was first */
	__u64 max_stop_ns;      /* that a thread was stopped */
	__u64 refused_cnt;      /* execs refused by the kernel: it could not open the file for us */
	__u64 missed_cnt;       /* not looked at: queue overflow, or reading failed */
	__u64 late_cnt;         /* let go because we took longer than HOLD_LIMIT_NS */
	__u64 lost_cnt;         /* mappings not noticed, and not given to .lost */
	__u64 unseen_cnt;       /* mappings of what may be a Python, not looked at before the end */
	bool has_ended;         /* the process that answers was killed: nothing is held since */
};

/*
 * *exec_err and *mapped_err say why one of the two ways cannot be used, else 0: -EPERM without
 * CAP_SYS_ADMIN or CAP_PERFMON; -ENOSYS, -EINVAL: not in this kernel; -ENODEV: no mark was
 * accepted. Returns 0 when at least one can.
 */
int hold__new(const struct hold_ops *ops, int *exec_err, int *mapped_err, struct hold **out);

/* Lets go what is held; .exec and .mapped are not called any more. */
void hold__hang_up(struct hold *hold);

/*
 * Waits for the end of the process, two seconds at most: no callback any more. For who has nothing
 * left that a target could feel.
 */
void hold__end(struct hold *hold);

void hold__stats(const struct hold *hold, struct hold_stats *out);

/*
 * How long the @index-th hold was that was answered with HOLD_NOTE; 0 = the process that holds did
 * not live to tell. False behind the last.
 */
bool hold__noted(const struct hold *hold, size_t index, __u64 *start_ns, __u64 *took_ns);

/* Ends it if need be. NULL-safe. */
void hold__free(struct hold *hold);

/* Can execs be held? 0 or the -errno of hold__new, nothing marked. */
int hold_check(void);

#endif
