// SPDX-License-Identifier: BSD-2-Clause
/* See stop.h. */
#include "interpreters/hold/stop.h"

#include <errno.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRIES 20
#define TRY_NS 100000

bool stop_thread(pid_t tid)
{
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL))
		return false;
	/* Fails only if it is gone; then there is nothing to let go but its exit to collect. */
	ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
	return true;
}

/* False: it has not stopped yet, so it cannot be let go. */
static bool try_let_go(pid_t tid)
{
	int status, sig = 0;
	pid_t got = waitpid(tid, &status, __WALL | WNOHANG);

	if (!got)
		return false;
	/* An error: not ours any more. An exit: collected, now its parent hears of it. */
	if (got < 0 || !WIFSTOPPED(status))
		return true;
	/* A signal that came meanwhile stopped it first: it must still get that. */
	if (status >> 16 != PTRACE_EVENT_STOP)
		sig = WSTOPSIG(status);
	/* Fails when SIGKILL was faster: its end is to be collected. */
	return !ptrace(PTRACE_DETACH, tid, NULL, (void *)(long)sig);
}

void stops__let_go(struct stops *stops, pid_t tid)
{
	const struct timespec pause = { .tv_nsec = TRY_NS };

	for (int i = 0; i < TRIES; i++) {
		if (try_let_go(tid))
			return;
		nanosleep(&pause, NULL);
	}
	/* So many threads that hang in the kernel: our end releases them all. */
	if (stops->cnt == STOP_MAX)
		_exit(0);
	stops->tids[stops->cnt++] = tid;
}

bool stops__retry(struct stops *stops)
{
	for (unsigned int i = 0; i < stops->cnt;) {
		if (try_let_go(stops->tids[i]))
			stops->tids[i] = stops->tids[--stops->cnt];
		else
			i++;
	}
	return !stops->cnt;
}
