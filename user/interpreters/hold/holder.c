// SPDX-License-Identifier: BSD-2-Clause
/*
 * Answers fanotify permission events and stops threads that map a Python; see holder.h. Nothing
 * waits for more than HOLD_LIMIT_NS: once the tracer is that late, nothing waits for it at all
 * until it is heard of again. Runs between fork and _exit, so it allocates nothing and takes no
 * lock.
 */
#include "interpreters/hold/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "interpreters/hold/caught.h"
#include "interpreters/hold/hold.h"
#include "interpreters/hold/mapped.h"
#include "interpreters/process/privilege.h"

#ifndef FAN_MARK_EVICTABLE /* Linux 5.19: a mark that does not keep the inode in memory */
#define FAN_MARK_EVICTABLE 0x00000200
#endif

#define RETRY_MS 50
#define SCOUT_LIMIT_NS 20000000ULL /* a scout that hangs in a file system must not stop execs */

/* Whom to ask, one question after the other. */
struct channel {
	int sock;
	__u32 seq;        /* of the last question */
	bool is_absent;   /* the last answer is still owed */
};

struct holder {
	const struct holder_opts *opts;
	int fan_fd;
	struct channel tracer, scout;
	int map_fd;       /* readable when mappings wait to be read */
	struct mapped *mapped;
	struct caught caught;
	struct holder_counts *counts;
	bool can_ignore;
};

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

static bool send_request(struct channel *channel, struct holder_request *request, int fd)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct iovec iov = { .iov_base = request, .iov_len = sizeof(*request) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	request->seq = ++channel->seq;
	if (fd >= 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	return sendmsg(channel->sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(*request);
}

static void collect(struct holder *holder, __u64 now)
{
	caught__collect(&holder->caught, now);
	atomic_store(&holder->counts->waiting_cnt, holder->caught.running_cnt);
}

/*
 * Reads replies until the one to the last question, and stops meanwhile what must be stopped at
 * once (unless this is how it is found out what that is). True if it came. Exits without tracer.
 */
static bool await_reply(struct holder *holder, struct channel *channel, __u64 until_ns,
			struct holder_reply *out)
{
	struct pollfd fds[2] = { { .fd = channel->sock, .events = POLLIN },
				 { .fd = channel == &holder->scout ? -1 : holder->map_fd,
				   .events = POLLIN } };
	struct holder_reply reply;

	for (;;) {
		__u64 now = clock_ns();
		int timeout_ms = now < until_ns ? (until_ns - now) / 1000000 + 1 : 0;
		int ready_cnt = poll(fds, 2, timeout_ms);
		ssize_t got;

		if (ready_cnt <= 0 && now >= until_ns)
			return false;
		if (ready_cnt > 0 && fds[1].revents)
			collect(holder, now);
		got = recv(channel->sock, &reply, sizeof(reply), MSG_DONTWAIT);
		if (!got || (got < 0 && errno != EAGAIN && errno != EINTR))
			_exit(0);
		if (got == sizeof(reply) && reply.seq == channel->seq) {
			*out = reply;
			return true;
		}
	}
}

/* 0; -EAGAIN: could not be asked; -ETIMEDOUT: owes the answer. */
static int ask(struct holder *holder, struct channel *channel, struct holder_request *request,
	       int fd, __u64 limit_ns, struct holder_reply *reply)
{
	if (channel->is_absent && await_reply(holder, channel, 0, reply))
		channel->is_absent = false; /* its answer is about a file that has long gone on */
	if (channel->is_absent)
		return -ETIMEDOUT;
	if (!send_request(channel, request, fd))
		return -EAGAIN;
	channel->is_absent = !await_reply(holder, channel, clock_ns() + limit_ns, reply);
	return channel->is_absent ? -ETIMEDOUT : 0;
}

/* Without an answer: it wants nothing. */
static struct holder_reply ask_tracer(struct holder *holder, struct holder_request *request, int fd)
{
	bool was_absent = holder->tracer.is_absent;
	struct holder_reply reply;
	int err = ask(holder, &holder->tracer, request, fd, HOLD_LIMIT_NS, &reply);

	if (!err)
		return reply;
	if (err == -EAGAIN)
		atomic_fetch_add(&holder->counts->missed_cnt, 1);
	else if (!was_absent)
		atomic_fetch_add(&holder->counts->late_cnt, 1);
	return (struct holder_reply){ .slot = -1 };
}

static void count_hold(struct holder *holder, __u64 start_ns, __s32 slot)
{
	__u64 took_ns = clock_ns() - start_ns;

	atomic_fetch_add(&holder->counts->held_cnt, 1);
	atomic_fetch_add(&holder->counts->total_ns, took_ns);
	if (took_ns > atomic_load(&holder->counts->max_ns))
		atomic_store(&holder->counts->max_ns, took_ns);
	if (slot >= 0 && slot < HOLDER_SLOTS) {
		atomic_store(&holder->counts->slots_start_ns[slot], start_ns);
		atomic_store(&holder->counts->slots_ns[slot], took_ns);
	}
}

/* Never ourselves: we would wait for us. */
static bool wants(void *ctx, pid_t tgid)
{
	const struct holder *holder = ctx;

	return tgid != holder->opts->tracer &&
	       (!holder->opts->wants || holder->opts->wants(holder->opts->ctx, tgid));
}

/* Its mapping by the same exec is no news. Where the numbers differ (btrfs), it is told twice. */
static void know_file(struct holder *holder, int fd)
{
	struct mapped_event event = {};
	struct stat st;

	if (!holder->mapped || fstat(fd, &st))
		return;
	event.dev = (__u64)major(st.st_dev) << 32 | minor(st.st_dev);
	event.ino = st.st_ino;
	mapped__know(holder->mapped, &event, clock_ns());
}

static void handle(struct holder *holder, const struct fanotify_event_metadata *event)
{
	struct holder_request request = { .ask = HOLDER_EXEC, .tgid = event->pid };
	struct holder_reply reply = { .slot = -1 };
	__u64 start_ns = clock_ns();

	if (event->mask & FAN_Q_OVERFLOW)
		atomic_fetch_add(&holder->counts->missed_cnt, 1);
	if (event->fd < 0)
		return;
	if (holder->opts->want_all_execs || wants(holder, event->pid))
		reply = ask_tracer(holder, &request, event->fd);
	if (reply.want & HOLDER_WANT_IGNORE) {
		ignore_from_now(holder, event->fd);
		know_file(holder, event->fd);
	}
	allow(holder, event->fd);
	close(event->fd);
	count_hold(holder, start_ns, reply.slot);
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

static struct holder_request about(enum holder_ask ask, const struct mapped_event *event)
{
	return (struct holder_request){ .ask = ask, .tgid = event->tgid, .ts_ns = event->ts_ns,
					.start = event->start, .end = event->end,
					.dev = event->dev, .ino = event->ino };
}

/* The program runs on while we ask. */
static unsigned int scout(void *ctx, const struct mapped_event *event)
{
	struct holder_request request = about(HOLDER_MAPPED, event);
	struct holder *holder = ctx;
	struct holder_reply reply;
	size_t path_sz;

	if (!wants(holder, event->tgid))
		return 0;
	path_sz = strlen(event->path) + 1;
	if (path_sz <= sizeof(request.path))
		memcpy(request.path, event->path, path_sz);
	if (ask(holder, &holder->scout, &request, -1, SCOUT_LIMIT_NS, &reply))
		return HOLDER_WANT_LOOK;
	return reply.want;
}

static void handle_mapped(struct holder *holder, const struct caught_item *item)
{
	const struct mapped_event *event = &item->event;
	struct holder_request request = about(item->is_stopped ? HOLDER_STOPPED : HOLDER_UNSTOPPED,
					      event);
	struct holder_reply reply = ask_tracer(holder, &request, -1);

	caught__let_go(&holder->caught, item);
	if (item->is_stopped)
		count_hold(holder, item->since_ns, reply.slot);
	if (reply.want & HOLDER_WANT_IGNORE)
		mapped__know(holder->mapped, event, clock_ns());
}

/* An exec waits for us in any case, a mapping may not: so these are stopped first. */
static void handle_all(struct holder *holder)
{
	struct pollfd execs = { .fd = holder->fan_fd, .events = POLLIN };
	struct caught_item item;
	bool has_item;

	do {
		collect(holder, clock_ns());
		if (holder->fan_fd >= 0 && poll(&execs, 1, 0) > 0)
			handle_batch(holder);
		has_item = caught__take(&holder->caught, &item);
		if (has_item)
			handle_mapped(holder, &item);
	} while (has_item);
	if (holder->mapped)
		atomic_store(&holder->counts->lost_cnt, mapped__lost(holder->mapped));
}

/* By hand: qsort may allocate. Nearly sorted as it is. */
static void sort_fds(int *fds, int cnt)
{
	for (int i = 1; i < cnt; i++) {
		for (int j = i; j > 0 && fds[j] < fds[j - 1]; j--) {
			int low = fds[j];

			fds[j] = fds[j - 1];
			fds[j - 1] = low;
		}
	}
}

/* Nothing of the tracer but what we need: its BPF links must die with it, not with us. */
static void close_others(const struct holder *holder)
{
	size_t cnt = holder->mapped ? mapped__fd_cnt(holder->mapped) : 0;
	int fds[HOLDER_FDS_MAX + 4], at = 0, from = 0;

	for (size_t i = 0; i < cnt && i < HOLDER_FDS_MAX; i++)
		fds[at++] = mapped__fds(holder->mapped)[i];
	fds[at++] = holder->tracer.sock;
	fds[at++] = holder->scout.sock;
	if (holder->fan_fd >= 0)
		fds[at++] = holder->fan_fd;
	if (holder->opts->wants_fd >= 0)
		fds[at++] = holder->opts->wants_fd;
	sort_fds(fds, at);
	for (int i = 0; i < at; i++) {
		if (fds[i] > from)
			syscall(SYS_close_range, from, fds[i] - 1, 0u);
		from = fds[i] + 1;
	}
	syscall(SYS_close_range, from, ~0u, 0u);
}

/* One descriptor for those of all processors. */
static void start_mapped(struct holder *holder)
{
	struct mapped *mapped = holder->mapped;
	struct epoll_event event = { .events = EPOLLIN };

	holder->caught = (struct caught){ .can_stop = holder->opts->can_stop, .scout = scout,
					  .ctx = holder };
	if (!mapped)
		return;
	holder->map_fd = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < mapped__fd_cnt(mapped); i++) {
		if (epoll_ctl(holder->map_fd, EPOLL_CTL_ADD, mapped__fds(mapped)[i], &event))
			atomic_store(&holder->counts->lost_cnt, 1);
	}
	if (mapped__start(mapped)) {
		atomic_store(&holder->counts->lost_cnt, 1);
		holder->mapped = NULL;
	}
	holder->caught.mapped = holder->mapped;
}

static void begin(struct holder *holder)
{
	const struct holder_request hello = { .ask = HOLDER_HELLO };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL); /* SIGKILL still ends us, and that releases all */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "pyimport-hold");
	if (getppid() != holder->opts->tracer)
		_exit(0);
	/* Programs of the whole host wait for us, and all we do is pass messages. */
	if (sched_setscheduler(0, SCHED_RR, &(struct sched_param){ .sched_priority = 1 }))
		setpriority(PRIO_PROCESS, 0, -20);
	/* Out of the terminal's reach: Ctrl-Z stops the tracer, not the one who answers. */
	setsid();
	close_others(holder);
	start_mapped(holder);
	privilege_keep_holding(); /* if that fails, it holds all the same */
	/* From now on nothing is missed. */
	if (send(holder->tracer.sock, &hello, sizeof(hello), MSG_NOSIGNAL) != sizeof(hello))
		_exit(0);
}

void holder_run(const struct holder_opts *opts)
{
	struct holder holder = { .opts = opts, .fan_fd = opts->fan_fd, .mapped = opts->mapped,
				 .map_fd = -1, .tracer.sock = opts->sock,
				 .scout.sock = opts->scout_sock, .counts = opts->counts,
				 .can_ignore = true };
	struct pollfd fds[3];

	begin(&holder);
	fds[0] = (struct pollfd){ .fd = holder.tracer.sock };
	fds[1] = (struct pollfd){ .fd = holder.fan_fd, .events = POLLIN };
	fds[2] = (struct pollfd){ .fd = holder.map_fd, .events = POLLIN };
	for (bool is_idle = true;; is_idle = stops__retry(&holder.caught.stops)) {
		if (poll(fds, 3, is_idle ? -1 : RETRY_MS) < 0)
			continue;
		if (fds[0].revents & (POLLHUP | POLLERR))
			_exit(0);
		handle_all(&holder);
	}
}
