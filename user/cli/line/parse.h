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

/* A message on what is wrong. All of these return -EINVAL. */
int refuse(const struct parse *parse, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int refuse_name(const struct parse *parse, const char *what, const char *name,
		const char *const *list);
int refuse_command(const struct parse *parse, const char *word);
int refuse_long(const struct parse *parse, const char *text); /* an option, without its dashes */
/* The line behind it: what to try. */
int hint(const struct parse *parse, const char *what, const char *value);
int hint_help(const struct parse *parse);

/* Is each option the command's, and do they go together? 0 or -EINVAL. */
int parse__check(const struct parse *parse);

static inline bool names_target(const struct opts *opts)
{
	return opts->argv || opts->tgid_cnt || opts->want_all || opts->scope_cnt;
}

bool is_listed(const char *const *list, const char *name);

#endif
