/* SPDX-License-Identifier: BSD-2-Clause */
/* Which file systems execs are held on: those of every mount namespace. */
#ifndef INTERPRETERS_HOLD_FANOTIFY_MARKS_H
#define INTERPRETERS_HOLD_FANOTIFY_MARKS_H

/* Marks all of them on a fanotify descriptor. -ENODEV: not one was accepted. */
int marks_set(int fan_fd);

/*
 * Execs of the file behind @fd are let go at once until it is written to. -EINVAL: the kernel would
 * keep every such file in memory for it.
 */
int marks_ignore(int fan_fd, int fd);

#endif
