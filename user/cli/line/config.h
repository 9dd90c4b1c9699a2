/* SPDX-License-Identifier: BSD-2-Clause */
/* Options out of a file. Private to user/cli/line. */
#ifndef CLI_LINE_CONFIG_H
#define CLI_LINE_CONFIG_H

struct parse;

/*
 * Adds what the file of --config says: a line NAME VALUE for each option of the subcommand, blank
 * lines and those that begin with # apart. What the command line says stays. 0; -EINVAL after a
 * message; -ENOMEM.
 */
int config_apply(struct parse *parse);

#endif
