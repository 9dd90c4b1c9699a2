/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The option table: one row for each option, with the commands it is for. The parser, --help, the
 * completions and the check of the manual pages work from it.
 */
#ifndef CLI_LINE_OPTIONS_H
#define CLI_LINE_OPTIONS_H

#include <stdbool.h>

#include "trace/opts.h"

/* Options without a short form that are known by name in the code; a row's place is enough else. */
enum option_key {
	OPT_VIEW = 0x100, OPT_FORMAT, OPT_BY, OPT_FROM, OPT_COMPLETION, OPT_PROFILE, OPT_SCHEMA,
	OPT_USAGE, OPT_CGROUP, OPT_CONTAINER, OPT_RING, OPT_WIDTH, OPT_MIN, OPT_DEFER,
	OPT_SPOOL_SIZE, OPT_ROTATE, OPT_PROTOCOL,
	OPTION_FIRST = 0x1000, /* and the place in the table: a row without a key */
};

/* What giving an option does, to a field of struct opts. */
enum option_does {
	DOES_OTHER, /* see opts__set() */
	DOES_FLAG,  /* bool: true */
	DOES_TEXT,  /* const char *: the value */
	DOES_TIME,  /* __u64: the value in ns */
	DOES_COUNT, /* size_t: the value, from `least` to `most` */
	DOES_OFF,   /* groups_off: without `groups` */
};

/* In the order of --help. */
enum option_group { GROUP_TARGET, GROUP_OWN, GROUP_SHOW, GROUP_TRACE, GROUP_TOOL, GROUP_CNT };

#define OPTION_HIDDEN (1u << 31) /* for tests and scripts: not in --help */

struct option_info {
	const char *name;      /* without its dashes; NULL: the table ends */
	int key;               /* the short option, an enum option_key, or 0 */
	const char *arg;       /* what stands for its value; NULL: it takes none */
	enum option_group group;
	unsigned int commands; /* a bit for each enum command, and OPTION_HIDDEN */
	const char *doc;
	enum option_does does;
	__u32 groups;          /* enum pyi_group */
	size_t field;          /* its offset in struct opts */
	size_t least, most;
	const char *wants;     /* "'x' is not …", if the value is wrong */
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
