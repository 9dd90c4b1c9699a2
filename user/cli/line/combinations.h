/* SPDX-License-Identifier: BSD-2-Clause */
/* Do the options of a command line go together? */
#ifndef CLI_LINE_COMBINATIONS_H
#define CLI_LINE_COMBINATIONS_H

#include "cli/line/parse.h"

/* Is each option the command's, and do they go together? 0 or -EINVAL. */
int parse__check(const struct parse *parse);

#endif
