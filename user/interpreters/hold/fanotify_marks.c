// SPDX-License-Identifier: BSD-2-Clause
/*
 * FAN_OPEN_EXEC_PERM marks on whole file systems; see fanotify_marks.h. One per mount point comes
 * to one per file system, as the kernel merges repeated ones. /proc/PID/mountinfo shows what lies
 * below the root directory of its reader or process: in a chroot the file system below `/` itself
 * is not listed, so that is marked in any case.
 */
#include "interpreters/hold/fanotify_marks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "interpreters/process/proc.h"

#ifndef FAN_MARK_EVICTABLE /* Linux 5.19: a mark that does not keep the inode in memory */
#define FAN_MARK_EVICTABLE 0x00000200
#endif

#define NAMESPACES_MAX 4096

struct marks {
	int fan_fd;
	int cnt, err;
	ino_t *seen; /* mount namespaces */
	size_t seen_cnt;
};

/*
 * Types that programs live on. Pseudo file systems refuse the mark or hold nothing to run. Not
 * FUSE, whatever it calls itself: an ordinary user may be its server, and the kernel cannot get us
 * out of an open that he does not answer. What starts there is noticed by its mapping.
 */
static bool holds_programs(const char *type)
{
	static const char *const types[] = {
		"ext2", "ext3", "ext4", "xfs", "btrfs", "overlay", "tmpfs", "ramfs", "f2fs",
		"zfs", "bcachefs", "jfs", "reiserfs", "squashfs", "erofs", "iso9660", "virtiofs",
		"9p", "nfs", "nfs4", "vfat", "exfat", "ntfs3",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!strcmp(type, types[i]))
			return true;
	}
	return false;
}

static void mark(struct marks *marks, const char *dir, const char *type)
{
	if (!fanotify_mark(marks->fan_fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN_EXEC_PERM,
			   AT_FDCWD, dir)) {
		marks->cnt++;
		return;
	}
	marks->err = -errno;
	log_debug("execs on %s (%s) cannot be held: %s", dir, type, strerror(errno));
}

/* The mounts of a process, or of ourselves (@root "" and @list "/proc/self/mounts"). */
static void mark_mounts(struct marks *marks, const char *list, const char *root)
{
	FILE *mounts = setmntent(list, "re");
	char text[2 * PATH_MAX + 1024], dir[PATH_MAX];
	struct mntent entry;

	if (!mounts)
		return;
	while (getmntent_r(mounts, &entry, text, sizeof(text))) {
		if (holds_programs(entry.mnt_type) &&
		    snprintf(dir, sizeof(dir), "%s%s", root, entry.mnt_dir) < (int)sizeof(dir))
			mark(marks, dir, entry.mnt_type);
	}
	endmntent(mounts);
}

static bool is_new(struct marks *marks, ino_t ns)
{
	for (size_t i = 0; i < marks->seen_cnt; i++) {
		if (marks->seen[i] == ns)
			return false;
	}
	if (marks->seen_cnt == NAMESPACES_MAX)
		return false;
	marks->seen[marks->seen_cnt++] = ns;
	return true;
}

/*
 * Was it made in our user namespace? In one of his own an ordinary user mounts what he likes, an
 * overlay over his own FUSE included. What such a namespace shares with ours is marked from ours.
 */
static bool is_ours(int ns_fd)
{
	_cleanup_close_ int owner = ioctl(ns_fd, NS_GET_USERNS);
	struct stat ours, theirs;

	return owner >= 0 && !fstat(owner, &theirs) && !stat("/proc/self/ns/user", &ours) &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

static int mark_namespace(void *ctx, pid_t tgid)
{
	struct marks *marks = ctx;
	char path[64], root[PROC_ROOT_SZ];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", tgid);
	_cleanup_close_ int ns_fd = open(path, O_RDONLY | O_CLOEXEC);

	if (ns_fd < 0 || fstat(ns_fd, &st) || !is_new(marks, st.st_ino) || !is_ours(ns_fd))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/mounts", tgid);
	snprintf(root, sizeof(root), "/proc/%d/root", tgid);
	mark_mounts(marks, path, root);
	return 0;
}

int marks_set(int fan_fd)
{
	_cleanup_free_ ino_t *seen = calloc(NAMESPACES_MAX, sizeof(*seen));
	struct marks marks = { .fan_fd = fan_fd, .err = -ENODEV, .seen = seen };
	struct stat st;

	if (!seen)
		return -ENOMEM;
	mark(&marks, "/", "root");
	mark_mounts(&marks, "/proc/self/mounts", "");
	if (!stat("/proc/self/ns/mnt", &st))
		is_new(&marks, st.st_ino);
	proc_each(mark_namespace, &marks);
	return marks.cnt ? 0 : marks.err;
}

int marks_ignore(int fan_fd, int fd)
{
	return fanotify_mark(fan_fd, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_EVICTABLE,
			     FAN_OPEN_EXEC_PERM, fd, NULL) ? -errno : 0;
}
