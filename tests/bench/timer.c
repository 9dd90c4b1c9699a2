// SPDX-License-Identifier: BSD-2-Clause
/*
 * timer FILE COMMAND [ARG…]: runs the command and appends its wall and CPU time in ns to FILE.
 * Stands between a tracer and its target, so that only the target's own time counts.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static long long cpu_ns(const struct rusage *usage)
{
	return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000000LL +
	       (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000LL;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	long long begin_ns;
	int status;
	pid_t pid;
	FILE *file;

	if (argc < 3)
		return 2;
	begin_ns = now_ns();
	pid = vfork();
	if (!pid) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return 1;
	begin_ns = now_ns() - begin_ns;
	file = fopen(argv[1], "ae");
	if (!file || fprintf(file, "%lld %lld\n", begin_ns, cpu_ns(&usage)) < 0 || fclose(file))
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
