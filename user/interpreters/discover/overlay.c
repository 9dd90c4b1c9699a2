// SPDX-License-Identifier: BSD-2-Clause
/* See overlay.h. The layers of a mount stand in /proc/PID/mountinfo. */
#include "interpreters/discover/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "interpreters/process/proc.h"
#include "interpreters/process/target_file.h"

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

static bool has_same_ino(const struct stat *a, const struct stat *b)
{
	return !((a->st_ino ^ b->st_ino) & INO_BITS);
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
	return has_same_ino(a, b) && is_same_time(&a->st_ctim, &b->st_ctim);
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

/*
 * The file that a layer has at @rest, if it has the number of @merged: then it is that file, or, of
 * another change time, what that was copied from. -1: neither.
 */
static int open_in_layer(const char *layer, const char *rest, const struct stat *merged,
			 struct stat *st)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	if (layer[0] != '/' ||
	    snprintf(path, sizeof(path), "%s/%s", layer, rest) >= (int)sizeof(path))
		return -1;
	if (lstat(path, st) || !S_ISREG(st->st_mode))
		return -1;
	fd = target_open("", path);
	if (fd < 0 || fstat(fd, st) || !has_same_ino(st, merged))
		return -1;
	return TAKE_FD(fd);
}

/* Was something done to a file after a process had started? Unknown counts as no. */
static bool is_changed_since_start(int proc_fd, const struct timespec *changed)
{
	_cleanup_free_ char *text = NULL;
	struct timespec now, boot;
	unsigned long long ticks;
	double age_s, changed_s;
	const char *at;
	size_t sz;

	if (proc_read(proc_fd, "stat", 4096, &text, &sz))
		return false;
	at = strrchr(text, ')'); /* behind it the third field */
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (!at || sscanf(at, "%llu", &ticks) != 1)
		return false;
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	age_s = boot.tv_sec + boot.tv_nsec / 1e9 - (double)ticks / sysconf(_SC_CLK_TCK);
	changed_s = (now.tv_sec - changed->tv_sec) + (now.tv_nsec - changed->tv_nsec) / 1e9;
	return changed_s < age_s;
}

/* Looks through the layers that mount @options name; as overlay_open_lower. */
static int search_layers(char *options, const char *rest, const struct stat *merged)
{
	char *words = NULL, *layers, *layer;

	for (char *word = strtok_r(options, ",", &words); word;
	     word = strtok_r(NULL, ",", &words)) {
		/* upperdir=A, lowerdir=A:B, or lowerdir+=A each */
		layers = strchr(word, '=');
		if (!layers || (strncmp(word, "lowerdir", 8) && strncmp(word, "upperdir", 8)))
			continue;
		layers++;
		while ((layer = strsep(&layers, ":"))) {
			struct stat st;
			_cleanup_close_ int fd = open_in_layer(layer, rest, merged, &st);

			if (fd >= 0)
				return is_same_time(&st.st_ctim, &merged->st_ctim) ? -ENOENT :
										    TAKE_FD(fd);
		}
	}
	return -ESTALE;
}

int overlay_open_lower(int proc_fd, const char *path, int fd)
{
	_cleanup_free_ char *options = NULL;
	const char *rest = NULL;
	struct code_id id;
	char list[64];
	FILE *mounts;
	int lower = -ESTALE;

	if (code_id(fd, &id) || !id.is_overlay)
		return -ENOENT;
	snprintf(list, sizeof(list), "/proc/self/fd/%d/mounts", proc_fd);
	mounts = setmntent(list, "re");
	if (!mounts)
		return -ENOENT;
	options = find_overlay(mounts, path, &rest);
	endmntent(mounts);
	if (options)
		lower = search_layers(options, rest, &id.st);
	if (lower == -ESTALE && !is_changed_since_start(proc_fd, &id.st.st_ctim))
		return -ENOENT;
	return lower;
}
