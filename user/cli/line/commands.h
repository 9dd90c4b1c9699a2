/* SPDX-License-Identifier: BSD-2-Clause */
/* The subcommands: a row each, from which the parser, --help and the completions work. */
#ifndef CLI_LINE_COMMANDS_H
#define CLI_LINE_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/opts.h"

struct command_info {
	const char *name;          /* NULL: not a word of the command line */
	enum command command;
	unsigned int word_min, word_max; /* words behind the name: files, modules */
	bool takes_command;        /* -- COMMAND */
	unsigned int uses;         /* enum uses: what it asks of a trace of its own */
	const char *doc;           /* half a line */
	const char *synopsis;      /* lines, each what stands behind the name */
	const char *examples;      /* lines: what to type, " # ", what it does */
};

/* Ends with an entry without `doc`. The first is that of a trace. */
extern const struct command_info commands[];

/* NULL: no such subcommand, or none that is told of. */
const struct command_info *commands_find(const char *name);
const struct command_info *commands_get(enum command command);

#endif
