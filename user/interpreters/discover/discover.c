// SPDX-License-Identifier: BSD-2-Clause
/* Finding interpreter files; see discover.h. What was looked at before is in known_files.c. */
#include "interpreters/discover/discover.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "interpreters/interp.h"
#include "interpreters/discover/known_files.h"
#include "interpreters/process/proc.h"
#include "interpreters/process/shebang.h"
#include "interpreters/process/target_file.h"

#define BUCKETS 1024

/* A mapping seen in some maps file, so that a library is opened once per scan, not per process. */
struct known_map {
	struct known_map *next;
	__u64 dev, ino;
	int verdict;
};

struct discover {
	discover_fn fn;
	void *ctx;
	pthread_mutex_t lock;
	struct known_files *files;
	struct known_map *maps[BUCKETS];
	size_t examined_cnt;
	struct discover_unexamined unexamined;
};

int discover__new(discover_fn fn, void *ctx, struct discover **out)
{
	struct discover *discover = calloc(1, sizeof(*discover));
	pthread_mutexattr_t attr;

	if (!discover)
		return -ENOMEM;
	if (known_files__new(&discover->files)) {
		free(discover);
		return -ENOMEM;
	}
	discover->fn = fn;
	discover->ctx = ctx;
	/* Recursive: a program leads to its library under one lock. */
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&discover->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	*out = discover;
	return 0;
}

static void forget_maps(struct discover *discover)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct known_map *map;

		while ((map = discover->maps[i])) {
			discover->maps[i] = map->next;
			free(map);
		}
	}
}

void discover__free(struct discover *discover)
{
	if (!discover)
		return;
	forget_maps(discover);
	unexamined_clear(&discover->unexamined);
	known_files__free(discover->files);
	pthread_mutex_destroy(&discover->lock);
	free(discover);
}

size_t discover__examined(const struct discover *discover)
{
	return discover->examined_cnt;
}

const struct discover_unexamined *discover__unexamined(const struct discover *discover)
{
	return &discover->unexamined;
}

static size_t bucket_of(__u64 dev, __u64 ino)
{
	return ((dev * 31 + ino) * 0x9e3779b97f4a7c15ULL) >> 54;
}
_Static_assert(BUCKETS == 1 << (64 - 54), "bucket_of yields 10 bits");

static int examine_library(struct discover *discover, int exe_fd, const char *path,
			   const char *root, pid_t tgid)
{
	_cleanup_free_ char *library = NULL;
	_cleanup_close_ int fd = -1;
	int err;

	err = interp_needed_libpython(exe_fd, path, root, &library);
	if (err)
		return DISCOVER_NOTHING;
	fd = target_open(root, library);
	if (fd < 0) {
		log_debug("%s needs %s, which cannot be opened: %s", path, library, strerror(-fd));
		return DISCOVER_NOTHING;
	}
	err = discover__file(discover, fd, library, "", tgid);
	return err == DISCOVER_INTERPRETER ? DISCOVER_LIBRARY :
	       err == DISCOVER_REFUSED ? DISCOVER_REFUSED : DISCOVER_NOTHING;
}

static int offer(struct discover *discover, int fd, const char *path, pid_t tgid)
{
	int err = discover->fn(discover->ctx, fd, path, tgid);

	/* What looked like one and is none was judged by its cover. */
	if (err == -ENOENT || err == -ENOEXEC)
		return DISCOVER_NOTHING;
	return err ? DISCOVER_REFUSED : DISCOVER_INTERPRETER;
}

/* *remembered: what to know of the file itself; a library it needs is looked at each time. */
static int examine(struct discover *discover, int fd, const char *path, const char *root,
		   pid_t tgid, int *remembered)
{
	int is_python = interp_probe(fd), verdict;

	discover->examined_cnt++;
	*remembered = DISCOVER_NOTHING;
	if (is_python < 0) {
		log_debug("%s: not examined: %s", path, strerror(-is_python));
		if (is_python == -EFBIG)
			unexamined_add(&discover->unexamined, path);
		return DISCOVER_NOTHING;
	}
	if (!is_python) {
		verdict = examine_library(discover, fd, path, root, tgid);
		if (verdict != DISCOVER_NOTHING)
			*remembered = DISCOVER_LIBRARY;
		return verdict;
	}
	*remembered = offer(discover, fd, path, tgid);
	return *remembered;
}

static int examine_once(struct discover *discover, int fd, const char *path, const char *root,
			pid_t tgid)
{
	struct file_key key;
	int known, verdict, remembered;

	verdict = known_files_key(fd, &key);
	if (verdict)
		return verdict;
	known = known_files__find(discover->files, &key);
	if (known < 0) {
		verdict = examine(discover, fd, path, root, tgid, &remembered);
		known_files__add(discover->files, &key, remembered);
		return verdict;
	}
	if (known == DISCOVER_LIBRARY) /* the library may have been replaced since */
		return examine_library(discover, fd, path, root, tgid);
	if (known == DISCOVER_REFUSED && tgid)
		return offer(discover, fd, path, tgid);
	return known;
}

int discover__file(struct discover *discover, int fd, const char *path, const char *root,
		   pid_t tgid)
{
	int verdict;

	pthread_mutex_lock(&discover->lock);
	verdict = examine_once(discover, fd, path, root, tgid);
	pthread_mutex_unlock(&discover->lock);
	return verdict;
}

int discover__known(struct discover *discover, int fd)
{
	struct file_key key;

	return known_files_key(fd, &key) ?: known_files__find(discover->files, &key);
}

bool discover__is_other(struct discover *discover, int fd, const char *path, const char *root)
{
	_cleanup_free_ char *library = NULL;
	struct file_key key;
	bool is_other;
	int known;

	if (known_files_key(fd, &key))
		return false;
	pthread_mutex_lock(&discover->lock);
	known = known_files__find(discover->files, &key);
	is_other = known >= 0 ? known == DISCOVER_NOTHING :
		   !interp_probe(fd) &&
		   interp_needed_libpython(fd, path, root, &library) == -ENOENT;
	if (is_other && known < 0)
		known_files__add(discover->files, &key, DISCOVER_NOTHING);
	pthread_mutex_unlock(&discover->lock);
	return is_other;
}

static int examine_path(struct discover *discover, const char *path, pid_t tgid)
{
	_cleanup_close_ int fd = target_open("", path);
	char link[32], real[PATH_MAX];
	ssize_t sz;

	if (fd < 0)
		return fd;
	/* ld.so takes $ORIGIN from the program's real path, not from a symbolic link to it. */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	sz = readlink(link, real, sizeof(real) - 1);
	if (sz <= 0)
		return -errno;
	real[sz] = '\0';
	return discover__file(discover, fd, real, "", tgid);
}

int discover__command(struct discover *discover, const char *name, const char *path, pid_t tgid)
{
	_cleanup_free_ char *program = NULL;
	int err;

	err = shebang_resolve(name, path, &program);
	return err ? err : examine_path(discover, program, tgid);
}

struct scan {
	struct discover *discover;
	bool want_named; /* first pass: files whose name says Python; second: all the others */
	int found_cnt;
	pid_t tgid;
	char root[PROC_ROOT_SZ];
	__u64 last_dev, last_ino; /* the segments of one file stand in a row */
};

static bool is_named_python(const char *path)
{
	const char *base = strrchr(path, '/');

	return strcasestr(base ? base + 1 : path, "python") != NULL;
}

static int examine_map(struct scan *scan, int proc_fd, const struct proc_map *map)
{
	_cleanup_close_ int fd = proc_open_map(proc_fd, map);

	if (fd < 0) {
		log_debug("%s%s: cannot be opened: %s", scan->root, map->path, strerror(-fd));
		return DISCOVER_NOTHING;
	}
	return discover__file(scan->discover, fd, map->path, scan->root, scan->tgid);
}

static bool is_found(int verdict)
{
	return verdict == DISCOVER_INTERPRETER || verdict == DISCOVER_LIBRARY;
}

static int scan_map(void *ctx, int proc_fd, const struct proc_map *map)
{
	struct scan *scan = ctx;
	__u64 dev = (__u64)map->major << 32 | map->minor;
	struct known_map **head, *known;
	int verdict;

	if (!map->is_exec || !map->ino || map->path[0] != '/' ||
	    is_named_python(map->path) != scan->want_named)
		return 0;
	if (dev == scan->last_dev && map->ino == scan->last_ino)
		return 0;
	scan->last_dev = dev;
	scan->last_ino = map->ino;
	head = &scan->discover->maps[bucket_of(dev, map->ino)];
	for (known = *head; known && (known->dev != dev || known->ino != map->ino);)
		known = known->next;
	if (known) {
		scan->found_cnt += is_found(known->verdict);
		return 0;
	}
	verdict = examine_map(scan, proc_fd, map);
	scan->found_cnt += is_found(verdict);
	known = malloc(sizeof(*known));
	if (known) {
		*known = (struct known_map){ .next = *head, .dev = dev, .ino = map->ino,
					     .verdict = verdict > 0 ? verdict : 0 };
		*head = known;
	}
	return 0;
}

/*
 * Names first: nearly every interpreter has one that says so, and then the hundreds of libraries
 * of a big program need not be read. Only where that finds nothing, everything is looked into.
 */
static int scan_process(struct discover *discover, pid_t tgid)
{
	struct scan scan = { .discover = discover, .want_named = true, .tgid = tgid };
	_cleanup_close_ int proc_fd = proc_open(tgid);
	int err;

	if (proc_fd < 0)
		return proc_fd;
	proc_root(proc_fd, tgid, scan.root);
	err = proc_each_map(proc_fd, scan_map, &scan);
	if (err || scan.found_cnt)
		return err ? err : scan.found_cnt;
	scan.want_named = false;
	scan.last_ino = 0;
	err = proc_each_map(proc_fd, scan_map, &scan);
	return err ? err : scan.found_cnt;
}

int discover__process(struct discover *discover, pid_t tgid)
{
	int cnt;

	pthread_mutex_lock(&discover->lock);
	cnt = scan_process(discover, tgid);
	forget_maps(discover);
	pthread_mutex_unlock(&discover->lock);
	return cnt;
}

static int scan_any_process(void *ctx, pid_t tgid)
{
	int cnt = scan_process(ctx, tgid);

	if (cnt < 0 && cnt != -ESRCH && cnt != -ENOENT)
		log_debug("process %d: maps cannot be read: %s", tgid, strerror(-cnt));
	return 0;
}

static void scan_glob(struct discover *discover, const char *pattern)
{
	glob_t found = {};

	if (!glob(pattern, GLOB_NOSORT, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			examine_path(discover, found.gl_pathv[i], 0);
	}
	globfree(&found);
}

static void scan_path_dirs(struct discover *discover, const char *path)
{
	char pattern[PATH_MAX];

	for (;;) {
		size_t sz = strcspn(path, ":");

		if (sz && snprintf(pattern, sizeof(pattern), "%.*s/python*", (int)sz, path) <
			  (int)sizeof(pattern))
			scan_glob(discover, pattern);
		if (!path[sz])
			return;
		path += sz + 1;
	}
}

int discover__host(struct discover *discover, const char *path)
{
	static const char *const patterns[] = {
		"/usr/bin/python*", "/usr/local/bin/python*",
		"/usr/lib/*/libpython*.so*", "/usr/lib/libpython*.so*",
		"/usr/lib64/libpython*.so*", "/usr/local/lib/libpython*.so*",
		"/usr/local/lib64/libpython*.so*",
	};
	int err;

	pthread_mutex_lock(&discover->lock);
	err = proc_each(scan_any_process, discover);
	forget_maps(discover);
	pthread_mutex_unlock(&discover->lock);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		scan_glob(discover, patterns[i]);
	if (path)
		scan_path_dirs(discover, path);
	return err;
}
