/* SPDX-License-Identifier: BSD-2-Clause */
/* Help, made from the tables of commands and options. */
#ifndef CLI_LINE_HELP_H
#define CLI_LINE_HELP_H

#include <stdio.h>

#include "cli/line/commands.h"

enum help_depth {
	HELP_USAGE, /* how it is called */
	HELP_SHORT, /* and examples, and the subcommands */
	HELP_FULL,  /* and every option */
};

/* Lines of at most @width columns. 0 or -EIO. */
int help_print(const struct command_info *info, enum help_depth depth, int width, FILE *out);

#endif
