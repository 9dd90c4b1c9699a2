/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stopping one thread for some milliseconds by ptrace. Unlike SIGSTOP this is not seen by the
 * thread's parent, leaves a thread that was stopped already stopped, and ends by itself when the
 * process that does it dies. Allocates nothing.
 */
#ifndef INTERPRETERS_HOLD_STOP_H
#define INTERPRETERS_HOLD_STOP_H

#include <stdbool.h>
#include <sys/types.h>

#define STOP_MAX 64 /* let go, but not yet gone */

struct stops {
	pid_t tids[STOP_MAX];
	unsigned int cnt;
};

/*
 * Asks the kernel to stop a thread; it will before it runs another instruction of its own once it
 * is out of the system call it is in. False: gone, or somebody else is tracing it.
 */
bool stop_thread(pid_t tid);

/* Lets it go. One that could not be reached yet is kept in @stops for stops__retry. */
void stops__let_go(struct stops *stops, pid_t tid);

/* Tries again; true when there is none left. */
bool stops__retry(struct stops *stops);

#endif
