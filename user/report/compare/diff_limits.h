/* SPDX-License-Identifier: BSD-2-Clause */
/* `diff --fail-on time>5%,modules>0`: how much a start-up may grow from one capture to the next. */
#ifndef REPORT_COMPARE_DIFF_LIMITS_H
#define REPORT_COMPARE_DIFF_LIMITS_H

#include <stdio.h>

struct model;

/* 0, or -EINVAL with the part of @text that is wrong at *at. */
int diff_limits_check(const char *text, const char **at);

/*
 * Writes a line for each program and limit that is exceeded. Returns how many were, or -errno.
 * @text has passed diff_limits_check. What either side does not know is not exceeded.
 */
int diff_limits_apply(const char *text, const struct model *before, const struct model *after,
		      FILE *out);

#endif
