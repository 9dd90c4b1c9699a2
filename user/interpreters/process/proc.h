/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What /proc tells of a process. Every reader takes a descriptor of /proc/PID, so that two reads
 * never mix two processes with the same number, and bounds what it reads. A process may vanish at
 * any moment: -ESRCH and -ENOENT are normal answers.
 */
#ifndef INTERPRETERS_PROCESS_PROC_H
#define INTERPRETERS_PROCESS_PROC_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROC_ARGS_MAX 131072 /* bytes of a command line; what is longer is cut */

/* One line of /proc/PID/maps. */
struct proc_map {
	__u64 start, end, off, ino;
	unsigned int major, minor;
	bool is_exec, is_write;
	bool is_deleted;  /* the name is gone or means another file now */
	const char *path; /* "" = anonymous; points into the parsed line */
};

/* Descriptor of /proc/PID, -ESRCH when there is no such process. */
int proc_open(pid_t tgid);

/* Parses one line in place (escapes are resolved). 0 or -EINVAL. */
int proc_parse_map(char *line, struct proc_map *out);

/* Calls @fn for each mapping until it returns non-zero, which is then the result. */
typedef int (*proc_map_fn)(void *ctx, int proc_fd, const struct proc_map *map);
int proc_each_map(int proc_fd, proc_map_fn fn, void *ctx);

/*
 * Opens the very file behind a mapping, deleted or in another mount namespace though it may be.
 * -ESTALE: the path leads to another file by now. -EINVAL: not a regular file.
 */
int proc_open_map(int proc_fd, const struct proc_map *map);

/* Target of /proc/PID/exe, cwd or root, malloc'd in *out. */
int proc_link(int proc_fd, const char *name, char **out);

/* /proc/PID/exe itself, for reading. */
int proc_open_exe(int proc_fd);

/* At most @max bytes of a file below /proc/PID, NUL-terminated; *sz_out does not count the NUL. */
int proc_read(int proc_fd, const char *name, size_t max, char **out, size_t *sz_out);

/* Command line as one malloc'd block: *argv points into itself, free(*argv) frees all. */
int proc_argv(int proc_fd, char ***argv, size_t *argc);

/* From /proc/PID/cgroup: path in the v2 hierarchy, or else the longest one of any v1. malloc'd. */
int proc_parse_cgroup(char *text, char **out);

/* Parent and comm from /proc/PID/stat; @comm may be NULL. */
int proc_parent(int proc_fd, pid_t *ppid, char comm[16]);

/*
 * Prefix under which we reach the files a process sees: "" when it sees what we see, else
 * "/proc/PID/root".
 */
#define PROC_ROOT_SZ 32
void proc_root(int proc_fd, pid_t tgid, char root[PROC_ROOT_SZ]);

/* Owner of the process: its effective uid, root when it is not dumpable. */
int proc_uid(int proc_fd, uid_t *uid);

/* Are all its user ids 0, as we see them? */
bool proc_is_root(int proc_fd);

/* The process that a thread belongs to; -ESRCH. */
int proc_tgid(int proc_fd, pid_t *tgid);

/* Calls @fn for each process there is, until it returns non-zero. */
typedef int (*proc_fn)(void *ctx, pid_t tgid);
int proc_each(proc_fn fn, void *ctx);

/* Splits NUL-separated text: one block, pointers first. Empty text gives argc 0. */
int proc_split_args(const char *text, size_t sz, char ***argv, size_t *argc);

#endif
