// SPDX-License-Identifier: BSD-2-Clause
/* What each option of the table does to struct opts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/opts.h"
#include "cli/line/options.h"
#include "cli/line/profile.h"

#define RING_MIN 4096
#define RING_MAX (1u << 30)
#define ROTATE_MIN 10000
#define WIDTH_LEAST 20
#define WIDTH_MOST 10000

static int refuse(const char **wrong, const char *what)
{
	*wrong = what;
	return -EINVAL;
}

static int set_ring(struct opts *opts, const char *arg, const char **wrong)
{
	size_t least, sz = RING_MIN;

	if (parse_bytes(arg, &least) || least < 4000 || least > RING_MAX)
		return refuse(wrong, "a size from 4kB to 1GB");
	while (sz < least)
		sz *= 2;
	opts->ring_sz = sz;
	return 0;
}

static int set_width(struct opts *opts, const char *arg, const char **wrong)
{
	size_t columns;

	if (parse_count(arg, WIDTH_LEAST, WIDTH_MOST, &columns))
		return refuse(wrong, "a number of columns, 20 or more");
	opts->width = (int)columns;
	return 0;
}

/* 10m is ten minutes, 10MB a size. */
static int set_rotate(struct opts *opts, const char *arg, const char **wrong)
{
	size_t bytes = 0;

	if (arg[strspn(arg, "0123456789.")] && !parse_duration(arg, &opts->rotate_ns))
		return 0;
	if (parse_bytes(arg, &bytes) || bytes < ROTATE_MIN)
		return refuse(wrong, "a size like 100MB, 10kB or more, or a time like 10m");
	opts->rotate_bytes = bytes;
	return 0;
}

/* A path may hold commas; the name of a container does not. */
static int set_scope(struct opts *opts, bool is_container, const char *arg, const char **wrong)
{
	int err;

	if (opts->scope_cnt && opts->is_container != is_container)
		return refuse(wrong, "of the same kind as those before it: containers or cgroups, not both");
	opts->is_container = is_container;
	err = parse_names(arg, is_container ? ',' : '\0', &opts->scopes, &opts->scope_cnt);
	return err == -ENOMEM ? err : err ? refuse(wrong, "a name") : 0;
}

/* Those of a row that does not say itself. */
static int set_other(struct opts *opts, int key, char *arg, const char **wrong)
{
	int err;

	switch (key) {
	case 'v': opts->verbosity++; return 0;
	case 'V': opts->command = COMMAND_VERSION; return 0;
	case OPT_SCHEMA: opts->command = COMMAND_SCHEMA; return 0;
	case 'p':
		err = parse_tgids(arg, &opts->tgids, &opts->tgid_cnt);
		return err == -ENOMEM ? err : err ? refuse(wrong, "a list of process ids") : 0;
	case OPT_CGROUP:
	case OPT_CONTAINER:
		return set_scope(opts, key == OPT_CONTAINER, arg, wrong);
	case OPT_PROFILE:
		opts->profile = arg;
		return profile_find(arg) ? 0 : refuse(wrong, "full, standard or loads");
	case OPT_RING: return set_ring(opts, arg, wrong);
	case OPT_SPOOL_SIZE:
		return parse_bytes(arg, &opts->spool_bytes) || !opts->spool_bytes ?
			       refuse(wrong, "a size like 256MB") : 0;
	case OPT_PROTOCOL:
		opts->otlp_protocol = arg;
		return !strcmp(arg, OTLP_PROTOBUF) || !strcmp(arg, OTLP_JSON) ? 0 :
			       refuse(wrong, OTLP_PROTOBUF " or " OTLP_JSON);
	case OPT_ROTATE: return set_rotate(opts, arg, wrong);
	case OPT_WIDTH: return set_width(opts, arg, wrong);
	case OPT_MIN:
		return parse_share(arg, &opts->min_share) ? refuse(wrong, "a share like 1%") : 0;
	case OPT_DEFER: opts->defer = arg; opts->view = "advice"; return 0;
	case OPT_FROM: opts->is_importtime = !strcmp(arg, "importtime"); return 0;
	default: return -EINVAL;
	}
}

int opts__set(struct opts *opts, const struct option_info *option, char *arg, const char **wrong)
{
	void *field = (char *)opts + option->field;
	int err = 0;

	switch (option->does) {
	case DOES_FLAG: *(bool *)field = true; break;
	case DOES_TEXT: *(const char **)field = arg; break;
	case DOES_TIME: err = parse_duration(arg, field); break;
	case DOES_COUNT: err = parse_count(arg, option->least, option->most, field); break;
	case DOES_OFF: opts->groups_off |= option->groups; break;
	default: return set_other(opts, option->key, arg, wrong);
	}
	return err ? refuse(wrong, option->wants) : 0;
}
