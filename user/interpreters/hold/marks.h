/* SPDX-License-Identifier: BSD-2-Clause */
/* Which file systems execs are held on: those of every mount namespace. */
#ifndef INTERPRETERS_HOLD_MARKS_H
#define INTERPRETERS_HOLD_MARKS_H

/* Marks all of them on a fanotify descriptor. -ENODEV: not one was accepted. */
int marks_set(int fan_fd);

#endif
