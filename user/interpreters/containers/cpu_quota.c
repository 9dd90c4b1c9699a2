// SPDX-License-Identifier: BSD-2-Clause
/* See cpu_quota.h. */
#include "interpreters/containers/cpu_quota.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "interpreters/containers/cgroup.h"
#include "interpreters/process/proc.h"

#define STAT_SZ 4096
#define DEPTH_MAX 64

int cpu_quota_mount(struct cgroup_mount *out)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	struct cgroup_mount v2 = {};
	size_t cap = 0;

	*out = (struct cgroup_mount){};
	while (file && !out->dir && getline(&line, &cap, file) > 0) {
		struct cgroup_mount mount;

		if (cgroup_mount_parse(line, &mount))
			continue;
		if (!strcmp(mount.controller, "cpu"))
			*out = mount;
		else if (!mount.controller[0] && !v2.dir)
			v2 = mount;
		else
			cgroup_mount_clear(&mount);
	}
	if (!out->dir) {
		*out = v2;
		return v2.dir ? 0 : -ENODEV;
	}
	cgroup_mount_clear(&v2);
	return cgroup_mount_root_id(out);
}

/* At most @sz - 1 bytes of a small file, NUL-terminated. */
static int read_small(const char *dir, const char *name, char *text, size_t sz)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;
	ssize_t got;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : pread(fd, text, sz - 1, 0);
	if (got < 0)
		return -errno;
	text[got] = '\0';
	return 0;
}

/* 1: it has a quota; 0: it has none. */
static int read_quota(const struct cgroup_mount *mount, const char *dir, struct cpu_quota *quota)
{
	unsigned long long period_us;
	long long quota_us;
	char text[128];
	int err;

	if (!mount->controller[0]) {
		err = read_small(dir, "cpu.max", text, sizeof(text));
		if (err) /* the root has none, nor has a cgroup without the controller */
			return err == -ENOENT ? 0 : err;
		if (sscanf(text, "%lld %llu", &quota_us, &period_us) != 2)
			return 0; /* max */
	} else {
		err = read_small(dir, "cpu.cfs_quota_us", text, sizeof(text));
		if (err)
			return err == -ENOENT ? 0 : err;
		if (sscanf(text, "%lld", &quota_us) != 1)
			return 0;
		err = read_small(dir, "cpu.cfs_period_us", text, sizeof(text));
		if (err)
			return err;
		if (sscanf(text, "%llu", &period_us) != 1)
			return 0;
	}
	quota->quota_us = (__u64)quota_us;
	quota->period_us = period_us;
	return quota_us > 0 && period_us > 0;
}

static int open_quota(const struct cgroup_mount *mount, const char *path, struct cpu_quota *quota)
{
	_cleanup_free_ char *dir = NULL, *stat = NULL;
	struct cpu_quota found = { .fd = -1 };
	int got = cgroup_mount_dir(mount, path, &dir);

	if (!got)
		got = read_quota(mount, dir, &found);
	if (got <= 0)
		return got;
	if (asprintf(&stat, "%s/cpu.stat", dir) < 0) {
		stat = NULL;
		return -ENOMEM;
	}
	found.fd = open(stat, O_RDONLY | O_CLOEXEC);
	if (found.fd < 0)
		return -errno;
	found.path = strdup(path);
	if (!found.path) {
		close(found.fd);
		return -ENOMEM;
	}
	*quota = found;
	return 1;
}

int cpu_quotas__open(const struct cgroup_mount *mount, int proc_fd,
		     struct cpu_quota out[CPU_QUOTAS_MAX])
{
	_cleanup_free_ char *text = NULL, *path = NULL;
	int cnt = 0, got, depth = 0;
	size_t sz;

	got = proc_read(proc_fd, "cgroup", 65536, &text, &sz);
	if (!got)
		got = cgroup_parse(text, mount->root_id, &path);
	while (path && got >= 0 && cnt < CPU_QUOTAS_MAX && depth++ < DEPTH_MAX) {
		char *end = strrchr(path, '/');

		got = open_quota(mount, path, &out[cnt]);
		/* What lies above a namespace's own root is not to be seen, and no error. */
		if (got == -ENOENT && depth > 1)
			got = 0;
		cnt += got > 0;
		if (got < 0 || !end || !end[1])
			break;
		end[end == path] = '\0';
	}
	if (got >= 0)
		return cnt;
	while (cnt > 0)
		cpu_quota__close(&out[--cnt]);
	return got;
}

void cpu_quota__close(struct cpu_quota *quota)
{
	if (quota->path)
		close(quota->fd);
	free(quota->path);
	*quota = (struct cpu_quota){ .fd = -1 };
}

static const char *value_of(const char *text, const char *key)
{
	size_t sz = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, sz) && line[sz] == ' ')
			return line + sz + 1;
	}
	return NULL;
}

int cpu_quota_parse(const char *text, struct cpu_throttled *out)
{
	const char *cnt = value_of(text, "nr_throttled");
	const char *us = value_of(text, "throttled_usec"), *ns = value_of(text, "throttled_time");

	if (!cnt || (!us && !ns))
		return -EBADMSG;
	out->cnt = strtoull(cnt, NULL, 10);
	out->wall_ns = ns ? strtoull(ns, NULL, 10) : strtoull(us, NULL, 10) * 1000;
	return 0;
}

int cpu_quota__read(const struct cpu_quota *quota, struct cpu_throttled *out)
{
	char text[STAT_SZ];
	ssize_t got = pread(quota->fd, text, sizeof(text) - 1, 0);

	if (got < 0)
		return -errno;
	text[got] = '\0';
	return cpu_quota_parse(text, out);
}
