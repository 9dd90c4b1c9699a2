/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which code a file is. On overlayfs one inode of a layer has a device number of its own in every
 * container, and a file that was copied up keeps its number though it is another inode by then.
 */
#ifndef INTERPRETERS_DISCOVER_OVERLAY_H
#define INTERPRETERS_DISCOVER_OVERLAY_H

#include <stdbool.h>
#include <sys/stat.h>

struct code_id {
	struct stat st;
	bool is_overlay;
};

/* 0 or -errno. */
int code_id(int fd, struct code_id *out);

/*
 * Do both stand for one inode, which has carried probes since the first was asked for? (An inode
 * that has some is not freed, so its number is not used again.) What was written meanwhile is
 * not the same.
 */
bool code_id_same(const struct code_id *probed, const struct code_id *other);

/* Is it the same inode with other content? */
bool code_id_rewritten(const struct code_id *probed, const struct code_id *other);

/*
 * A file on overlayfs, @path to a process (of /proc/PID descriptor @proc_fd) and open as @fd, that
 * was copied up: opens the copy below, which what runs since before that still maps. The layers
 * are looked for where we are. -ENOENT: it was not copied up, or not since the process started.
 * -ESTALE: it seems so, and the copy below is not to be found.
 */
int overlay_open_lower(int proc_fd, const char *path, int fd);

#endif
