// SPDX-License-Identifier: BSD-2-Clause
/*
 * The tracer's side of holding; see hold.h. The holder process (holder.c) owns the descriptors and
 * passes each file to a thread here, which looks at it. A file that was looked at gets an ignore
 * mark, which the kernel drops when the file is written to: from then on its execs cost no round
 * trip. Probing takes a while, so a second thread tells what of all that is mapped is a Python.
 */
#include "interpreters/hold/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "interpreters/hold/channel.h"
#include "interpreters/hold/holder.h"
#include "interpreters/hold/mapped.h"
#include "interpreters/hold/fanotify_marks.h"
#include "interpreters/process/privilege.h"

#define END_PAUSE_NS 500000
#define URGENT_NS 2000000000ULL /* of a processor, before others */

/* A thread that answers questions of the holder. */
struct server {
	struct hold *hold;
	int sock;
	pthread_t thread;
	bool is_scout, is_running;
};

struct hold {
	struct hold_ops ops;
	struct server tracer, scout;
	pid_t holder;
	struct mapped *mapped;
	struct holder_counts *counts;
	atomic_int slot_cnt;
	atomic_uint unseen_cnt;
	bool is_ended, is_stuck;
	atomic_bool has_ended;
	atomic_bool is_closing;
};

/* O_NOATIME: looking at a program must not look like running it. */
static int open_fanotify(void)
{
	int fd = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK |
			       FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS,
			       O_RDONLY | O_CLOEXEC | O_LARGEFILE | O_NOATIME);

	return fd < 0 ? -errno : fd;
}

int hold_check(void)
{
	_cleanup_close_ int fd = open_fanotify();

	return fd < 0 ? fd : 0;
}

static unsigned int look_at_exec(struct hold *hold, const struct holder_request *request, int fd,
				 struct holder_reply *reply)
{
	char link[32], path[PATH_MAX];
	struct stat st;
	ssize_t sz;

	if (fd < 0)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	sz = readlink(link, path, sizeof(path) - 1);
	path[sz > 0 ? sz : 0] = '\0';
	if (!fstat(fd, &st)) {
		reply->dev = (__u64)major(st.st_dev) << 32 | minor(st.st_dev);
		reply->ino = st.st_ino;
	}
	return hold->ops.exec(hold->ops.ctx, fd, path, request->tgid, request->waits_ns);
}

static struct hold_mapping mapping_of(struct hold *hold, const struct holder_request *request)
{
	return (struct hold_mapping){
		.tgid = request->tgid, .ts_ns = request->ts_ns,
		.start = request->start, .end = request->end,
		.dev = request->dev, .ino = request->ino,
		.stopped_ns = request->ask == HOLDER_STOPPED ? request->waits_ns : 0,
		.path = request->path,
		.is_over = atomic_load(&hold->is_closing),
	};
}

static unsigned int look(struct hold *hold, const struct holder_request *request, int fd,
			 struct holder_reply *reply)
{
	const struct hold_mapping mapping = mapping_of(hold, request);

	if (request->ask == HOLDER_EXEC)
		return look_at_exec(hold, request, fd, reply);
	if (request->ask == HOLDER_LOST)
		return hold->ops.lost(hold->ops.ctx, request->ts_ns), 0;
	if (request->ask == HOLDER_MAPPED)
		return hold->ops.scout(hold->ops.ctx, &mapping);
	return hold->ops.mapped(hold->ops.ctx, &mapping);
}

/* Too late to probe it. */
static bool is_maybe_python(struct hold *hold, const struct holder_request *request)
{
	const struct hold_mapping mapping = mapping_of(hold, request);

	return request->ask == HOLDER_UNSTOPPED &&
	       hold->ops.scout(hold->ops.ctx, &mapping) & (HOLD_STOP | HOLD_LOOK);
}

static struct holder_reply answer(struct hold *hold, const struct holder_request *request, int fd)
{
	struct holder_reply reply = { .seq = request->seq, .slot = -1 };
	unsigned int answer = 0;

	if (!atomic_load(&hold->is_closing) || request->ask == HOLDER_MAPPED)
		answer = look(hold, request, fd, &reply);
	else if (request->ask == HOLDER_LOST || is_maybe_python(hold, request))
		atomic_fetch_add(&hold->unseen_cnt, 1);
	if (answer & HOLD_IGNORE)
		reply.want |= HOLDER_WANT_IGNORE;
	if (answer & HOLD_STOP)
		reply.want |= HOLDER_WANT_STOP;
	if (answer & HOLD_LOOK)
		reply.want |= HOLDER_WANT_LOOK;
	if (answer & HOLD_NOTE && atomic_load(&hold->slot_cnt) < HOLDER_SLOTS)
		reply.slot = atomic_fetch_add(&hold->slot_cnt, 1);
	return reply;
}

/* Who makes up ever more files to be examined shall not have the machine for it. */
static bool is_greedy(__u64 cpu_ns, __u64 start_ns)
{
	return cpu_ns > URGENT_NS && cpu_ns > (clock_ns() - start_ns) / 10;
}

static void *serve(void *arg)
{
	const struct server *server = arg;
	struct hold *hold = server->hold;
	struct holder_request request;
	__u64 start_ns = clock_ns();
	bool is_urgent = true;

	/*
	 * What the scout is asked about runs on meanwhile: as urgent as the holder. What waits for
	 * the other one must not wait for all programs of a busy machine in turn.
	 */
	if (!server->is_scout ||
	    sched_setscheduler(0, SCHED_RR, &(struct sched_param){ .sched_priority = 1 }))
		setpriority(PRIO_PROCESS, gettid(), -20);
	if (privilege_keep_tracing(hold->ops.is_multi, false))
		log_debug("privileges of the hold thread cannot be dropped");
	for (;;) {
		_cleanup_close_ int fd = -1;
		struct holder_reply reply;
		__u64 cpu_ns = clock_thread_cpu_ns();

		if (is_urgent && !server->is_scout && is_greedy(cpu_ns, start_ns))
			is_urgent = setpriority(PRIO_PROCESS, gettid(), 0) != 0;
		if (is_urgent && server->is_scout && atomic_load(&hold->is_closing))
			is_urgent = sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){});
		if (!channel_take(server->sock, &request, &fd))
			break;
		request.path[sizeof(request.path) - 1] = '\0';
		reply = answer(hold, &request, fd);
		reply.cpu_ns = clock_thread_cpu_ns() - cpu_ns;
		if (send(server->sock, &reply, sizeof(reply), MSG_NOSIGNAL) != sizeof(reply))
			break;
	}
	if (!atomic_load(&hold->is_closing) && !atomic_exchange(&hold->has_ended, true))
		log_warn("the process that holds starting programs has ended: the first imports of new interpreters may be missed");
	return NULL;
}

/* Signals are the main thread's. */
static int start_server(struct server *server)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&server->thread, NULL, serve, server);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	server->is_running = !err;
	return -err;
}

/*
 * It ends by itself when we have hung up. A program that is frozen while it is held keeps it in the
 * kernel for as long: it has let go all others by then, and is left behind.
 */
static void await_holder(struct hold *hold)
{
	const struct timespec pause = { .tv_nsec = END_PAUSE_NS };
	__u64 start_ns = clock_ns();
	bool is_killed = false;

	while (!waitpid(hold->holder, NULL, WNOHANG)) {
		__u64 waited_ns = clock_ns() - start_ns;

		if (waited_ns > HOLD_LIMIT_NS)
			break;
		if (!is_killed && waited_ns > HOLD_LIMIT_NS / 2)
			is_killed = !kill(hold->holder, SIGKILL);
		nanosleep(&pause, NULL);
	}
	shutdown(hold->scout.sock, SHUT_RDWR);
}

static void release(struct hold *hold)
{
	cleanup_close(&hold->tracer.sock);
	cleanup_close(&hold->scout.sock);
	mapped__free(hold->mapped);
	munmap(hold->counts, sizeof(*hold->counts));
	free(hold);
}

static int start_holder(struct hold *hold, int fan_fd)
{
	struct holder_opts opts = { .fan_fd = fan_fd, .mapped = hold->mapped,
				    .can_stop = !hold->ops.want_no_stop, .tracer = getpid(),
				    .ops = &hold->ops, .counts = hold->counts };
	struct holder_request hello;
	_cleanup_close_ int sock = -1, scout_sock = -1;
	ssize_t got;
	int err;

	err = channel_pair(&hold->tracer.sock, &sock) ?:
	      channel_pair(&hold->scout.sock, &scout_sock);
	if (err)
		return err;
	opts.sock = sock;
	opts.scout_sock = scout_sock;
	hold->holder = fork();
	if (!hold->holder)
		holder_run(&opts);
	if (hold->holder < 0)
		return -errno;
	close(sock);
	sock = -1;
	do {
		got = recv(hold->tracer.sock, &hello, sizeof(hello), 0);
	} while (got < 0 && errno == EINTR);
	if (got == sizeof(hello))
		return 0;
	shutdown(hold->tracer.sock, SHUT_RDWR);
	await_holder(hold);
	return -ECHILD;
}

static int start(struct hold *hold, int fan_fd)
{
	int err = start_holder(hold, fan_fd);

	if (err)
		return err;
	err = start_server(&hold->tracer) ?: start_server(&hold->scout);
	if (err)
		hold__end(hold);
	return err;
}

static struct hold *hold__alloc(const struct hold_ops *ops)
{
	struct hold *hold = calloc(1, sizeof(*hold));

	if (!hold)
		return NULL;
	hold->ops = *ops;
	hold->tracer = (struct server){ .hold = hold, .sock = -1 };
	hold->scout = (struct server){ .hold = hold, .sock = -1, .is_scout = true };
	hold->counts = mmap(NULL, sizeof(*hold->counts), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (hold->counts == MAP_FAILED) {
		free(hold);
		return NULL;
	}
	return hold;
}

/*
 * The order matters: from the first mark on there must be somebody to answer, and somebody to
 * ask. Our own copy of the descriptor goes at the end, so that the holder's is the only one.
 */
int hold__new(const struct hold_ops *ops, int *exec_err, int *mapped_err, struct hold **out)
{
	_cleanup_close_ int fan_fd = ops->want_no_stop ? -ENOSYS : open_fanotify();
	struct hold *hold = hold__alloc(ops);
	int err;

	if (!hold)
		return -ENOMEM;
	*exec_err = fan_fd < 0 ? fan_fd : 0;
	*mapped_err = mapped__new(&hold->mapped);
	err = *exec_err && *mapped_err ? *exec_err : start(hold, fan_fd);
	mapped__free(TAKE_PTR(hold->mapped)); /* the holder's copy is the one that is read */
	if (err) {
		release(hold);
		return err;
	}
	if (fan_fd >= 0)
		*exec_err = marks_set(fan_fd);
	if (*exec_err && *mapped_err) {
		hold__free(hold);
		return *exec_err;
	}
	*out = hold;
	return 0;
}

bool hold__noted(const struct hold *hold, size_t index, __u64 *start_ns, __u64 *took_ns)
{
	if (index >= (size_t)atomic_load(&hold->slot_cnt))
		return false;
	*start_ns = atomic_load(&hold->counts->slots_start_ns[index]);
	*took_ns = atomic_load(&hold->counts->slots_ns[index]);
	return true;
}

void hold__stats(const struct hold *hold, struct hold_stats *out)
{
	*out = (struct hold_stats){
		.held_cnt = atomic_load(&hold->counts->held_cnt),
		.total_ns = atomic_load(&hold->counts->total_ns),
		.max_ns = atomic_load(&hold->counts->max_ns),
		.max_stop_ns = atomic_load(&hold->counts->max_stop_ns),
		.refused_cnt = atomic_load(&hold->counts->refused_cnt),
		.missed_cnt = atomic_load(&hold->counts->missed_cnt),
		.late_cnt = atomic_load(&hold->counts->late_cnt),
		.lost_cnt = atomic_load(&hold->counts->lost_cnt),
		.unseen_cnt = atomic_load(&hold->unseen_cnt),
		.has_ended = atomic_load(&hold->has_ended),
	};
}

/* It may hang in a read of somebody's file system: leave it and hold's memory behind. */
static bool join(struct server *server)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += HOLD_LIMIT_NS / 1000000000ULL;
	if (!server->is_running || !pthread_timedjoin_np(server->thread, NULL, &until))
		return true;
	pthread_detach(server->thread);
	return false;
}

void hold__hang_up(struct hold *hold)
{
	if (atomic_exchange(&hold->is_closing, true))
		return;
	shutdown(hold->tracer.sock, SHUT_RDWR); /* the holder lets go, the thread reads the end */
	hold->is_stuck = !join(&hold->tracer);
}

void hold__end(struct hold *hold)
{
	if (hold->is_ended)
		return;
	hold->is_ended = true;
	hold__hang_up(hold);
	await_holder(hold);
	hold->is_stuck |= !join(&hold->scout);
	atomic_fetch_add(&hold->unseen_cnt, atomic_load(&hold->counts->waiting_cnt));
}

void hold__free(struct hold *hold)
{
	if (!hold)
		return;
	hold__end(hold);
	if (!hold->is_stuck)
		release(hold);
}
