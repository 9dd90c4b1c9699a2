// SPDX-License-Identifier: BSD-2-Clause
/* See target_file.h. */
#include "interpreters/process/target_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"

/* Where @path leads to, not opened. */
static int find(int dir_fd, const char *root, const char *path, int flags)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC | flags, .resolve = RESOLVE_IN_ROOT };
	_cleanup_close_ int root_fd = -1;
	int fd;

	if (!*root) {
		fd = open(path, O_PATH | O_CLOEXEC | flags);
		return fd < 0 ? -errno : fd;
	}
	root_fd = openat(dir_fd, root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return -errno;
	fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	return fd < 0 ? -errno : fd;
}

static int reopen(int path_fd, int flags)
{
	char link[32];
	int fd;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
	fd = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
	return fd < 0 ? -errno : fd;
}

static int open_regular(int path_fd)
{
	struct stat st;

	if (path_fd < 0)
		return path_fd;
	if (fstat(path_fd, &st))
		return -errno;
	return S_ISREG(st.st_mode) ? reopen(path_fd, 0) : -EINVAL;
}

int target_open(const char *root, const char *path)
{
	_cleanup_close_ int path_fd = find(AT_FDCWD, root, path, 0);

	return open_regular(path_fd);
}

int target_open_at(int proc_fd, const char *name)
{
	_cleanup_close_ int path_fd = openat(proc_fd, name, O_PATH | O_CLOEXEC);

	return path_fd < 0 ? -errno : open_regular(path_fd);
}

int target_open_below(int proc_fd, const char *path)
{
	_cleanup_close_ int path_fd = find(proc_fd, "root", path, 0);

	return open_regular(path_fd);
}

DIR *target_open_dir(const char *root, const char *path)
{
	_cleanup_close_ int path_fd = find(AT_FDCWD, root, path, O_DIRECTORY);
	int fd = path_fd < 0 ? path_fd : reopen(path_fd, O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}
