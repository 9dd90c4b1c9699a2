// SPDX-License-Identifier: BSD-2-Clause
/*
 * fanotify FAN_OPEN_EXEC_PERM on whole file systems; see hold.h. The holder process (holder.c)
 * owns the descriptor and passes each file to a thread here, which looks at it. A file that was
 * looked at gets an ignore mark, which the kernel drops when the file is written to: from then on
 * its execs cost no round trip.
 */
#include "target/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "target/holder.h"

struct hold {
	hold_fn fn;
	void *ctx;
	int sock;
	pid_t holder;
	pthread_t thread;
	struct holder_counts *counts;
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
	FILE *mounts = setmntent("/proc/self/mounts", "re");
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

/* 1 and an open *fd, or 0 at the end. */
static int receive(int sock, struct holder_request *request, int *fd)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct iovec iov = { .iov_base = request, .iov_len = sizeof(*request) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *cmsg;
	ssize_t got;

	do {
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got != sizeof(*request))
		return 0;
	/* No descriptor: ours are used up. The exec must go on all the same. */
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS && cmsg->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(cmsg), sizeof(*fd));
	return 1;
}

static bool look(struct hold *hold, int fd, pid_t tgid)
{
	char link[32], path[PATH_MAX];
	ssize_t sz;

	if (fd < 0)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	sz = readlink(link, path, sizeof(path) - 1);
	path[sz > 0 ? sz : 0] = '\0';
	return hold->fn(hold->ctx, fd, path, tgid);
}

static void *serve(void *arg)
{
	struct hold *hold = arg;
	struct holder_request request;

	for (;;) {
		_cleanup_close_ int fd = -1;
		struct holder_reply reply = {};

		if (!receive(hold->sock, &request, &fd))
			break;
		reply.seq = request.seq;
		reply.want_ignore = !atomic_load(&hold->is_closing) && look(hold, fd, request.tgid);
		if (send(hold->sock, &reply, sizeof(reply), MSG_NOSIGNAL) != sizeof(reply))
			break;
	}
	atomic_store(&hold->has_ended, true);
	if (!atomic_load(&hold->is_closing))
		log_warn("the process that holds starting programs has ended: first imports of new interpreters may be missed");
	return NULL;
}

/* Signals are the main thread's. */
static int start_thread(struct hold *hold)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&hold->thread, NULL, serve, hold);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

static void end_holder(struct hold *hold)
{
	kill(hold->holder, SIGKILL);
	while (waitpid(hold->holder, NULL, 0) < 0 && errno == EINTR)
		;
}

static void release(struct hold *hold)
{
	if (hold->sock >= 0)
		close(hold->sock);
	munmap(hold->counts, sizeof(*hold->counts));
	free(hold);
}

static int start_holder(struct hold *hold, int fan_fd)
{
	pid_t tracer = getpid();
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	hold->sock = pair[0];
	hold->holder = fork();
	if (!hold->holder)
		holder_run(fan_fd, pair[1], tracer, hold->counts);
	close(pair[1]);
	return hold->holder < 0 ? -errno : 0;
}

/*
 * The order matters: from the first mark on there must be somebody to answer, and somebody to
 * ask. Our own copy of the descriptor goes at the end, so that the holder's is the only one.
 */
int hold__new(hold_fn fn, void *ctx, struct hold **out)
{
	_cleanup_close_ int fan_fd = open_fanotify();
	struct hold *hold;
	int err;

	if (fan_fd < 0)
		return fan_fd;
	hold = calloc(1, sizeof(*hold));
	if (!hold)
		return -ENOMEM;
	hold->fn = fn;
	hold->ctx = ctx;
	hold->sock = -1;
	hold->counts = mmap(NULL, sizeof(*hold->counts), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (hold->counts == MAP_FAILED) {
		free(hold);
		return -ENOMEM;
	}
	err = start_holder(hold, fan_fd);
	if (err) {
		release(hold);
		return err;
	}
	err = start_thread(hold);
	if (err) {
		end_holder(hold);
		release(hold);
		return err;
	}
	err = mark_file_systems(fan_fd);
	if (err) {
		hold__free(hold);
		return err;
	}
	*out = hold;
	return 0;
}

void hold__stats(const struct hold *hold, struct hold_stats *out)
{
	*out = (struct hold_stats){
		.held_cnt = atomic_load(&hold->counts->held_cnt),
		.total_ns = atomic_load(&hold->counts->total_ns),
		.max_ns = atomic_load(&hold->counts->max_ns),
		.missed_cnt = atomic_load(&hold->counts->missed_cnt),
		.late_cnt = atomic_load(&hold->counts->late_cnt),
		.has_ended = atomic_load(&hold->has_ended),
	};
}

void hold__free(struct hold *hold)
{
	struct timespec until;

	if (!hold)
		return;
	atomic_store(&hold->is_closing, true);
	end_holder(hold); /* the kernel lets go what it held; the thread reads the end of file */
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += HOLD_LIMIT_NS / 1000000000ULL;
	if (pthread_timedjoin_np(hold->thread, NULL, &until)) {
		/* It hangs in a read of somebody's file system: leave it and its memory behind. */
		pthread_detach(hold->thread);
		return;
	}
	release(hold);
}
