/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line while it is parsed. Private to user/cli/line. */
#ifndef CLI_LINE_PARSE_H
#define CLI_LINE_PARSE_H

#include <getopt.h>
#include <stdbool.h>

#include "cli/line/commands.h"
#include "cli/opts.h"

#define OPTIONS_MAX 80 /* rows of the table */

struct parse {
	struct opts *opts;
	char **argv;
	int argc;
	bool is_quiet;
	const struct command_info *command; /* the subcommand, once it was seen; else a trace's */
	bool has_help, is_short_help, is_quoted;
	bool seen[OPTIONS_MAX];             /* by their place in the table */
	struct option longs[OPTIONS_MAX];
	char shorts[2 * OPTIONS_MAX + 4];
};

static inline bool names_target(const struct opts *opts)
{
	return opts->argv || opts->tgid_cnt || opts->want_all || opts->scope_cnt;
}

bool is_listed(const char *const *list, const char *name);

#endif
