/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which files the host's programs map to execute, as the kernel tells of it a few microseconds
 * later: side-band records of perf events that count nothing. This is how a libpython is noticed
 * that a running program opens by dlopen, and an interpreter whose exec could not be held.
 *
 * Made by the tracer, read by another process forked from it: reading allocates nothing.
 */
#ifndef INTERPRETERS_HOLD_MAPPED_H
#define INTERPRETERS_HOLD_MAPPED_H

#include <linux/types.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct mapped;

struct mapped_event {
	pid_t tgid, tid;
	__u64 ts_ns;        /* CLOCK_MONOTONIC */
	__u64 start, end;   /* addresses */
	__u64 dev, ino;     /* as /proc/PID/maps has them: major << 32 | minor */
	const char *path;   /* as the process named it; valid until the next mapped__next */
};

/* One event per processor. -EPERM, -EACCES: no CAP_PERFMON. */
int mapped__new(struct mapped **out);
void mapped__free(struct mapped *mapped); /* NULL-safe */

/* The descriptors, to be kept open across whatever closes descriptors. */
size_t mapped__fd_cnt(const struct mapped *mapped);
int *mapped__fds(struct mapped *mapped);

/* In the process that reads: maps the buffers, which a fork does not inherit. */
int mapped__start(struct mapped *mapped);

/*
 * The next mapping of a file that is not known (see below) and may be an interpreter by the size
 * of its code; false = none waits.
 */
bool mapped__next(struct mapped *mapped, struct mapped_event *out);

/*
 * From now on the file's later mappings are not told any more. What is known is forgotten every
 * ten minutes: a file may have been written to.
 */
void mapped__know(struct mapped *mapped, const struct mapped_event *event, __u64 now_ns);

/* Records the kernel had no room for. */
__u64 mapped__lost(const struct mapped *mapped);

/*
 * The time of the last record before the first for which there was no room since the last call;
 * 0 = there was, for all that is known.
 */
__u64 mapped__lost_since(struct mapped *mapped);

#endif
