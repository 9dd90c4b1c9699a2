/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line: from arguments to struct opts, and values with units. */
#ifndef CLI_OPTS_H
#define CLI_OPTS_H

#include <stdio.h>

#include "trace/opts.h"

/* 0, or -EINVAL after a message: a usage error. -ENOMEM. */
int opts__parse(struct opts *opts, int argc, char **argv);
void opts__clear(struct opts *opts);

/* The same without a message, for tests. */
int opts__parse_quiet(struct opts *opts, int argc, char **argv);

struct option_info;

/* One option of the table. 0; -EINVAL: *wrong says what it should have been; -ENOMEM. */
int opts__set(struct opts *opts, const struct option_info *option, char *arg, const char **wrong);

/* Values with units; -EINVAL when malformed, -ERANGE when out of range. A bare time is seconds. */
int parse_duration(const char *text, __u64 *ns); /* 250ms, 1.5s, 2m, 1h; not 0 */
int parse_bytes(const char *text, size_t *bytes); /* 65536, 64kB, 16MB, 1g; 64KiB is of 1024 */
int parse_share(const char *text, double *share); /* 1%, 0.5% */
int parse_count(const char *text, size_t min, size_t max, size_t *out);
int parse_tgids(const char *text, pid_t **tgids, size_t *cnt); /* appends */
/* Appends copies of the names between @sep, '\0' = all is one name; one said twice counts once. */
int parse_names(const char *text, char sep, char ***names, size_t *cnt);

/* A completion script: "bash", "zsh" or "fish". -EINVAL otherwise. */
int opts_print_completion(const char *shell, FILE *out);

#endif
