/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process that holds starting programs, and how it talks to us. Private to hold.c and
 * holder.c. It is a process of its own because execs of the whole host wait for its answer: it
 * must go on answering when the tracer is stopped, hangs or is busy.
 */
#ifndef INTERPRETERS_HOLD_HOLDER_H
#define INTERPRETERS_HOLD_HOLDER_H

#include <linux/types.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "interpreters/hold/hold.h"

#define HOLDER_FDS_MAX 4096 /* processors */
#define HOLDER_PATH_SZ 512
#define HOLDER_SLOTS HOLD_NOTES_MAX

struct mapped;

enum holder_ask {
	HOLDER_HELLO = 0, /* said first, not answered: everything is in place */
	HOLDER_EXEC = 1,  /* a file is being exec'ed, its descriptor attached; the exec waits */
	HOLDER_MAPPED,    /* a process mapped a file and runs on: what is it? Asked of the scout */
	/* After HOLDER_WANT_STOP and HOLDER_WANT_LOOK, when its turn comes. */
	HOLDER_STOPPED,   /* its thread stands still */
	HOLDER_UNSTOPPED, /* it runs on */
	HOLDER_LOST,      /* mappings since .ts_ns were not told to us: look at who is wanted */
};

struct holder_request {
	__u32 seq;
	__u32 ask;      /* enum holder_ask */
	pid_t tgid;     /* 0 = unknown */
	__u32 pad;
	/* For mappings only: see struct mapped_event. */
	__u64 ts_ns, start, end, dev, ino;
	__u64 waits_ns; /* for HOLDER_EXEC and HOLDER_STOPPED: since then */
	char path[HOLDER_PATH_SZ]; /* "" = none, or too long */
};

enum holder_want {
	HOLDER_WANT_IGNORE = 1 << 0, /* the file need not be asked about until it is written to */
	HOLDER_WANT_STOP = 1 << 1,   /* a Python to be probed: stop the thread, ask again */
	HOLDER_WANT_LOOK = 1 << 2,   /* ask again, without stopping it */
	HOLDER_WANT_TIME = 1 << 3,   /* the holder's own: there is no answer yet */
};

struct holder_reply {
	__u32 seq;
	__u32 want; /* enum holder_want */
	__s32 slot; /* where to add how long it was held, -1 = nowhere */
	__u64 dev, ino; /* of the file of an exec, as mappings have them; 0 = not known */
	__u64 cpu_ns;   /* what the answer took of a processor */
};

/* Shared memory; written by the holder only. */
struct holder_counts {
	_Atomic __u64 held_cnt, total_ns, missed_cnt, late_cnt;
	_Atomic __u64 max_ns, max_stop_ns; /* of an exec, since it may have begun; of a thread */
	_Atomic __u64 refused_cnt; /* execs of files that the kernel could not open for us */
	_Atomic __u64 lost_cnt;
	_Atomic __u64 waiting_cnt; /* what may be an interpreter, runs on and was not looked at */
	_Atomic __u64 slots_start_ns[HOLDER_SLOTS], slots_ns[HOLDER_SLOTS];
};

struct holder_opts {
	int fan_fd;             /* -1: execs are not held */
	struct mapped *mapped;  /* NULL: mappings are not noticed */
	bool can_stop;          /* may stop threads */
	const struct hold_ops *ops; /* .wants is NULL: all are wanted */
	int sock, scout_sock;
	pid_t tracer;
	struct holder_counts *counts;
};

/* The life of the process: serves until the socket closes or the tracer dies. */
void holder_run(const struct holder_opts *opts) __attribute__((noreturn));

#endif
