// SPDX-License-Identifier: BSD-2-Clause
/*
 * Answers fanotify permission events; see holder.h. Every event is answered, after HOLD_LIMIT_NS
 * at the latest: once the tracer is that late, nothing waits for it until it is heard of again.
 * Runs between fork and _exit, so it allocates nothing and takes no lock.
 */
#include "target/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "target/hold.h"

#ifndef FAN_MARK_EVICTABLE /* Linux 5.19: a mark that does not keep the inode in memory */
#define FAN_MARK_EVICTABLE 0x00000200
#endif

struct holder {
	int fan_fd, sock;
	pid_t tracer;
	struct holder_counts *counts;
	__u32 seq;        /* of the last question */
	bool is_absent;   /* the tracer still owes an answer */
	bool can_ignore;
};

static __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void allow(struct holder *holder, int fd)
{
	struct fanotify_response response = { .fd = fd, .response = FAN_ALLOW };
	ssize_t put;

	do {
		put = write(holder->fan_fd, &response, sizeof(response));
	} while (put < 0 && errno == EINTR);
}

/* Without the evictable kind every program of the host would stay in memory: do without. */
static void ignore_from_now(struct holder *holder, int fd)
{
	if (holder->can_ignore &&
	    fanotify_mark(holder->fan_fd,
			  FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_EVICTABLE,
			  FAN_OPEN_EXEC_PERM, fd, NULL))
		holder->can_ignore = false;
}

static bool send_request(struct holder *holder, int fd, pid_t tgid)
{
	struct holder_request request = { .seq = ++holder->seq, .tgid = tgid };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct iovec iov = { .iov_base = &request, .iov_len = sizeof(request) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(holder->sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(request);
}

/* Reads replies until the one to the last question. True if it came. Exits without tracer. */
static bool await_reply(struct holder *holder, __u64 until_ns, bool *want_ignore)
{
	struct pollfd fds = { .fd = holder->sock, .events = POLLIN };
	struct holder_reply reply;

	for (;;) {
		__u64 now = now_ns();
		int timeout_ms = now < until_ns ? (until_ns - now) / 1000000 + 1 : 0;
		ssize_t got;

		if (poll(&fds, 1, timeout_ms) <= 0) {
			if (now >= until_ns)
				return false;
			continue;
		}
		got = recv(holder->sock, &reply, sizeof(reply), MSG_DONTWAIT);
		if (!got || (got < 0 && errno != EAGAIN && errno != EINTR))
			_exit(0);
		if (got == sizeof(reply) && reply.seq == holder->seq) {
			*want_ignore = reply.want_ignore;
			return true;
		}
	}
}

static void ask(struct holder *holder, const struct fanotify_event_metadata *event)
{
	bool want_ignore = false;

	if (holder->is_absent && await_reply(holder, 0, &want_ignore))
		holder->is_absent = false; /* its answer is about a file that has long gone on */
	if (holder->is_absent || event->pid == holder->tracer)
		return;
	want_ignore = false;
	if (!send_request(holder, event->fd, event->pid)) {
		atomic_fetch_add(&holder->counts->missed_cnt, 1);
		return;
	}
	if (!await_reply(holder, now_ns() + HOLD_LIMIT_NS, &want_ignore)) {
		holder->is_absent = true;
		atomic_fetch_add(&holder->counts->late_cnt, 1);
	}
	if (want_ignore)
		ignore_from_now(holder, event->fd);
}

static void handle(struct holder *holder, const struct fanotify_event_metadata *event)
{
	__u64 start_ns = now_ns(), took_ns;

	if (event->mask & FAN_Q_OVERFLOW)
		atomic_fetch_add(&holder->counts->missed_cnt, 1);
	if (event->fd < 0)
		return;
	ask(holder, event);
	allow(holder, event->fd);
	close(event->fd);
	took_ns = now_ns() - start_ns;
	atomic_fetch_add(&holder->counts->held_cnt, 1);
	atomic_fetch_add(&holder->counts->total_ns, took_ns);
	if (took_ns > atomic_load(&holder->counts->max_ns))
		atomic_store(&holder->counts->max_ns, took_ns);
}

static void handle_batch(struct holder *holder)
{
	_Alignas(struct fanotify_event_metadata) char buf[2048];
	const struct fanotify_event_metadata *event = (void *)buf;
	ssize_t sz = read(holder->fan_fd, buf, sizeof(buf));

	if (sz < 0 && errno != EAGAIN && errno != EINTR)
		atomic_fetch_add(&holder->counts->missed_cnt, 1);
	for (; sz > 0 && FAN_EVENT_OK(event, sz); event = FAN_EVENT_NEXT(event, sz))
		handle(holder, event);
}

/* Nothing of the tracer but the two descriptors: its BPF links must die with it, not with us. */
static void keep_only(int *fan_fd, int *sock)
{
	int high = fcntl(*fan_fd, F_DUPFD_CLOEXEC, 3), high_sock = fcntl(*sock, F_DUPFD_CLOEXEC, 3);

	dup2(high, 0);
	dup2(high_sock, 1);
	*fan_fd = 0;
	*sock = 1;
	if (syscall(SYS_close_range, 2u, ~0u, 0u)) {
		for (int fd = 2; fd < 65536; fd++) /* before Linux 5.9 */
			close(fd);
	}
}

void holder_run(int fan_fd, int sock, pid_t tracer, struct holder_counts *counts)
{
	struct holder holder = { .tracer = tracer, .counts = counts, .can_ignore = true };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL); /* SIGKILL still ends us, and that releases all */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "pyimport-hold");
	if (getppid() != tracer)
		_exit(0);
	/* Out of the terminal's reach: Ctrl-Z stops the tracer, not the one who answers. */
	setsid();
	keep_only(&fan_fd, &sock);
	holder.fan_fd = fan_fd;
	holder.sock = sock;
	for (;;) {
		struct pollfd fds[2] = { { .fd = holder.fan_fd, .events = POLLIN },
					 { .fd = holder.sock } };

		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents & (POLLHUP | POLLERR))
			_exit(0);
		if (fds[0].revents)
			handle_batch(&holder);
	}
}
