// SPDX-License-Identifier: BSD-2-Clause
/*
 * fanotify FAN_OPEN_EXEC_PERM on whole file systems; see hold.h. A file that was looked at gets
 * an ignore mark, which the kernel drops when the file is written to: from then on its execs cost
 * no round trip. Every event read is answered, on every path; should an answer take too long all
 * the same, hold__tick replaces the descriptor by /dev/null, which lets everything go.
 */
#include "target/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"

#ifndef FAN_MARK_EVICTABLE /* Linux 5.19: a mark that does not keep the inode in memory */
#define FAN_MARK_EVICTABLE 0x00000200
#endif

struct hold {
	int fan_fd, stop_fd;
	hold_fn fn;
	void *ctx;
	pthread_t thread;
	bool can_ignore;              /* hold thread only */
	_Atomic __u64 busy_since_ns;  /* 0: waiting for events */
	_Atomic __u64 held_cnt, total_ns, max_ns, missed_cnt;
	atomic_bool has_given_up;
};

static __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

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

/* Types that programs live on. Pseudo file systems refuse the mark or hold nothing to run. */
static bool holds_programs(const char *type)
{
	static const char *const types[] = {
		"ext2", "ext3", "ext4", "xfs", "btrfs", "overlay", "tmpfs", "ramfs", "f2fs",
		"zfs", "bcachefs", "jfs", "reiserfs", "squashfs", "erofs", "iso9660", "virtiofs",
		"9p", "nfs", "nfs4", "vfat", "exfat", "ntfs3", "fuseblk", "fuse.fuse-overlayfs",
		"fuse.squashfuse",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!strcmp(type, types[i]))
			return true;
	}
	return false;
}

/* One mark per mount point is one per file system: the kernel merges the repeated ones. */
static int mark_file_systems(int fan_fd)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent entry;
	char text[2 * PATH_MAX + 1024];
	int cnt = 0;

	if (!mounts)
		return -errno;
	while (getmntent_r(mounts, &entry, text, sizeof(text))) {
		if (!holds_programs(entry.mnt_type))
			continue;
		if (!fanotify_mark(fan_fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN_EXEC_PERM,
				   AT_FDCWD, entry.mnt_dir))
			cnt++;
		else
			log_debug("execs on %s (%s) cannot be held: %s", entry.mnt_dir,
				  entry.mnt_type, strerror(errno));
	}
	endmntent(mounts);
	return cnt ? 0 : -ENODEV;
}

static void answer(struct hold *hold, int fd)
{
	struct fanotify_response response = { .fd = fd, .response = FAN_ALLOW };
	ssize_t put;

	do {
		put = write(hold->fan_fd, &response, sizeof(response));
	} while (put < 0 && (errno == EINTR || errno == EAGAIN));
}

static void ignore_from_now(struct hold *hold, int fd)
{
	if (!hold->can_ignore)
		return;
	/* Without the evictable kind every program of the host would be pinned: do without. */
	if (fanotify_mark(hold->fan_fd, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_EVICTABLE,
			  FAN_OPEN_EXEC_PERM, fd, NULL))
		hold->can_ignore = false;
}

static void look(struct hold *hold, const struct fanotify_event_metadata *event)
{
	char link[32], path[PATH_MAX];
	ssize_t sz;

	if (event->pid == getpid())
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", event->fd);
	sz = readlink(link, path, sizeof(path) - 1);
	path[sz > 0 ? sz : 0] = '\0';
	if (hold->fn(hold->ctx, event->fd, path, event->pid))
		ignore_from_now(hold, event->fd);
}

static void handle(struct hold *hold, const struct fanotify_event_metadata *event)
{
	__u64 start_ns, took_ns;

	if (event->mask & FAN_Q_OVERFLOW)
		atomic_fetch_add(&hold->missed_cnt, 1);
	if (event->fd < 0)
		return;
	start_ns = now_ns();
	atomic_store(&hold->busy_since_ns, start_ns);
	look(hold, event);
	answer(hold, event->fd);
	close(event->fd);
	atomic_store(&hold->busy_since_ns, 0);
	took_ns = now_ns() - start_ns;
	atomic_fetch_add(&hold->held_cnt, 1);
	atomic_fetch_add(&hold->total_ns, took_ns);
	if (took_ns > atomic_load(&hold->max_ns))
		atomic_store(&hold->max_ns, took_ns);
}

/* False when there is nothing more to read now. */
static bool handle_batch(struct hold *hold)
{
	_Alignas(struct fanotify_event_metadata) char buf[2048];
	const struct fanotify_event_metadata *event = (void *)buf;
	ssize_t sz = read(hold->fan_fd, buf, sizeof(buf));

	if (sz < 0 && errno != EAGAIN && errno != EINTR)
		atomic_fetch_add(&hold->missed_cnt, 1);
	if (sz <= 0)
		return sz < 0 && errno == EINTR;
	for (; FAN_EVENT_OK(event, sz); event = FAN_EVENT_NEXT(event, sz))
		handle(hold, event);
	return true;
}

static void *run(void *arg)
{
	struct hold *hold = arg;
	struct pollfd fds[2] = { { .fd = hold->stop_fd, .events = POLLIN },
				 { .fd = hold->fan_fd, .events = POLLIN } };

	while (!atomic_load(&hold->has_given_up)) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[0].revents)
			break;
		while (!atomic_load(&hold->has_given_up) && handle_batch(hold))
			;
	}
	return NULL;
}

/* Signals are the main thread's. */
static int start_thread(struct hold *hold)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&hold->thread, NULL, run, hold);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

int hold__new(hold_fn fn, void *ctx, struct hold **out)
{
	_cleanup_close_ int fan_fd = open_fanotify(), stop_fd = -1;
	_cleanup_free_ struct hold *hold = NULL;
	int err;

	if (fan_fd < 0)
		return fan_fd;
	stop_fd = eventfd(0, EFD_CLOEXEC);
	if (stop_fd < 0)
		return -errno;
	hold = calloc(1, sizeof(*hold));
	if (!hold)
		return -ENOMEM;
	hold->fan_fd = fan_fd;
	hold->stop_fd = stop_fd;
	hold->fn = fn;
	hold->ctx = ctx;
	hold->can_ignore = true;
	/* The thread first: from the first mark on there must be somebody to answer. */
	err = start_thread(hold);
	if (err)
		return err;
	err = mark_file_systems(fan_fd);
	(void)TAKE_FD(fan_fd);
	(void)TAKE_FD(stop_fd);
	if (err) {
		hold__free(TAKE_PTR(hold));
		return err;
	}
	*out = TAKE_PTR(hold);
	return 0;
}

/* The last descriptor of the group goes, so the kernel allows all that waits. */
static void give_up(struct hold *hold)
{
	_cleanup_close_ int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	atomic_store(&hold->has_given_up, true);
	if (null_fd < 0 || dup3(null_fd, hold->fan_fd, O_CLOEXEC) < 0)
		close(hold->fan_fd);
}

void hold__tick(struct hold *hold)
{
	__u64 since_ns;

	if (!hold || atomic_load(&hold->has_given_up))
		return;
	since_ns = atomic_load(&hold->busy_since_ns);
	if (!since_ns || now_ns() - since_ns < HOLD_LIMIT_NS)
		return;
	give_up(hold);
	log_warn("looking at a program took more than %llu s: execs are no longer held, first imports of new interpreters may be missed",
		 HOLD_LIMIT_NS / 1000000000ULL);
}

void hold__suspend(struct hold *hold)
{
	struct timespec nap = { .tv_nsec = 1000000 };
	__u64 until_ns = now_ns() + HOLD_LIMIT_NS;
	int queued = 0;

	if (!hold || atomic_load(&hold->has_given_up))
		return;
	fanotify_mark(hold->fan_fd, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0, AT_FDCWD, "/");
	do {
		nanosleep(&nap, NULL); /* an event between queue and handler is in neither */
		if (ioctl(hold->fan_fd, FIONREAD, &queued))
			queued = 0;
	} while ((queued || atomic_load(&hold->busy_since_ns)) && now_ns() < until_ns);
	if (queued || atomic_load(&hold->busy_since_ns))
		give_up(hold);
}

void hold__resume(struct hold *hold)
{
	if (hold && !atomic_load(&hold->has_given_up))
		mark_file_systems(hold->fan_fd);
}

void hold__stats(const struct hold *hold, struct hold_stats *out)
{
	*out = (struct hold_stats){
		.held_cnt = atomic_load(&hold->held_cnt),
		.total_ns = atomic_load(&hold->total_ns),
		.max_ns = atomic_load(&hold->max_ns),
		.missed_cnt = atomic_load(&hold->missed_cnt),
		.has_given_up = atomic_load(&hold->has_given_up),
	};
}

void hold__free(struct hold *hold)
{
	struct timespec until;

	if (!hold)
		return;
	/* Nothing new is held; what waits is answered by the thread, or else by the close. */
	if (!atomic_load(&hold->has_given_up))
		fanotify_mark(hold->fan_fd, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0, AT_FDCWD, "/");
	eventfd_write(hold->stop_fd, 1);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += HOLD_LIMIT_NS / 1000000000ULL;
	if (pthread_timedjoin_np(hold->thread, NULL, &until)) {
		/* It hangs in a read of somebody's file system: leave it and its memory behind. */
		give_up(hold);
		pthread_detach(hold->thread);
		return;
	}
	close(hold->fan_fd);
	close(hold->stop_fd);
	free(hold);
}
