/* SPDX-License-Identifier: BSD-2-Clause */
/* What a wrong command line is told: what is wrong, and what to try. */
#ifndef CLI_LINE_REFUSE_H
#define CLI_LINE_REFUSE_H

#include "cli/line/parse.h"

/* A message on what is wrong. All of these return -EINVAL. */
int refuse(const struct parse *parse, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int refuse_name(const struct parse *parse, const char *what, const char *name,
		const char *const *list);
int refuse_command(const struct parse *parse, const char *word, bool is_topic); /* of `help` */
int refuse_long(const struct parse *parse, const char *text); /* an option, without its dashes */
/* The line behind it: what to try. */
int hint(const struct parse *parse, const char *what, const char *value);
int hint_help(const struct parse *parse);

#endif
