/* SPDX-License-Identifier: BSD-2-Clause */
/* The harness of the unit tests: a case is a function, a failed check is told and counted. */
#ifndef UNIT_H
#define UNIT_H

#include <stdarg.h>
#include <stdio.h>

static int unit_failed_cnt, unit_case_cnt;
static const char *unit_case;

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

#define RUN(function) do { \
	unit_case = #function; \
	unit_case_cnt++; \
	function(); \
} while (0)

/* Exit status of the program. */
static inline int unit_result(void)
{
	if (unit_failed_cnt)
		fprintf(stderr, "%d checks failed\n", unit_failed_cnt);
	return unit_failed_cnt != 0;
}

#endif
