// SPDX-License-Identifier: BSD-2-Clause
/* See overlay.h. The layers of a mount stand in /proc/PID/mountinfo. */
#include "target/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/cleanup.h"

/* With several file systems overlayfs may put the number of one into the highest bits. */
#define INO_BITS (~0ULL >> 8)

int code_id(int fd, struct code_id *out)
{
	struct statfs fs;

	if (fstat(fd, &out->st) || fstatfs(fd, &fs))
		return -errno;
	out->is_overlay = fs.f_type == OVERLAYFS_SUPER_MAGIC;
	return 0;
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool has_same_content(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && is_same_time(&a->st_mtim, &b->st_mtim);
}

static bool is_overlaid(const struct code_id *a, const struct code_id *b)
{
	return a->is_overlay || b->is_overlay;
}

bool code_id_same(const struct code_id *probed, const struct code_id *other)
{
	const struct stat *a = &probed->st, *b = &other->st;

	if (!has_same_content(a, b))
		return false;
	if (!is_overlaid(probed, other))
		return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
	/* A copy has number, size and time of what it was made of, but not the change time. */
	return !((a->st_ino ^ b->st_ino) & INO_BITS) && is_same_time(&a->st_ctim, &b->st_ctim);
}

bool code_id_rewritten(const struct code_id *probed, const struct code_id *other)
{
	return !is_overlaid(probed, other) && probed->st.st_dev == other->st.st_dev &&
	       probed->st.st_ino == other->st.st_ino &&
	       !has_same_content(&probed->st, &other->st);
}

/* The part of @path below directory @dir, without a leading slash; NULL: it is not below. */
static const char *part_below(const char *path, const char *dir)
{
	size_t sz = strlen(dir);

	if (sz && dir[sz - 1] == '/')
		sz--;
	return !strncmp(path, dir, sz) && path[sz] == '/' ? path + sz + 1 : NULL;
}

/* Options of the innermost overlay mount that @path lies on, malloc'd, and where it is mounted. */
static char *find_overlay(FILE *mounts, const char *path, const char **rest)
{
	char text[2 * PATH_MAX + 1024];
	char *options = NULL;
	struct mntent entry;
	size_t best = 0;

	while (getmntent_r(mounts, &entry, text, sizeof(text))) {
		const char *part = part_below(path, entry.mnt_dir);

		/* A later one covers an earlier one at the same place. */
		if (!part || strlen(entry.mnt_dir) < best)
			continue;
		best = strlen(entry.mnt_dir);
		free(options);
		options = strcmp(entry.mnt_type, "overlay") ? NULL : strdup(entry.mnt_opts);
		*rest = part;
	}
	return options;
}

/* The origin of @copy in a layer: its name and number, but not changed when that was. */
static int open_origin(const char *layer, const char *rest, const struct stat *copy)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	struct stat st;

	if (layer[0] != '/' ||
	    snprintf(path, sizeof(path), "%s/%s", layer, rest) >= (int)sizeof(path))
		return -ENOENT;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return -ENOENT;
	if ((st.st_ino ^ copy->st_ino) & INO_BITS || is_same_time(&st.st_ctim, &copy->st_ctim))
		return -ENOENT;
	return TAKE_FD(fd);
}

int overlay_open_lower(int proc_fd, const char *path, int fd)
{
	_cleanup_free_ char *options = NULL;
	char list[64], *word, *words, *layer, *layers;
	const char *rest = NULL;
	struct code_id id;
	FILE *mounts;

	if (code_id(fd, &id) || !id.is_overlay)
		return -ENOENT;
	snprintf(list, sizeof(list), "/proc/self/fd/%d/mounts", proc_fd);
	mounts = setmntent(list, "re");
	if (!mounts)
		return -ENOENT;
	options = find_overlay(mounts, path, &rest);
	endmntent(mounts);
	for (word = options ? strtok_r(options, ",", &words) : NULL; word;
	     word = strtok_r(NULL, ",", &words)) {
		if (strncmp(word, "lowerdir", 8) || !(layers = strchr(word, '=')))
			continue;
		layers++; /* lowerdir=A:B, or lowerdir+=A each */
		while ((layer = strsep(&layers, ":"))) {
			int lower = open_origin(layer, rest, &id.st);

			if (lower >= 0)
				return lower;
		}
	}
	return -ENOENT;
}
