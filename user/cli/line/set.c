// SPDX-License-Identifier: BSD-2-Clause
/* What each option of the table does to struct opts. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/opts.h"
#include "cli/line/options.h"
#include "pyimport_charge.h"
#include "pyimport_event.h"

#define RING_MIN 4096
#define RING_MAX (1u << 30)
#define TOP_MAX 1000000
#define RUNS_MAX 1000
#define SERIES_MAX 10000
#define WIDTH_LEAST 20
#define WIDTH_MOST 10000

static int refuse(const char **wrong, const char *what)
{
	*wrong = what;
	return -EINVAL;
}

static int set_duration(__u64 *ns, const char *arg, const char **wrong)
{
	return parse_duration(arg, ns) ? refuse(wrong, "a time like 500ms, 30s or 2m") : 0;
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

static int set_number(struct opts *opts, int key, const char *arg, const char **wrong)
{
	size_t number;

	switch (key) {
	case 'n':
		return parse_count(arg, 1, RUNS_MAX, &opts->runs) ? refuse(wrong, "a number of runs, 1 to 1000") : 0;
	case OPT_TOP:
		return parse_count(arg, 1, TOP_MAX, &opts->top) ? refuse(wrong, "a number of rows, 1 or more") : 0;
	case OPT_MAX_SERIES:
		return parse_count(arg, 1, SERIES_MAX, &opts->max_series) ?
		       refuse(wrong, "a number of entry points, 1 to 10000") : 0;
	case OPT_WIDTH:
		if (parse_count(arg, WIDTH_LEAST, WIDTH_MOST, &number))
			return refuse(wrong, "a number of columns, 20 or more");
		opts->width = (int)number;
		return 0;
	default:
		opts->table_cnt = (unsigned int)strtoul(arg, NULL, 10);
		return 0;
	}
}

/* What it leaves out adds to what other options leave out. */
static int set_profile(struct opts *opts, const char *name, const char **wrong)
{
	bool is_loads = !strcmp(name, "loads");

	if (!is_loads && strcmp(name, "standard") != 0 && strcmp(name, "full") != 0)
		return refuse(wrong, "full, standard or loads");
	opts->want_no_edges |= strcmp(name, "full") != 0;
	if (is_loads)
		opts->groups_off |= PYI_GROUP_CPU | PYI_GROUP_FILES | PYI_GROUP_DISK |
				    PYI_GROUP_MEMORY | PYI_GROUP_NET | PYI_GROUP_PHASES;
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

static int set_value(struct opts *opts, int key, char *arg, const char **wrong)
{
	int err;

	switch (key) {
	case 'p':
		err = parse_tgids(arg, &opts->tgids, &opts->tgid_cnt);
		return err == -ENOMEM ? err : err ? refuse(wrong, "a list of process ids") : 0;
	case OPT_CGROUP:
	case OPT_CONTAINER:
		return set_scope(opts, key == OPT_CONTAINER, arg, wrong);
	case 'd': return set_duration(&opts->duration_ns, arg, wrong);
	case OPT_UNTIL_IDLE: return set_duration(&opts->idle_ns, arg, wrong);
	case OPT_SLOW: return set_duration(&opts->slow_ns, arg, wrong);
	case OPT_PROFILE: return set_profile(opts, arg, wrong);
	case OPT_RING: return set_ring(opts, arg, wrong);
	case OPT_MIN:
		return parse_share(arg, &opts->min_share) ? refuse(wrong, "a share like 1%") : 0;
	case 'n':
	case OPT_TOP:
	case OPT_WIDTH:
	case OPT_TABLES:
	case OPT_MAX_SERIES:
		return set_number(opts, key, arg, wrong);
	case 'o': opts->capture_path = arg; return 0;
	case OPT_LISTEN: opts->listen = arg; return 0;
	case OPT_BUDGET: opts->budget = arg; return 0;
	case OPT_BASELINE: opts->baseline = arg; return 0;
	case OPT_FAIL_ON: opts->fail_on = arg; return 0;
	case OPT_VERSUS: opts->versus = arg; return 0;
	case OPT_DEFER: opts->defer = arg; opts->view = "advice"; return 0;
	case OPT_REPORT: opts->report_path = arg; return 0;
	case OPT_NO_TRACEPOINT: opts->no_tracepoint = arg; return 0;
	case OPT_VIEW: opts->view = arg; return 0;
	case OPT_FORMAT: opts->format = arg; return 0;
	case OPT_BY: opts->by = arg; return 0;
	case OPT_FROM: opts->is_importtime = !strcmp(arg, "importtime"); return 0;
	case OPT_COMPLETION: opts->completion = arg; return 0;
	default: return -EINVAL;
	}
}

int opts__set(struct opts *opts, int key, char *arg, const char **wrong)
{
	switch (key) {
	case 'a': opts->want_all = true; return 0;
	case 'v': opts->verbosity++; return 0;
	case 'V': opts->command = COMMAND_VERSION; return 0;
	case OPT_SCHEMA: opts->command = COMMAND_SCHEMA; return 0;
	case OPT_UPDATE: opts->want_update = true; return 0;
	case OPT_COLD: opts->want_cold = true; return 0;
	case OPT_STRICT: opts->is_strict = true; return 0;
	case OPT_PERF: opts->want_perf = true; return 0;
	case OPT_NO_EDGES: opts->want_no_edges = true; return 0;
	case OPT_NO_CPU: opts->groups_off |= PYI_GROUP_CPU; return 0;
	case OPT_NO_NET: opts->groups_off |= PYI_GROUP_NET; return 0;
	case OPT_NO_FILES: opts->groups_off |= PYI_GROUP_FILES | PYI_GROUP_DISK; return 0;
	case OPT_NO_MEMORY: opts->groups_off |= PYI_GROUP_MEMORY; return 0;
	case OPT_NO_PHASES: opts->groups_off |= PYI_GROUP_PHASES; return 0;
	case OPT_NO_HOLD: opts->want_no_hold = true; return 0;
	case OPT_NO_COLOR: opts->want_no_color = true; return 0;
	case OPT_UNFOLD: opts->want_unfolded = true; return 0;
	case OPT_UNTIL_READY: opts->want_until_ready = true; return 0;
	case OPT_WAIT: opts->want_wait = true; return 0;
	case OPT_STATS: opts->want_stats = true; return 0;
	case OPT_AS_MEASURED: opts->is_as_measured = true; return 0;
	case OPT_DRY_RUN: opts->is_dry_run = true; return 0;
	default: return set_value(opts, key, arg, wrong);
	}
}
