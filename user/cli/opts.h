/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line: from arguments to struct opts, and values with units. */
#ifndef CLI_OPTS_H
#define CLI_OPTS_H

#include <argp.h>
#include <stdio.h>
#include "trace/opts.h"

/* Parses or exits: usage errors with EXIT_USAGE, --help with EXIT_OK. -ENOMEM otherwise. */
int opts__parse(struct opts *opts, int argc, char **argv);
void opts__clear(struct opts *opts);

/* The same as opts__parse without exit or output, for tests: -EINVAL on a usage error. */
int opts__parse_quiet(struct opts *opts, int argc, char **argv);

/* Values with units; -EINVAL when malformed, -ERANGE when out of range. A bare time is seconds. */
int parse_duration(const char *text, __u64 *ns); /* 250ms, 1.5s, 2m, 1h; not 0 */
int parse_bytes(const char *text, size_t *bytes); /* 65536, 64kb, 16mb, 1g; powers of 1024 */
int parse_count(const char *text, size_t min, size_t max, size_t *out);
int parse_tgids(const char *text, pid_t **tgids, size_t *cnt); /* appends */

/* The options, as argp has them: for whoever makes something out of all of them. */
extern const struct argp_option opts_table[];

/* A completion script made from @options, the option table: "bash", "zsh" or "fish". -EINVAL otherwise. */
int opts_print_completion(const struct argp_option *options, const char *shell, FILE *out);

#endif
