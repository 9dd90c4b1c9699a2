// SPDX-License-Identifier: BSD-2-Clause
/* Readers of /proc/PID; see proc.h. Nothing here decides what a process is. */
#include "interpreters/process/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "interpreters/process/target_file.h"

int proc_open(pid_t tgid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d", tgid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	return fd;
}

/* The kernel writes a newline in a path as \012 and leaves everything else alone. */
static void unescape(char *path)
{
	char *to = path;

	for (char *from = path; *from;) {
		if (!strncmp(from, "\\012", 4)) {
			*to++ = '\n';
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

static bool cut_suffix(char *text, const char *suffix)
{
	size_t sz = strlen(text), suffix_sz = strlen(suffix);

	if (sz < suffix_sz || strcmp(text + sz - suffix_sz, suffix))
		return false;
	text[sz - suffix_sz] = '\0';
	return true;
}

int proc_parse_map(char *line, struct proc_map *out)
{
	unsigned long long start, end, off, ino;
	unsigned int major, minor;
	char perms[5];
	int path_off = 0;
	char *path;

	if (sscanf(line, "%llx-%llx %4s %llx %x:%x %llu%n", &start, &end, perms, &off, &major,
		   &minor, &ino, &path_off) != 7 || !path_off || strlen(perms) != 4)
		return -EINVAL;
	if (end <= start)
		return -EINVAL;
	path = line + path_off;
	path += strspn(path, " ");
	path[strcspn(path, "\n")] = '\0';
	unescape(path);
	*out = (struct proc_map){ .start = start, .end = end, .off = off, .ino = ino,
				  .major = major, .minor = minor, .is_exec = perms[2] == 'x',
				  .is_write = perms[1] == 'w',
				  .path = path };
	out->is_deleted = path[0] == '/' && cut_suffix(path, " (deleted)");
	return 0;
}

static FILE *open_text(int proc_fd, const char *name)
{
	int fd = openat(proc_fd, name, O_RDONLY | O_CLOEXEC);
	FILE *file;

	if (fd < 0)
		return NULL;
	file = fdopen(fd, "r");
	if (!file)
		close(fd);
	return file;
}

int proc_each_map(int proc_fd, proc_map_fn fn, void *ctx)
{
	_cleanup_fclose_ FILE *file = open_text(proc_fd, "maps");
	_cleanup_free_ char *line = NULL;
	size_t cap = 0;
	struct proc_map map;
	int err = 0;

	if (!file)
		return -errno;
	while (!err && getline(&line, &cap, file) > 0) {
		if (!proc_parse_map(line, &map))
			err = fn(ctx, proc_fd, &map);
	}
	return err;
}

int proc_open_map(int proc_fd, const struct proc_map *map)
{
	char path[64];
	struct stat st;
	int fd;

	if (map->path[0] != '/' || (!strncmp(map->path, "/dev/", 5) &&
				    strncmp(map->path, "/dev/shm/", 9)))
		return -EINVAL;
	snprintf(path, sizeof(path), "map_files/%llx-%llx", map->start, map->end);
	fd = target_open_at(proc_fd, path);
	if (fd >= 0 || fd == -EINVAL)
		return fd;
	/* map_files needs CAP_CHECKPOINT_RESTORE; the path is as good if it is still that file. */
	if (map->is_deleted)
		return fd;
	fd = target_open_below(proc_fd, map->path);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || st.st_ino != map->ino) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

int proc_link(int proc_fd, const char *name, char **out)
{
	char target[PATH_MAX];
	ssize_t sz = readlinkat(proc_fd, name, target, sizeof(target) - 1);
	char *copy;

	if (sz < 0)
		return -errno;
	if (!sz)
		return -ENOENT; /* a kernel thread's exe on some kernels */
	target[sz] = '\0';
	copy = strdup(target);
	if (!copy)
		return -ENOMEM;
	*out = copy;
	return 0;
}

int proc_open_exe(int proc_fd)
{
	return target_open_at(proc_fd, "exe");
}

int proc_read(int proc_fd, const char *name, size_t max, char **out, size_t *sz_out)
{
	_cleanup_close_ int fd = openat(proc_fd, name, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	size_t sz = 0, cap = 0;

	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t got;

		if (sz == cap) {
			char *grown;

			cap = cap ? cap * 2 : 1024;
			if (cap > max)
				cap = max;
			grown = sz == max ? NULL : realloc(text, cap + 1);
			if (!grown && sz < max)
				return -ENOMEM;
			if (!grown)
				break;
			text = grown;
		}
		got = read(fd, text + sz, cap - sz);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		sz += got;
	}
	if (!text)
		return -EINVAL;
	text[sz] = '\0';
	*out = TAKE_PTR(text);
	*sz_out = sz;
	return 0;
}

int proc_split_args(const char *text, size_t sz, char ***argv, size_t *argc)
{
	size_t cnt = 0, head_sz, i = 0;
	char *copy, **block;

	for (size_t off = 0; off < sz; off += strnlen(text + off, sz - off) + 1)
		cnt++;
	head_sz = (cnt + 1) * sizeof(char *);
	block = malloc(head_sz + sz + 1);
	if (!block)
		return -ENOMEM;
	copy = (char *)block + head_sz;
	memcpy(copy, text, sz);
	copy[sz] = '\0';
	for (size_t off = 0; off < sz; off += strlen(copy + off) + 1)
		block[i++] = copy + off;
	block[i] = NULL;
	*argv = block;
	*argc = cnt;
	return 0;
}

int proc_argv(int proc_fd, char ***argv, size_t *argc)
{
	_cleanup_free_ char *text = NULL;
	size_t sz;
	int err;

	err = proc_read(proc_fd, "cmdline", PROC_ARGS_MAX, &text, &sz);
	if (err)
		return err;
	return proc_split_args(text, sz, argv, argc);
}

/* Lines are `ID:CONTROLLERS:PATH`; the v2 one has ID 0 and no controllers. */
int proc_parse_cgroup(char *text, char **out)
{
	const char *best = NULL;
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *path = strchr(line, ':');

		path = path ? strchr(path + 1, ':') : NULL;
		if (!path)
			continue;
		path++;
		if (!strncmp(line, "0::", 3) && strcmp(path, "/")) {
			best = path;
			break;
		}
		if (!best || strlen(path) > strlen(best))
			best = path;
	}
	if (!best)
		return -ENOENT;
	*out = strdup(best);
	return *out ? 0 : -ENOMEM;
}

int proc_parent(int proc_fd, pid_t *ppid, char comm[16])
{
	_cleanup_free_ char *text = NULL;
	char *open_paren, *close_paren;
	size_t sz;
	int err;

	err = proc_read(proc_fd, "stat", 4096, &text, &sz);
	if (err || !text)
		return err ? err : -ENODATA;
	/* The name may hold parentheses itself: the last one ends it. */
	open_paren = strchr(text, '(');
	close_paren = strrchr(text, ')');
	if (!open_paren || !close_paren || close_paren < open_paren ||
	    sscanf(close_paren + 1, " %*c %d", ppid) != 1)
		return -EINVAL;
	*close_paren = '\0';
	if (comm)
		snprintf(comm, 16, "%.15s", open_paren + 1);
	return 0;
}

/* Equal roots are not enough: another mount namespace may have mounted over any directory. */
static bool shares_root(int proc_fd)
{
	struct stat ours, theirs, our_ns, their_ns;

	return !stat("/", &ours) && !fstatat(proc_fd, "root/", &theirs, 0) &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino &&
	       !stat("/proc/self/ns/mnt", &our_ns) &&
	       !fstatat(proc_fd, "ns/mnt", &their_ns, 0) && our_ns.st_ino == their_ns.st_ino;
}

void proc_root(int proc_fd, pid_t tgid, char root[PROC_ROOT_SZ])
{
	root[0] = '\0';
	if (!shares_root(proc_fd))
		snprintf(root, PROC_ROOT_SZ, "/proc/%d/root", tgid);
}

int proc_uid(int proc_fd, uid_t *uid)
{
	struct stat st;

	/* The directory belongs to the effective uid, to root when the process is not dumpable. */
	if (fstat(proc_fd, &st))
		return -errno;
	*uid = st.st_uid;
	return 0;
}

bool proc_is_root(int proc_fd)
{
	_cleanup_free_ char *text = NULL;
	const char *line;
	size_t sz;

	/* Not by the owner of its directory: what is not dumpable belongs to root, too. */
	if (proc_read(proc_fd, "status", 16384, &text, &sz))
		return false;
	line = strstr(text, "\nUid:");
	return line && !strncmp(line, "\nUid:\t0\t0\t0\t0\n", 14);
}

int proc_tgid(int proc_fd, pid_t *tgid)
{
	_cleanup_free_ char *text = NULL;
	const char *line;
	size_t sz;

	if (proc_read(proc_fd, "status", 16384, &text, &sz))
		return -ESRCH;
	line = strstr(text, "\nTgid:");
	return line && sscanf(line, " Tgid: %d", tgid) == 1 ? 0 : -EINVAL;
}

int proc_each(proc_fn fn, void *ctx)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir))) {
		if (isdigit((unsigned char)entry->d_name[0]))
			err = fn(ctx, (pid_t)strtol(entry->d_name, NULL, 10));
	}
	closedir(dir);
	return err;
}
