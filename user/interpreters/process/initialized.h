/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether an interpreter is at work in a process already. Private knowledge of layouts included. */
#ifndef INTERPRETERS_PROCESS_INITIALIZED_H
#define INTERPRETERS_PROCESS_INITIALIZED_H

struct interp;
struct proc_map;

/*
 * Has the process (descriptor of /proc/PID) made an interpreter state in the copy of @interp that
 * @map is the executable part of? 1, 0, or -errno: cannot be told (-ENOTSUP: unknown layout).
 * Reads one word of the process's memory; nothing in it changes.
 */
int interp_has_started(const struct interp *interp, int proc_fd, const struct proc_map *map);

#endif
