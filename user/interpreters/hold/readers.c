// SPDX-License-Identifier: BSD-2-Clause
/* See readers.h. All of it runs between fork and _exit. */
#include "interpreters/hold/readers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "interpreters/hold/holder.h"

#define PENDING_MAX 512   /* descriptors of execs that wait, if our limit allows so many */
#define IDLE_MS 5000      /* one that was needed beside another ends after so long */
#define SPAWN_MAX 32      /* at a time */

enum reader_state {
	READER_IDLE = 0,
	READER_READING, /* .event may have been filled, and nobody has answered it */
	READER_PASSING, /* it may or may not be on its way to the holder */
};

struct reader_slot {
	_Atomic __u64 busy_ns; /* in the hands of a file system since; 0 = is not */
	_Atomic int state;     /* enum reader_state */
	bool is_killed;
	struct fanotify_event_metadata event;
};

struct readers_shared {
	_Atomic int is_timer_set, pending_cnt, reader_cnt;
	struct reader_slot slots[READERS_MAX];
};

struct reader {
	const struct readers *all;
	struct readers_shared *shared;
	struct reader_slot *slot;
	__u64 backlog_ns; /* what is in the queue may have waited since; 0 = it is read at once */
};

static void set_timer(const struct readers *readers)
{
	const struct itimerspec in = { .it_value.tv_nsec = READER_PATIENCE_NS };

	if (!atomic_exchange(&readers->shared->is_timer_set, 1))
		timerfd_settime(readers->timer_fd, 0, &in, NULL);
}

/* What may block for good is done between these two. */
static void enter_open(struct reader *reader)
{
	atomic_store(&reader->slot->busy_ns, clock_ns());
	set_timer(reader->all);
}

static void leave_open(struct reader *reader)
{
	atomic_store(&reader->slot->busy_ns, 0);
}

static void respond(int fan_fd, int fd)
{
	struct fanotify_response response = { .fd = fd, .response = FAN_ALLOW };
	ssize_t put;

	do {
		put = write(fan_fd, &response, sizeof(response));
	} while (put < 0 && errno == EINTR);
}

static void count_hold(struct holder_counts *counts, const struct exec_event *event)
{
	__u64 now = clock_ns(), longest_ns = now - event->since_ns;
	__u64 max_ns = atomic_load(&counts->max_ns);

	atomic_fetch_add(&counts->held_cnt, 1);
	atomic_fetch_add(&counts->total_ns, now - event->start_ns);
	while (longest_ns > max_ns &&
	       !atomic_compare_exchange_weak(&counts->max_ns, &max_ns, longest_ns))
		;
}

/* Leaves it to the holder; false: it is not to be asked, or has enough to do. */
static bool pass_on(struct reader *reader, const struct exec_event *event)
{
	const struct readers *all = reader->all;

	if (!all->wants(all->ctx, event->tgid))
		return false;
	if (atomic_fetch_add(&reader->shared->pending_cnt, 1) < all->pending_max) {
		atomic_store(&reader->slot->state, READER_PASSING);
		if (write(all->event_in, event, sizeof(*event)) == sizeof(*event))
			return true;
	}
	atomic_fetch_sub(&reader->shared->pending_cnt, 1);
	atomic_fetch_add(&all->counts->missed_cnt, !all->is_noticed);
	return false;
}

static void close_slowly(struct reader *reader, int fd)
{
	enter_open(reader);
	close(fd);
	leave_open(reader);
}

static void handle(struct reader *reader, __u64 start_ns)
{
	const struct fanotify_event_metadata *read_event = &reader->slot->event;
	struct exec_event event = { .fd = read_event->fd, .tgid = read_event->pid,
				    .start_ns = start_ns,
				    .since_ns = reader->backlog_ns ?: start_ns };

	/* The kernel had no memory for an event: whose exec it was is not told. */
	if (read_event->mask & FAN_Q_OVERFLOW)
		atomic_fetch_add(&reader->all->counts->missed_cnt, 1);
	if (event.fd < 0)
		return;
	if (pass_on(reader, &event)) {
		atomic_store(&reader->slot->state, READER_IDLE);
		return;
	}
	respond(reader->all->fan_fd, event.fd);
	atomic_store(&reader->slot->state, READER_IDLE);
	count_hold(reader->all->counts, &event);
	close_slowly(reader, event.fd);
}

/* One event at a time, so that a file that does not open keeps none back that was read before. */
static bool read_one(struct reader *reader)
{
	struct reader_slot *slot = reader->slot;
	__u64 before_ns = clock_ns(), now;
	ssize_t sz;

	slot->event.fd = -1;
	atomic_store(&slot->state, READER_READING);
	enter_open(reader);
	sz = read(reader->all->fan_fd, &slot->event, sizeof(slot->event));
	now = clock_ns();
	leave_open(reader);
	if (sz < 0 && errno == EAGAIN) {
		reader->backlog_ns = 0;
	} else if (sz < 0 && errno != EINTR) {
		/* It could not be opened, and then the kernel refuses the exec. */
		atomic_fetch_add(&reader->all->counts->refused_cnt, 1);
	} else if (sz == sizeof(slot->event)) {
		handle(reader, now);
	}
	atomic_store(&slot->state, READER_IDLE);
	if (now - before_ns > READER_PATIENCE_NS / 4 && !reader->backlog_ns)
		reader->backlog_ns = before_ns;
	return sz > 0;
}

/* Not the last one: while it thinks about it, nobody else does. */
static bool may_end(struct reader *reader)
{
	if (atomic_fetch_sub(&reader->shared->reader_cnt, 1) > 1)
		return true;
	atomic_fetch_add(&reader->shared->reader_cnt, 1);
	return false;
}

static void reader_run(const struct readers *readers, struct reader_slot *slot, __u64 backlog_ns)
{
	struct reader reader = { .all = readers, .shared = readers->shared, .slot = slot,
				 .backlog_ns = backlog_ns };
	struct pollfd fds[2] = { { .fd = readers->fan_fd, .events = POLLIN },
				 { .fd = readers->close_fds[0], .events = POLLIN } };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != readers->holder)
		_exit(0);
	for (;;) {
		int ready_cnt = poll(fds, 2, IDLE_MS), fd;

		if (!ready_cnt && may_end(&reader))
			_exit(0);
		if (ready_cnt > 0 && fds[1].revents &&
		    read(readers->close_fds[0], &fd, sizeof(fd)) == sizeof(fd))
			close_slowly(&reader, fd);
		while (ready_cnt > 0 && fds[0].revents && read_one(&reader))
			;
	}
}

static bool spawn(struct readers *readers, __u64 backlog_ns)
{
	for (unsigned int i = 0; i < READERS_MAX; i++) {
		struct reader_slot *slot = &readers->shared->slots[i];

		if (readers->pids[i])
			continue;
		*slot = (struct reader_slot){ .event.fd = -1 };
		atomic_fetch_add(&readers->shared->reader_cnt, 1);
		readers->pids[i] = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, 0);
		if (!readers->pids[i])
			reader_run(readers, slot, backlog_ns);
		if (readers->pids[i] > 0) {
			readers->live_cnt++;
			return true;
		}
		atomic_fetch_sub(&readers->shared->reader_cnt, 1);
		readers->pids[i] = 0;
		return false;
	}
	return false;
}

static int open_descriptors(struct readers *readers)
{
	struct rlimit limit;
	int events[2];
	sigset_t child;

	/* Each exec that waits has a descriptor of ours. */
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
	} else {
		limit.rlim_cur = 256;
	}
	readers->pending_max = limit.rlim_cur / 4 < PENDING_MAX ? limit.rlim_cur / 4 : PENDING_MAX;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	if (pipe2(events, O_CLOEXEC | O_NONBLOCK) ||
	    pipe2(readers->close_fds, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	readers->event_fd = events[0];
	readers->event_in = events[1];
	readers->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	readers->child_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	return readers->timer_fd < 0 || readers->child_fd < 0 ? -errno : 0;
}

int readers__start(struct readers *readers)
{
	int err = open_descriptors(readers);

	if (err)
		return err;
	readers->shared = mmap(NULL, sizeof(*readers->shared), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (readers->shared == MAP_FAILED)
		return -errno;
	return spawn(readers, 0) ? 0 : -EAGAIN;
}

bool readers__next(struct readers *readers, struct exec_event *out)
{
	return read(readers->event_fd, out, sizeof(*out)) == sizeof(*out);
}

void readers__allow(struct readers *readers, const struct exec_event *event)
{
	respond(readers->fan_fd, event->fd);
	atomic_fetch_sub(&readers->shared->pending_cnt, 1);
	count_hold(readers->counts, event);
	/* To close a file is to ask its file system, too: not for us, whom all wait for. */
	if (write(readers->close_fds[1], &event->fd, sizeof(event->fd)) < 0)
		_exit(0);
}

/* What it had read when it was killed goes on. */
static void bury(struct readers *readers, unsigned int i, int status)
{
	struct reader_slot *slot = &readers->shared->slots[i];
	int state = atomic_load(&slot->state);

	readers->pids[i] = 0;
	readers->live_cnt--;
	if (WIFEXITED(status))
		return;
	atomic_fetch_sub(&readers->shared->reader_cnt, 1);
	if (state == READER_PASSING)
		_exit(0);
	if (state != READER_READING)
		return;
	if (slot->event.fd < 0) {
		atomic_fetch_add(&readers->counts->refused_cnt, atomic_load(&slot->busy_ns) != 0);
		return;
	}
	respond(readers->fan_fd, slot->event.fd);
	if (write(readers->close_fds[1], &slot->event.fd, sizeof(slot->event.fd)) < 0)
		_exit(0);
}

static void reap(struct readers *readers)
{
	struct signalfd_siginfo info;
	int status;

	while (read(readers->child_fd, &info, sizeof(info)) > 0)
		;
	for (unsigned int i = 0; i < READERS_MAX; i++) {
		if (readers->pids[i] && waitpid(readers->pids[i], &status, WNOHANG) > 0)
			bury(readers, i, status);
	}
}

/* Their files do not open, and each costs a process: the kernel refuses their execs. */
static void kill_stuck(struct readers *readers, __u64 before_ns)
{
	for (unsigned int i = 0; i < READERS_MAX; i++) {
		struct reader_slot *slot = &readers->shared->slots[i];
		__u64 busy_ns = atomic_load(&slot->busy_ns);

		if (!readers->pids[i] || !busy_ns || busy_ns > before_ns || slot->is_killed)
			continue;
		slot->is_killed = true;
		kill(readers->pids[i], SIGKILL);
	}
}

/* How many are inside an open for too long, the first of them since when. */
static unsigned int count_stuck(const struct readers *readers, __u64 before_ns, __u64 *since_ns)
{
	unsigned int cnt = 0;

	*since_ns = 0;
	for (unsigned int i = 0; i < READERS_MAX; i++) {
		__u64 busy_ns = atomic_load(&readers->shared->slots[i].busy_ns);

		if (!readers->pids[i] || !busy_ns)
			continue;
		set_timer(readers);
		if (busy_ns > before_ns)
			continue;
		cnt++;
		if (busy_ns > *since_ns) /* all before it had somebody beside them */
			*since_ns = busy_ns;
	}
	return cnt;
}

void readers__watch(struct readers *readers)
{
	__u64 before_ns = clock_ns() - READER_PATIENCE_NS, ticks, since_ns;
	unsigned int stuck_cnt, want;

	if (read(readers->timer_fd, &ticks, sizeof(ticks)) > 0)
		atomic_store(&readers->shared->is_timer_set, 0);
	reap(readers);
	stuck_cnt = count_stuck(readers, before_ns, &since_ns);
	if (stuck_cnt >= READERS_STUCK_MAX)
		kill_stuck(readers, before_ns);
	if (stuck_cnt < readers->live_cnt)
		return;
	/* More each time: there may be many such files, and behind them somebody else's. */
	want = 2 * stuck_cnt + 1 < SPAWN_MAX ? 2 * stuck_cnt + 1 : SPAWN_MAX;
	while (want && spawn(readers, since_ns))
		want--;
	/* Nobody is left to read and nobody can be made. */
	if (stuck_cnt == readers->live_cnt)
		_exit(0);
}

unsigned int readers__busy_cnt(const struct readers *readers)
{
	unsigned int cnt = 0;

	for (unsigned int i = 0; i < READERS_MAX; i++)
		cnt += readers->pids[i] && atomic_load(&readers->shared->slots[i].busy_ns);
	return cnt;
}
