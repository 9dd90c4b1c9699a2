// SPDX-License-Identifier: BSD-2-Clause
/* Hierarchies of cgroups; see cgroup.h. Finding the one that counts is in cgroup_mount.c. */
#include "interpreters/containers/cgroup.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "interpreters/containers/cgroup_mount.h"

/* An exported handle of kernfs is the 64-bit id itself (FILEID_KERNFS). */
#define HANDLE_TYPE 0xfe

/* Names of cgroups that came and went. Then all are forgotten, and asked for again. */
#define NAMED_MAX 65536

struct named {
	__u64 id;
	char *path; /* NULL = gone before anybody asked */
};

struct cgroups {
	struct cgroup_mount mount;
	struct named *named; /* open addressing, a power of two; id 0 = free */
	size_t named_cnt, named_cap;
};

int cgroups__new(const char *path, struct cgroups **out)
{
	struct cgroups *cgroups = calloc(1, sizeof(*cgroups));
	int err;

	if (!cgroups)
		return -ENOMEM;
	err = cgroup_mount_find(path, &cgroups->mount);
	if (err) {
		free(cgroups);
		return err;
	}
	*out = cgroups;
	return 0;
}

void cgroups__free(struct cgroups *cgroups)
{
	if (!cgroups)
		return;
	for (size_t i = 0; i < cgroups->named_cap; i++)
		free(cgroups->named[i].path);
	free(cgroups->named);
	cgroup_mount_clear(&cgroups->mount);
	free(cgroups);
}

const char *cgroups__controller(const struct cgroups *cgroups)
{
	return cgroups->mount.controller[0] ? cgroups->mount.controller : NULL;
}

__u32 cgroups__root(const struct cgroups *cgroups)
{
	return cgroups->mount.root_id;
}

int cgroups__find(const struct cgroups *cgroups, const char *path, __u64 *id, char **out)
{
	_cleanup_free_ char *dir = NULL;
	struct stat st;
	int err = cgroup_mount_resolve(&cgroups->mount, path, &dir);

	if (err)
		return err;
	if (stat(dir, &st))
		return -errno;
	*id = st.st_ino; /* kernfs: on 64-bit machines the inode number is the id */
	return cgroup_mount_below(&cgroups->mount, dir, out);
}

int cgroup_parse(const char *text, __u32 root, char **out)
{
	while (*text) {
		const char *end = strchrnul(text, '\n');
		char *rest;
		unsigned long number = strtoul(text, &rest, 10);

		if (isdigit((unsigned char)*text) && *rest == ':' && number == root) {
			const char *path = memchr(rest + 1, ':', end - rest - 1);

			if (path && path[1] == '/') {
				*out = strndup(path + 1, end - path - 1);
				return *out ? 0 : -ENOMEM;
			}
		}
		text = *end ? end + 1 : end;
	}
	return -ENOENT;
}

int cgroups__of_process(const struct cgroups *cgroups, int proc_fd, char **out)
{
	_cleanup_free_ char *text = NULL;
	size_t sz;
	int err = proc_read(proc_fd, "cgroup", 65536, &text, &sz);

	return err ? err : cgroup_parse(text, cgroups->mount.root_id, out);
}

static struct named *slot_of(struct named *named, size_t cap, __u64 id)
{
	size_t at = (id * 0x9e3779b97f4a7c15ULL >> 32) & (cap - 1);

	while (named[at].id && named[at].id != id)
		at = (at + 1) & (cap - 1);
	return &named[at];
}

static void forget(struct cgroups *cgroups)
{
	for (size_t i = 0; i < cgroups->named_cap; i++)
		free(cgroups->named[i].path);
	free(cgroups->named);
	cgroups->named = NULL;
	cgroups->named_cnt = cgroups->named_cap = 0;
}

static bool grow(struct cgroups *cgroups)
{
	struct named *bigger;
	size_t cap;

	if (cgroups->named_cnt * 2 < cgroups->named_cap)
		return true;
	if (cgroups->named_cnt >= NAMED_MAX)
		forget(cgroups);
	cap = cgroups->named_cap ? cgroups->named_cap * 2 : 64;
	bigger = calloc(cap, sizeof(*bigger));
	if (!bigger)
		return false;
	for (size_t i = 0; i < cgroups->named_cap; i++)
		if (cgroups->named[i].id)
			*slot_of(bigger, cap, cgroups->named[i].id) = cgroups->named[i];
	free(cgroups->named);
	cgroups->named = bigger;
	cgroups->named_cap = cap;
	return true;
}

void cgroups__note(struct cgroups *cgroups, __u64 id, const char *path)
{
	struct named *slot;
	char *copy;

	if (!id || !grow(cgroups))
		return;
	copy = strdup(path);
	if (!copy)
		return;
	slot = slot_of(cgroups->named, cgroups->named_cap, id);
	cgroups->named_cnt += !slot->id;
	free(slot->path);
	*slot = (struct named){ .id = id, .path = copy };
}

/* The file system itself knows the directory of an id, as long as it is there. */
static char *ask(const struct cgroups *cgroups, __u64 id)
{
	union {
		struct file_handle head;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} handle = { .head = { .handle_bytes = sizeof(id), .handle_type = HANDLE_TYPE } };
	_cleanup_close_ int mount_fd = open(cgroups->mount.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int fd = -1;
	char link[32], dir[PATH_MAX], *path = NULL;
	ssize_t sz;

	memcpy(handle.room + offsetof(struct file_handle, f_handle), &id, sizeof(id));
	if (mount_fd >= 0)
		fd = open_by_handle_at(mount_fd, &handle.head, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	sz = readlink(link, dir, sizeof(dir) - 1);
	if (sz <= 0)
		return NULL;
	dir[sz] = '\0';
	return cgroup_mount_below(&cgroups->mount, dir, &path) ? NULL : path;
}

const char *cgroups__path(struct cgroups *cgroups, __u64 id)
{
	struct named *slot;
	char *path;

	if (!id || !grow(cgroups))
		return NULL;
	slot = slot_of(cgroups->named, cgroups->named_cap, id);
	if (!slot->id) {
		path = ask(cgroups, id);
		cgroups->named_cnt++;
		*slot = (struct named){ .id = id, .path = path };
	}
	return slot->path;
}

/* Directories below @path, parents first; those that vanish meanwhile are passed over. */
static int walk(const struct cgroups *cgroups, const char *path,
		int (*fn)(void *ctx, const char *dir), void *ctx)
{
	_cleanup_free_ char *dir = NULL;
	char *tops[] = { NULL, NULL };
	FTSENT *entry;
	FTS *fts;
	int err = cgroup_mount_dir(&cgroups->mount, path, &dir);

	if (err)
		return err;
	tops[0] = dir;
	fts = fts_open(tops, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV | FTS_NOSTAT, NULL);
	if (!fts)
		return -errno;
	while (!err && (entry = fts_read(fts)))
		if (entry->fts_info == FTS_D)
			err = fn(ctx, entry->fts_path);
	fts_close(fts);
	return err;
}

static int note_dir(void *ctx, const char *dir)
{
	struct cgroups *cgroups = ctx;
	_cleanup_free_ char *path = NULL;
	struct stat st;

	if (!stat(dir, &st) && !cgroup_mount_below(&cgroups->mount, dir, &path))
		cgroups__note(cgroups, st.st_ino, path);
	return cgroups->named_cnt < NAMED_MAX ? 0 : -ENOSPC;
}

void cgroups__note_all(struct cgroups *cgroups)
{
	int err = walk(cgroups, cgroups->mount.root, note_dir, cgroups);

	if (err)
		log_debug("cgroups are named when they are seen: %s", strerror(-err));
}

struct each_process {
	proc_fn fn;
	void *ctx;
};

static int read_processes(void *ctx, const char *dir)
{
	const struct each_process *each = ctx;
	_cleanup_free_ char *path = NULL;
	_cleanup_fclose_ FILE *file = NULL;
	int err = 0, tgid;

	if (asprintf(&path, "%s/cgroup.procs", dir) < 0)
		return -ENOMEM;
	file = fopen(path, "re");
	/* 0 stands for a process of another pid namespace. */
	while (file && !err && fscanf(file, "%d", &tgid) == 1)
		err = tgid > 0 ? each->fn(each->ctx, tgid) : 0;
	return err;
}

int cgroups__each_process(const struct cgroups *cgroups, const char *path, proc_fn fn, void *ctx)
{
	struct each_process each = { fn, ctx };

	return walk(cgroups, path, read_processes, &each);
}

static int stop_at_first(void *ctx, pid_t tgid)
{
	(void)ctx;
	return tgid;
}

bool cgroups__is_used(const struct cgroups *cgroups, const char *path)
{
	return cgroups__each_process(cgroups, path, stop_at_first, NULL) > 0;
}

bool cgroup_is_below(const char *path, const char *top)
{
	size_t sz = strlen(top);

	while (sz && top[sz - 1] == '/')
		sz--;
	return !strncmp(path, top, sz) && (!path[sz] || path[sz] == '/');
}

void cgroup_unit(const char *path, char unit[CGROUP_UNIT_SZ])
{
	static const char *const kinds[] = { ".service", ".scope", ".socket", ".mount", ".swap" };

	unit[0] = '\0';
	while (*path == '/') {
		size_t sz = strcspn(++path, "/");

		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			size_t kind_sz = strlen(kinds[i]);

			if (sz > kind_sz && sz < CGROUP_UNIT_SZ &&
			    !memcmp(path + sz - kind_sz, kinds[i], kind_sz))
				snprintf(unit, CGROUP_UNIT_SZ, "%.*s", (int)sz, path);
		}
		path += sz;
	}
}
