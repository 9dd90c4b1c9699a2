/* SPDX-License-Identifier: BSD-2-Clause */
/* The subcommands: one line each, from which the parser, main and the completions work. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/opts.h"

struct command_info {
	const char *name;          /* NULL: not a word of the command line */
	enum command command;
	unsigned int word_min, word_max; /* words behind the name: files, modules */
	bool has_targets;          /* may trace: -p, -a, -- COMMAND */
	const char *doc;           /* half a line, for the completions */
	int (*run)(const struct opts *opts); /* returns an exit status */
};

/* Ends with an entry without `run`. */
extern const struct command_info commands[];

/* NULL: no such subcommand. */
const struct command_info *commands_find(const char *name);
const struct command_info *commands_get(enum command command);

#endif
