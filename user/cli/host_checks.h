/* SPDX-License-Identifier: BSD-2-Clause */
/* Can we trace here? The same answers for doctor beforehand and for an error afterwards. */
#ifndef CLI_HOST_CHECKS_H
#define CLI_HOST_CHECKS_H

#include <stdbool.h>
#include <stddef.h>

enum check_result { CHECK_FINE = 0, CHECK_LIMITED, CHECK_FATAL };

struct check {
	const char *name;         /* static */
	enum check_result result;
	char detail[320];         /* what was found, or what is wrong and what that means */
	const char *remedy;       /* what to try; NULL = nothing to do */
};

#define CHECKS_MAX 16

/* Privileges, kernel BTF and lockdown: quick, nothing is loaded. Returns how many. */
size_t checks_quick(struct check out[CHECKS_MAX]);

/* The same and what only trying tells: BPF programs, uprobe_multi, task storage. */
size_t checks_full(struct check out[CHECKS_MAX]);

/* Logs the fatal ones of @checks. True if there is one. */
bool checks_log_fatal(const struct check *checks, size_t cnt);

#endif
