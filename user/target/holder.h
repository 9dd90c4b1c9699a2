/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process that owns the fanotify descriptor, and how it talks to us. Private to hold.c and
 * holder.c. It is a process of its own because execs of the whole host wait for its answer: it
 * must go on answering when the tracer is stopped, hangs or is busy.
 */
#ifndef TARGET_HOLDER_H
#define TARGET_HOLDER_H

#include <linux/types.h>
#include <stdatomic.h>
#include <sys/types.h>

/* Asked with the file's descriptor attached. */
struct holder_request {
	__u32 seq;
	pid_t tgid; /* who execs, 0 = unknown */
};

struct holder_reply {
	__u32 seq;
	__u32 want_ignore; /* the file need not be asked about again until it is written to */
};

/* Shared memory; written by the holder only. */
struct holder_counts {
	_Atomic __u64 held_cnt, total_ns, max_ns, missed_cnt, late_cnt;
};

/* The life of the process: serves until @sock closes or the tracer dies. Does not return. */
void holder_run(int fan_fd, int sock, pid_t tracer, struct holder_counts *counts)
	__attribute__((noreturn));

#endif
