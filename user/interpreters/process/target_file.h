/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening what a target names. To open is to act: a device, a FIFO, a watchdog. So each path is
 * looked up without opening it, must be a regular file, and only then is opened. A symbolic link
 * in a container leads to what the container has there, not to what the host has.
 */
#ifndef INTERPRETERS_PROCESS_TARGET_FILE_H
#define INTERPRETERS_PROCESS_TARGET_FILE_H

#include <dirent.h>

/*
 * A descriptor to read from, or -errno; -EINVAL: no regular file. @root: directory below which all
 * of @path lies, whatever links say; "" = our own.
 */
int target_open(const char *root, const char *path);

/* The same for an entry of /proc/PID: its `exe` and `map_files` are the files themselves. */
int target_open_at(int proc_fd, const char *name);

/* The same below the root directory of the process whose /proc/PID is @proc_fd. */
int target_open_below(int proc_fd, const char *path);

/* A directory to be listed; NULL = there is none. */
DIR *target_open_dir(const char *root, const char *path);

#endif
