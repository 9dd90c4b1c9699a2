/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The option table: one row for each option, with the commands it is for. The parser, --help, the
 * completions and the check of the manual pages work from it.
 */
#ifndef CLI_LINE_OPTIONS_H
#define CLI_LINE_OPTIONS_H

#include <stdbool.h>

#include "trace/opts.h"

/* Options without a short form. */
enum option_key {
	OPT_VIEW = 0x100, OPT_FORMAT, OPT_REPORT, OPT_STRICT, OPT_RING, OPT_PERF, OPT_NO_EDGES,
	OPT_NO_HOLD, OPT_NO_COLOR, OPT_TOP, OPT_STATS, OPT_DRY_RUN, OPT_COMPLETION, OPT_FROM,
	OPT_SCHEMA, OPT_SLOW, OPT_UNFOLD, OPT_NO_FILES, OPT_NO_NET, OPT_WIDTH, OPT_MIN,
	OPT_DEFER, OPT_FAIL_ON, OPT_BUDGET, OPT_BASELINE, OPT_UPDATE, OPT_COLD, OPT_VERSUS, OPT_BY,
	OPT_NO_CPU, OPT_NO_MEMORY, OPT_NO_TRACEPOINT, OPT_TABLES,
	OPT_USAGE, OPT_CGROUP, OPT_CONTAINER, OPT_WAIT, OPT_UNTIL_READY, OPT_UNTIL_IDLE,
	OPT_NO_PHASES, OPT_AS_MEASURED, OPT_PROFILE, OPT_LISTEN, OPT_MAX_SERIES,
};

/* In the order of --help. */
enum option_group { GROUP_TARGET, GROUP_OWN, GROUP_SHOW, GROUP_TRACE, GROUP_TOOL, GROUP_CNT };

#define OPTION_HIDDEN (1u << 31) /* for tests and scripts: not in --help */

struct option_info {
	const char *name;      /* without its dashes; NULL: the table ends */
	int key;               /* the short option, or an enum option_key */
	const char *arg;       /* what stands for its value; NULL: it takes none */
	enum option_group group;
	unsigned int commands; /* a bit for each enum command, and OPTION_HIDDEN */
	const char *doc;
};

extern const struct option_info options[];
extern const char *const option_groups[GROUP_CNT]; /* their headings */

/* NULL: there is none. */
const struct option_info *option_find(const char *name);
bool option_is_for(const struct option_info *option, enum command command);
static inline bool option_is_hidden(const struct option_info *option)
{
	return option->commands & OPTION_HIDDEN;
}

static inline bool option_is_short(const struct option_info *option)
{
	return option->key > ' ' && option->key < 0x7f;
}

/* The values there are, NULL-terminated, the default first; NULL: not one of a list. */
const char *const *option_values(const struct option_info *option, enum command command);

#endif
