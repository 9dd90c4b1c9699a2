/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The harness of the unit tests. A case is a function, and runs in a process of its own: one that
 * crashes, hangs or leaves something behind does not touch the others. `.output/tests/test_x CASE…`
 * runs the named ones (with or without their `test_`) in this process, for a debugger.
 */
#ifndef UNIT_H
#define UNIT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int unit_failed_cnt, unit_case_cnt;
static const char *unit_case;
static char **unit_names; /* NULL = every case */

#define UNIT_TIME_MAX_S 300 /* only ends what hangs */

#define FAIL(...) do { \
	unit_failed_cnt++; \
	fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, unit_case); \
	fprintf(stderr, __VA_ARGS__); \
	fputc('\n', stderr); \
} while (0)

#define CHECK(condition) do { \
	if (!(condition)) \
		FAIL("%s", #condition); \
} while (0)

/* glibc gives constructors the arguments of main, so that no test has to hand them on. */
__attribute__((constructor)) static void unit_init(int argc, char **argv)
{
	unit_names = argc > 1 ? argv + 1 : NULL;
}

static inline bool unit_is_named(const char *name)
{
	for (char **wanted = unit_names; wanted && *wanted; wanted++) {
		if (!strcmp(*wanted, name) ||
		    (!strncmp(name, "test_", 5) && !strcmp(*wanted, name + 5)))
			return true;
	}
	return false;
}

static inline void unit_run(const char *name, void (*function)(void))
{
	int status = 0;
	pid_t pid;

	if (unit_names && !unit_is_named(name))
		return;
	unit_case = name;
	unit_case_cnt++;
	if (unit_names) {
		function();
		return;
	}
	fflush(NULL);
	pid = fork();
	if (!pid) {
		unit_failed_cnt = 0;
		alarm(UNIT_TIME_MAX_S);
		function();
		exit(unit_failed_cnt != 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		FAIL("could not be run");
	} else if (WIFSIGNALED(status)) {
		FAIL("killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	} else if (WEXITSTATUS(status)) {
		unit_failed_cnt++;
	}
}

#define RUN(function) unit_run(#function, function)

/* Exit status of the program. */
static inline int unit_result(void)
{
	if (unit_names && !unit_case_cnt)
		FAIL("no such case");
	if (unit_failed_cnt)
		fprintf(stderr, "%d of %d cases failed\n", unit_failed_cnt, unit_case_cnt);
	return unit_failed_cnt != 0;
}

#endif
