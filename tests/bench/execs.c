// SPDX-License-Identifier: BSD-2-Clause
/*
 * execs COUNT PROGRAM: starts PROGRAM so many times, one after the other, and writes how many
 * nanoseconds one took, from before its vfork to behind its end.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

int main(int argc, char **argv)
{
	struct timespec begin, end;
	unsigned long cnt = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	int status;
	pid_t pid;

	if (!cnt) {
		fprintf(stderr, "usage: execs COUNT PROGRAM\n");
		return 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (unsigned long i = 0; i < cnt; i++) {
		char *const args[] = { argv[2], NULL };

		if (posix_spawn(&pid, argv[2], NULL, NULL, args, environ) ||
		    waitpid(pid, &status, 0) != pid || status)
			return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%.0f\n", ((end.tv_sec - begin.tv_sec) * 1e9 + end.tv_nsec - begin.tv_nsec) / cnt);
	return 0;
}
