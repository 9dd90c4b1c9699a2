// SPDX-License-Identifier: BSD-2-Clause
/* See mapped_file.h. */
#include "trace/follow/mapped_file.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "interpreters/hold/hold.h"
#include "interpreters/process/target_file.h"

/* While /proc/PID/maps is searched. */
struct search {
	const struct hold_mapping *mapping;
	struct mapped_file *out;
};

void mapped_file_clear(struct mapped_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
}

static int find(void *ctx, int proc_fd, const struct proc_map *map)
{
	const struct search *search = ctx;
	struct mapped_file *out = search->out;

	if (!map->is_exec || map->ino != search->mapping->ino ||
	    ((__u64)map->major << 32 | map->minor) != search->mapping->dev)
		return 0;
	out->fd = proc_open_map(proc_fd, map);
	if (out->fd < 0)
		return out->fd;
	out->map = *map;
	out->path = strdup(map->path);
	out->map.path = out->path;
	return out->path ? 1 : -ENOMEM;
}

int mapped_file_find(const struct hold_mapping *mapping, int proc_fd, struct mapped_file *out)
{
	struct search search = { .mapping = mapping, .out = out };
	int found = proc_fd < 0 ? -ESRCH : proc_each_map(proc_fd, find, &search);

	return found == 1 ? 0 : found < 0 ? found : -ENOENT;
}

/* An overlay shows its own device for a file of the layer that was mapped. */
static bool is_same(const struct hold_mapping *mapping, int fd)
{
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st) || st.st_ino != mapping->ino)
		return false;
	return ((__u64)major(st.st_dev) << 32 | minor(st.st_dev)) == mapping->dev ||
	       (!fstatfs(fd, &fs) && fs.f_type == OVERLAYFS_SUPER_MAGIC);
}

/* What is mapped no longer: an exec took its place, or the process has ended. */
static int open_again(const struct hold_mapping *mapping, int proc_fd)
{
	_cleanup_close_ int below = proc_fd < 0 || mapping->path[0] != '/' ? -ENOENT :
				    target_open_below(proc_fd, mapping->path);
	_cleanup_close_ int fd = -1;

	if (below >= 0 && is_same(mapping, below))
		return TAKE_FD(below);
	fd = mapping->path[0] == '/' ? target_open("", mapping->path) : -ENOENT;
	return fd >= 0 && is_same(mapping, fd) ? TAKE_FD(fd) : -ESTALE;
}

int mapped_file_open(const struct hold_mapping *mapping, int proc_fd)
{
	_cleanup_(mapped_file_clear) struct mapped_file found = { .fd = -1 };
	const struct proc_map map = { .start = mapping->start, .end = mapping->end,
				      .ino = mapping->ino, .path = mapping->path };
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (proc_fd < 0)
		return open_again(mapping, proc_fd);
	/* Most mappings are still as they were made; reading all of them takes longer. */
	fd = proc_open_map(proc_fd, &map);
	if (fd >= 0 && !fstat(fd, &st) && st.st_ino == mapping->ino)
		return TAKE_FD(fd);
	if (!mapped_file_find(mapping, proc_fd, &found))
		return TAKE_FD(found.fd);
	return open_again(mapping, proc_fd);
}

const char *mapped_path_below(const char *root, const char *path, int fd)
{
	char full[PATH_MAX];
	struct stat want, st;

	if (!*root || fstat(fd, &want))
		return path;
	for (const char *tail = path; tail; tail = strchr(tail + 1, '/')) {
		if (snprintf(full, sizeof(full), "%s%s", root, tail) < (int)sizeof(full) &&
		    !lstat(full, &st) && S_ISREG(st.st_mode) && st.st_size == want.st_size &&
		    st.st_mtim.tv_sec == want.st_mtim.tv_sec &&
		    st.st_mtim.tv_nsec == want.st_mtim.tv_nsec)
			return tail;
	}
	return path;
}
