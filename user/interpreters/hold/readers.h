/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that read the fanotify descriptor. The kernel opens the file of an event inside
 * read(), and that open may take as long as somebody likes: a lease that is not given back, a
 * file system whose server does not answer. So each event is read by a process that does nothing
 * else, and when it does not come back, another one goes on with the next event: no file can hold
 * the execs of others. Private to the holder; allocates nothing.
 *
 * They share the table of descriptors, since the kernel knows an event by its number, and nothing
 * else: one that the kernel cannot get out of an open can be killed by itself.
 */
#ifndef INTERPRETERS_HOLD_READERS_H
#define INTERPRETERS_HOLD_READERS_H

#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>

#define READERS_MAX 1024
#define READERS_STUCK_MAX 64           /* of more files that do not open the execs are refused */
#define READER_PATIENCE_NS 10000000ULL /* an open that takes longer gets a reader beside it */

struct holder_counts;
struct readers_shared;

/* An exec that waits for our answer. */
struct exec_event {
	int fd;         /* its file: to be answered and given back by readers__allow */
	pid_t tgid;
	__u64 start_ns; /* when it was read */
	__u64 since_ns; /* it has waited since then at the longest */
};

struct readers {
	int fan_fd;
	pid_t holder;
	/* In a reader: is this process's exec to be decided by the holder? If not, it goes on. */
	bool (*wants)(void *ctx, pid_t tgid);
	void *ctx;
	struct holder_counts *counts;
	int event_fd;  /* readable: readers__next has something */
	int timer_fd;  /* readable: readers__watch must look after a reader */
	int child_fd;  /* the same: one has ended */
	int event_in, close_fds[2], own_fd; /* theirs */
	struct readers_shared *shared;
	pid_t pids[READERS_MAX];
	unsigned int live_cnt;
	int pending_max;
	bool is_noticed; /* what goes on undecided is noticed by its mapping, and stopped then */
};

/* Starts the first one; @fan_fd, @wants, @ctx, @counts are set. 0 or -errno. */
int readers__start(struct readers *readers);

/* The next exec to be decided; false = none now. */
bool readers__next(struct readers *readers, struct exec_event *out);

/* Lets it go on and counts how long it waited. */
void readers__allow(struct readers *readers, const struct exec_event *event);

/* Sees to it that somebody reads. Ends the holder if that is not possible: it all goes on then. */
void readers__watch(struct readers *readers);

/* How many are inside an open. */
unsigned int readers__busy_cnt(const struct readers *readers);

#endif
