// SPDX-License-Identifier: BSD-2-Clause
/* See files.h. */
#include "trace/rotation/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/log.h"

#define NR_MAX 999999999u

/* x.cap -> x and .cap; .x -> .x and nothing. */
static int split(struct rotation *rotation, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot;

	if (!*name)
		return -EISDIR;
	rotation->dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup("");
	rotation->stem = strdup(name);
	if (!rotation->dir || !rotation->stem)
		return -ENOMEM;
	dot = strrchr(name, '.');
	rotation->ending = dot && dot != name ? path + (dot - path) : "";
	rotation->stem[strlen(name) - strlen(rotation->ending)] = '\0';
	return 0;
}

/* @dir: empty, or with its slash */
static int name_of(const struct rotation *rotation, const char *dir, unsigned int nr, char **name)
{
	return asprintf(name, "%s%s.%u%s", dir, rotation->stem, nr, rotation->ending) < 0 ?
		       -ENOMEM : 0;
}

/* The number in a name like ours; 0 = it is none. */
static unsigned int number_in(const struct rotation *rotation, const char *name)
{
	size_t len = strlen(rotation->stem);
	unsigned long nr;
	char *end;

	if (strncmp(name, rotation->stem, len) || name[len] != '.' || name[len + 1] < '1' ||
	    name[len + 1] > '9')
		return 0;
	nr = strtoul(name + len + 1, &end, 10);
	return strcmp(end, rotation->ending) || nr >= NR_MAX ? 0 : (unsigned int)nr;
}

static int find_last(struct rotation *rotation)
{
	int fd = openat(rotation->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (!dir) {
		int err = -errno;

		if (fd >= 0)
			close(fd);
		return err;
	}
	while ((entry = readdir(dir))) {
		unsigned int nr = number_in(rotation, entry->d_name);

		if (nr > rotation->last_nr)
			rotation->last_nr = nr;
	}
	closedir(dir);
	return 0;
}

int rotation__open(struct rotation *rotation, const char *path, size_t keep)
{
	struct stat st;
	int err;

	*rotation = (struct rotation){ .dir_fd = -1, .keep = keep };
	if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
		log_err(0, "%s is no regular file: its captures cannot be rotated", path);
		return -EINVAL;
	}
	err = split(rotation, path);
	if (!err) {
		rotation->dir_fd = open(*rotation->dir ? rotation->dir : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		err = rotation->dir_fd < 0 ? -errno : find_last(rotation);
	}
	return err ? log_err(err, "cannot write captures to %s", path) : 0;
}

void rotation__close(struct rotation *rotation)
{
	if (rotation->stem && rotation->dir_fd >= 0)
		close(rotation->dir_fd);
	free(rotation->dir);
	free(rotation->stem);
	free(rotation->path);
	free(rotation->made);
	*rotation = (struct rotation){ .dir_fd = -1 };
}

int rotation__next(struct rotation *rotation, struct output *output)
{
	_cleanup_free_ char *path = NULL, *shown = NULL;
	struct output next;
	char dir[64];
	int err;

	snprintf(dir, sizeof(dir), "/proc/self/fd/%d/", rotation->dir_fd);
	err = name_of(rotation, dir, rotation->last_nr + 1, &path);
	if (!err)
		err = name_of(rotation, rotation->dir, rotation->last_nr + 1, &shown);
	if (!err)
		err = output__open_path(path, "capture", "-o", true, &next);
	if (err)
		return err;
	rotation->last_nr++;
	rotation->cnt++;
	free(rotation->path);
	rotation->path = TAKE_PTR(shown);
	*output = next;
	output->path = rotation->path;
	return 0;
}

static void remove_made(const struct rotation *rotation, const struct made *made)
{
	_cleanup_free_ char *name = NULL;
	struct stat st;

	if (name_of(rotation, "", made->nr, &name) ||
	    fstatat(rotation->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) || st.st_dev != made->dev ||
	    st.st_ino != made->ino)
		return; /* somebody has moved it, or put another one there */
	if (unlinkat(rotation->dir_fd, name, 0))
		log_warn("cannot remove %s: %s", name, strerror(errno));
}

void rotation__trim(struct rotation *rotation, const struct output *output)
{
	struct made made = { .nr = rotation->last_nr };
	struct stat st;

	if (!rotation->keep || fstat(fileno(output->file), &st))
		return;
	made.dev = st.st_dev;
	made.ino = st.st_ino;
	if (array_push(&rotation->made, &rotation->made_cnt, &rotation->made_cap, made))
		return;
	while (rotation->made_cnt > rotation->keep) {
		remove_made(rotation, &rotation->made[0]);
		rotation->made_cnt--;
		memmove(rotation->made, rotation->made + 1,
			rotation->made_cnt * sizeof(*rotation->made));
	}
}
