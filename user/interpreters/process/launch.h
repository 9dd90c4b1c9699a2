/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A command that waits to be traced: forked, held on a pipe before exec, let go when every probe
 * is live. If we die while it is held, by SIGKILL even, it exits without having run anything.
 */
#ifndef INTERPRETERS_PROCESS_LAUNCH_H
#define INTERPRETERS_PROCESS_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

struct invoker;
struct launch;

struct launch_opts {
	char **argv;                   /* verbatim; argv[0] searched in the invoker's PATH */
	const struct invoker *invoker; /* who it runs as, with which environment */
	bool is_stdout_ours;           /* our report goes to stdout: give it stderr instead */
};

/*
 * Forks the held child. Call before any signal is handled or ignored and before any thread is
 * started, so that the command inherits exactly what we were given.
 */
int launch__new(const struct launch_opts *opts, struct launch **out);
pid_t launch__tgid(const struct launch *launch);

/*
 * Lets it go and waits until it has exec'ed. 0, or the -errno of the exec that failed: then it is
 * gone, and launch_exec_status gives the shell's status for that.
 */
int launch__release(struct launch *launch);
int launch_exec_status(int err); /* 127 not found, 126 found but not to be run */

/* Collects it if it has ended (or waits for that). 1: ended, with wait(2)'s status; 0: runs. */
int launch__poll(struct launch *launch, bool want_wait, int *status);

/* Passes a signal on. Async-signal-safe. */
void launch__signal(const struct launch *launch, int sig);

/* A command still held ends; one that runs is left alone. NULL-safe. */
void launch__free(struct launch *launch);

#endif
