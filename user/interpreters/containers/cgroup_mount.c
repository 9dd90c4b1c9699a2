// SPDX-License-Identifier: BSD-2-Clause
/* Mounts of cgroup file systems; see cgroup_mount.h. */
#include "interpreters/containers/cgroup_mount.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

/* Those a container runtime always puts a container into, the likeliest first. */
static const char *const preferred[] = { "memory", "pids", "cpu", "cpuset", "devices", "freezer",
					 "blkio" };
/* Every controller the kernel's BTF may name; others of a v1 mount are options or names. */
static const char *const controllers[] = {
	"memory", "pids", "cpu", "cpuacct", "cpuset", "devices", "freezer", "blkio", "net_cls",
	"perf_event", "net_prio", "hugetlb", "rdma", "misc",
};

void cgroup_mount_clear(struct cgroup_mount *mount)
{
	free(mount->dir);
	free(mount->root);
	*mount = (struct cgroup_mount){};
}

/* mountinfo writes blanks and backslashes as \040. */
static void unescape(char *text)
{
	char *to = text;

	for (char *from = text; *from; to++) {
		unsigned int value;

		if (*from == '\\' && sscanf(from + 1, "%3o", &value) == 1 &&
		    isdigit((unsigned char)from[2]) && isdigit((unsigned char)from[3])) {
			*to = (char)value;
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

static void find_controller(char *options, char out[32])
{
	char *save = NULL;

	for (char *word = strtok_r(options, ",\n", &save); word; word = strtok_r(NULL, ",\n", &save))
		for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++)
			if (!out[0] && !strcmp(word, controllers[i]))
				snprintf(out, 32, "%s", word);
}

int cgroup_mount_parse(char *line, struct cgroup_mount *out)
{
	char *tail = strstr(line, " - cgroup"), *options;
	char root[PATH_MAX], dir[PATH_MAX];
	bool is_v2 = tail && tail[9] == '2';

	*out = (struct cgroup_mount){};
	if (!tail || tail[9 + is_v2] != ' ')
		return -EINVAL;
	options = strrchr(tail, ' ');
	*tail = '\0';
	if (sscanf(line, "%*d %*d %*d:%*d %4095s %4095s", root, dir) != 2)
		return -EINVAL;
	unescape(root);
	unescape(dir);
	if (!is_v2) {
		find_controller(options, out->controller);
		if (!out->controller[0])
			snprintf(out->controller, sizeof(out->controller), "?");
	}
	out->root = strdup(strcmp(root, "/") ? root : "");
	out->dir = strdup(dir);
	if (!out->root || !out->dir) {
		cgroup_mount_clear(out);
		return -ENOMEM;
	}
	return 0;
}

static bool is_controller_in(const char *list, const char *name)
{
	size_t sz = strlen(name);

	while (*list) {
		size_t word_sz = strcspn(list, ",");

		if (word_sz == sz && !memcmp(list, name, sz))
			return true;
		list += word_sz + (list[word_sz] == ',');
	}
	return false;
}

/* Lines are `ID:CONTROLLERS:PATH`. */
int cgroup_mount_root_id(struct cgroup_mount *mount)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX + 256], names[256];
	unsigned int id;

	if (!mount->controller[0])
		return 0;
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%u:%255[^:]:", &id, names) == 2 &&
		    is_controller_in(names, mount->controller)) {
			mount->root_id = id;
			return 0;
		}
	}
	return -ENODEV;
}

/* How good a mount is when the user named none; 0 = of no use. */
static int rank(const struct cgroup_mount *mount)
{
	int cnt = sizeof(preferred) / sizeof(preferred[0]);

	if (!mount->controller[0])
		return cnt + 1;
	for (int i = 0; i < cnt; i++)
		if (!strcmp(mount->controller, preferred[i]))
			return cnt - i;
	return 0;
}

static bool has(const struct cgroup_mount *mount, const char *path)
{
	_cleanup_free_ char *dir = NULL;

	return !cgroup_mount_resolve(mount, path, &dir);
}

int cgroup_mount_find(const char *path, struct cgroup_mount *out)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	bool is_any = false, is_named = false;
	int best = 0, err;
	size_t cap = 0;

	*out = (struct cgroup_mount){};
	while (file && getline(&line, &cap, file) > 0) {
		struct cgroup_mount mount;
		int good;

		if (cgroup_mount_parse(line, &mount))
			continue;
		is_any = true;
		good = rank(&mount);
		if (path && !has(&mount, path))
			good = 0;
		else if (path && mount.controller[0] == '?')
			is_named = true;
		else if (path && !good)
			good = 1;
		if (good > best) {
			cgroup_mount_clear(out);
			*out = mount;
			best = good;
		} else {
			cgroup_mount_clear(&mount);
		}
	}
	if (!best)
		return !is_any ? -ENODEV : is_named ? -ENOTSUP : path ? -ENOENT : -ENODEV;
	err = cgroup_mount_root_id(out);
	if (err)
		cgroup_mount_clear(out);
	return err;
}

int cgroup_mount_resolve(const struct cgroup_mount *mount, const char *path, char **dir)
{
	_cleanup_free_ char *joined = NULL;
	struct stat st, top;
	char full[PATH_MAX];

	if (stat(mount->dir, &top))
		return -errno;
	/* A directory of ours: every mount has a device of its own, v1 ones included. */
	if (path[0] == '/' && realpath(path, full) && !stat(full, &st) &&
	    st.st_dev == top.st_dev && cgroup_mount_below(mount, full, &joined) == 0) {
		*dir = strdup(full);
		return !*dir ? -ENOMEM : S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
	}
	if (asprintf(&joined, "%s/%s", mount->dir, path) < 0)
		return -ENOMEM;
	if (!realpath(joined, full) || stat(full, &st))
		return -errno;
	/* Links and `..` must not lead out of the hierarchy. */
	if (st.st_dev != top.st_dev)
		return -EXDEV;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	*dir = strdup(full);
	return *dir ? 0 : -ENOMEM;
}

int cgroup_mount_dir(const struct cgroup_mount *mount, const char *path, char **dir)
{
	size_t sz = strlen(mount->root);

	if (strncmp(path, mount->root, sz) || (path[sz] && path[sz] != '/'))
		return -ENOENT;
	return asprintf(dir, "%s%s", mount->dir, path + sz) < 0 ? -ENOMEM : 0;
}

int cgroup_mount_below(const struct cgroup_mount *mount, const char *dir, char **path)
{
	size_t sz = strlen(mount->dir);

	if (strncmp(dir, mount->dir, sz) || (dir[sz] && dir[sz] != '/'))
		return -ENOENT;
	dir += sz;
	if (asprintf(path, "%s%s", mount->root, dir) < 0)
		return -ENOMEM;
	sz = strlen(*path);
	while (sz > 1 && (*path)[sz - 1] == '/')
		(*path)[--sz] = '\0';
	if (!sz) {
		free(*path);
		*path = strdup("/");
	}
	return *path ? 0 : -ENOMEM;
}
