// SPDX-License-Identifier: BSD-2-Clause
/*
 * The command line. The option table below is the single source: --help is made from it by argp,
 * the shells' completions by opts_print_completion, and the man page is checked against it.
 */
#include "cli/opts.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "pyimport_event.h"
#include "pyimport_charge.h"
#include "report/compare/diff_limits.h"
#include "report/list.h"
#include "report/report.h"

enum {
	OPT_VIEW = 0x100, OPT_FORMAT, OPT_REPORT, OPT_STRICT, OPT_RING, OPT_PERF, OPT_NO_EDGES,
	OPT_NO_HOLD, OPT_NO_COLOR, OPT_TOP, OPT_STATS, OPT_DRY_RUN, OPT_COMPLETION, OPT_FROM,
	OPT_SCHEMA, OPT_SLOW, OPT_UNFOLD, OPT_NO_FILES, OPT_NO_NET,
	OPT_DEFER, OPT_FAIL_ON, OPT_BUDGET, OPT_UPDATE, OPT_COLD, OPT_VERSUS, OPT_BY,
	OPT_NO_CPU, OPT_NO_MEMORY, OPT_NO_TRACEPOINT, OPT_TABLES,
	OPT_CGROUP, OPT_CONTAINER, OPT_WAIT, OPT_UNTIL_READY, OPT_UNTIL_IDLE, OPT_NO_PHASES,
};

#define RING_MIN 4096
#define RING_MAX (1u << 30)
#define TOP_MAX 1000000
#define RUNS_MAX 1000

#define VALUE(name, write) " " #name
const struct argp_option opts_table[] = {
	{ .doc = "What to trace (every Python process on the host if none is named):", .group = 1 },
	{ "pid", 'p', "PID[,PID...]", 0, "running processes, and their children", 0 },
	{ "all", 'a', NULL, 0, "every Python process on the host, also those started later", 0 },
	{ "cgroup", OPT_CGROUP, "PATH", 0, "what runs in this cgroup and below, now or later: a directory below /sys/fs/cgroup, or a path of /proc/PID/cgroup", 0 },
	{ "container", OPT_CONTAINER, "ID|NAME", 0, "what runs in this container (podman, docker, containerd, CRI-O, Kubernetes), by its name or how its id begins", 0 },
	{ "wait", OPT_WAIT, NULL, 0, "the container or cgroup is still to come: wait for it", 0 },
	{ "duration", 'd', "TIME", 0, "stop after TIME (500ms, 30s, 2m; a bare number is seconds)", 0 },
	{ "until-ready", OPT_UNTIL_READY, NULL, 0, "stop when what is traced waits for connections, its workers too", 0 },
	{ "until-idle", OPT_UNTIL_IDLE, "TIME", 0, "stop when nothing was imported for TIME", 0 },

	{ .doc = "What to show:", .group = 2 },
	{ "view", OPT_VIEW, "VIEW", 0, "one of (the first is the default)" REPORT_VIEWS(VALUE), 0 },
	{ "format", OPT_FORMAT, "FORMAT", 0, "one of (the first is the default) text" REPORT_FORMATS(VALUE), 0 },
	{ "by", OPT_BY, "MEASURE", 0, "what folded stacks weigh: time (default), cpu, memory or bytes", 0 },
	{ "output", 'o', "FILE", 0, "write a capture to FILE (- is the standard output), for `report` later", 0 },
	{ "from", OPT_FROM, "KIND", 0, "what the file to report is: capture (default), or importtime: a log of python -X importtime", 0 },
	{ "report", OPT_REPORT, "FILE", 0, "write the report to FILE instead of the standard output", 0 },
	{ "defer", OPT_DEFER, "LIST", 0, "what deferring these would save together (view advice): modules, packages or file:line, with commas", 0 },
	{ "top", OPT_TOP, "N", 0, "rows in ranked tables (10)", 0 },
	{ "unfold", OPT_UNFOLD, NULL, 0, "show each of the processes that did the same, not one for all", 0 },
	{ "slow", OPT_SLOW, "TIME", 0, "while tracing, a line on the standard error for each import that takes TIME (50ms) or longer, not counting what was told of inside it", 0 },
	{ "no-color", OPT_NO_COLOR, NULL, 0, "no colour, on a terminal either", 0 },

	{ .doc = "How to trace:", .group = 3 },
	{ "strict", OPT_STRICT, NULL, 0, "exit with status 4 if any data was lost", 0 },
	{ "ring", OPT_RING, "SIZE", 0, "ring buffer, a power of two from 4kb to 1gb (4mb)", 0 },
	{ "perf-uprobes", OPT_PERF, NULL, 0, "perf-event uprobes even where the kernel has uprobe_multi", 0 },
	{ "no-edges", OPT_NO_EDGES, NULL, 0, "only imports that load something, not the cached ones", 0 },
	{ "no-cpu", OPT_NO_CPU, NULL, 0, "do not measure CPU time and waits", 0 },
	{ "no-files", OPT_NO_FILES, NULL, 0, "do not count file operations and bytes from disk", 0 },
	{ "no-memory", OPT_NO_MEMORY, NULL, 0, "do not measure resident memory", 0 },
	{ "no-phases", OPT_NO_PHASES, NULL, 0, "do not look for readiness: no system call is looked at for it", 0 },
	{ "tables", OPT_TABLES, "N", OPTION_HIDDEN, "slots for code and for statements, a power of two", 0 },
	{ "no-tracepoint", OPT_NO_TRACEPOINT, "NAME", OPTION_HIDDEN, "do as if the kernel lacked it", 0 },
	{ "no-net", OPT_NO_NET, NULL, 0, "do not look at connections, sleeps, threads and children", 0 },
	{ "no-hold", OPT_NO_HOLD, NULL, 0, "never hold a starting program until it is probed; first imports of an interpreter not known beforehand may be missed", 0 },

	{ .doc = "For check, diff and bench:", .group = 4 },
	{ "budget", OPT_BUDGET, "FILE", 0, "check: the limits, in YAML", 0 },
	{ "update", OPT_UPDATE, NULL, 0, "check: write what is measured over the limits in the budget", 0 },
	{ "runs", 'n', "N", 0, "run the command N times (check: 1, or 5 where times are limited; bench: 10)", 0 },
	{ "cold", OPT_COLD, NULL, 0, "bench: before each run, drop the files it reads from the page cache", 0 },
	{ "fail-on", OPT_FAIL_ON, "LIMITS", 0, "diff: status 1 if more grew than this: time>5%,modules>0", 0 },
	{ "versus", OPT_VERSUS, "COMMAND", 0, "bench: compare with this command line, taking turns", 0 },

	{ .doc = "About the tool itself:", .group = 5 },
	{ "dry-run", OPT_DRY_RUN, NULL, 0, "print every probe site and attach nothing", 0 },
	{ "stats", OPT_STATS, NULL, 0, "tell what tracing cost, on the standard error", 0 },
	{ "verbose", 'v', NULL, 0, "say what is done; -vv debug, -vvv with libbpf's own words", 0 },
	{ "version", 'V', NULL, 0, "print the version; with -v kernel facts too", 0 },
	{ "json-schema", OPT_SCHEMA, NULL, 0, "print the schema of --format json", 0 },
	{ "completion", OPT_COMPLETION, "SHELL", OPTION_HIDDEN, "print a completion script for bash, zsh or fish", 0 },
	{},
};

static const char args_doc[] = "-- COMMAND [ARG...]\n-p PID[,PID...]\n--container ID|NAME\n--cgroup PATH\n-a\n"
	"record -o FILE.cap [-p PID | -- COMMAND [ARG...]]\n"
	"report FILE.cap\n"
	"diff BEFORE.cap AFTER.cap\nwhy MODULE [FILE.cap | -- COMMAND [ARG...]]\n"
	"check --budget FILE [FILE.cap | -- COMMAND [ARG...]]\n"
	"bench [-n N] [--cold] [--versus COMMAND] -- COMMAND [ARG...]\ntop\ndoctor [-p PID]";

static const char doc[] =
	"Traces the imports of unmodified Python programs: what loads what, from which line, and what it costs.\v"
	"Examples:\n"
	"  pyimport-bpf -- python3 app.py --help     trace one run of a command\n"
	"  pyimport-bpf --view tree -- ./manage.py check\n"
	"  pyimport-bpf -p 4711 -d 30s               30 seconds of a running service\n"
	"  pyimport-bpf --container web --wait       a container, from its first import on\n"
	"  pyimport-bpf -a --view blame              the whole host until Ctrl-C\n"
	"  pyimport-bpf --format json --report r.json -- pytest -q\n"
	"  pyimport-bpf doctor                       what would work here, and what to do about the rest\n"
	"\n"
	"Exit status: 0 ok; 1 failure of ours; 2 usage; 3 could not trace; 4 with --strict, data was lost; after -- otherwise that of COMMAND (128+N for signal N).";

struct parse {
	struct opts *opts;
	bool is_quiet;
	const struct command_info *command; /* the subcommand, once it was seen */
};

static error_t refuse(struct argp_state *state, struct parse *parse, const char *what,
		      const char *value)
{
	if (!parse->is_quiet)
		argp_error(state, value ? "%s: '%s'" : "%s", what, value);
	return EINVAL;
}

static bool is_dash(const char *path)
{
	return path && !strcmp(path, "-");
}

static bool is_listed(const char *const *list, const char *name)
{
	for (; *list; list++) {
		if (!strcmp(*list, name))
			return true;
	}
	return false;
}

/* Says which names there are. */
static error_t refuse_name(struct argp_state *state, struct parse *parse, const char *what,
			   const char *name, const char *const *list)
{
	char names[256] = "";

	for (size_t at = 0; *list && at < sizeof(names); list++)
		at += snprintf(names + at, sizeof(names) - at, "%s%s", at ? ", " : "", *list);
	if (!parse->is_quiet)
		argp_error(state, "%s: '%s'; there are %s", what, name, names);
	return EINVAL;
}

static error_t parse_value(int key, char *arg, struct argp_state *state, struct parse *parse)
{
	struct opts *opts = parse->opts;
	int err;

	switch (key) {
	case 'p':
		err = parse_tgids(arg, &opts->tgids, &opts->tgid_cnt);
		if (err == -ENOMEM)
			return ENOMEM;
		return err ? refuse(state, parse, "not a list of process ids", arg) : 0;
	case OPT_CGROUP:
	case OPT_CONTAINER:
		if (!*arg)
			return refuse(state, parse, "an empty name", NULL);
		*(key == OPT_CGROUP ? &opts->cgroup : &opts->container) = arg;
		return 0;
	case 'd':
		if (parse_duration(arg, &opts->duration_ns))
			return refuse(state, parse, "not a time like 500ms, 30s or 2m", arg);
		return 0;
	case OPT_UNTIL_IDLE:
		if (parse_duration(arg, &opts->idle_ns))
			return refuse(state, parse, "not a time like 500ms or 5s", arg);
		return 0;
	case OPT_SLOW:
		if (parse_duration(arg, &opts->slow_ns))
			return refuse(state, parse, "not a time like 50ms or 1s", arg);
		return 0;
	case OPT_VIEW:
		if (!is_listed(report_views, arg))
			return refuse_name(state, parse, "no such view", arg, report_views);
		opts->view = arg;
		return 0;
	case OPT_FORMAT:
		opts->format = arg;
		return 0;
	case OPT_BY:
		if (!is_listed(report_measures, arg))
			return refuse_name(state, parse, "no such measure", arg, report_measures);
		opts->by = arg;
		return 0;
	case OPT_FROM:
		if (strcmp(arg, "importtime") && strcmp(arg, "capture"))
			return refuse(state, parse, "neither capture nor importtime", arg);
		opts->is_importtime = !strcmp(arg, "importtime");
		return 0;
	case 'n':
		if (parse_count(arg, 1, RUNS_MAX, &opts->runs))
			return refuse(state, parse, "not a number of runs", arg);
		return 0;
	case OPT_TOP:
		if (parse_count(arg, 1, TOP_MAX, &opts->top))
			return refuse(state, parse, "not a number of rows", arg);
		return 0;
	case OPT_RING:
		if (parse_bytes(arg, &opts->ring_sz) || opts->ring_sz < RING_MIN ||
		    opts->ring_sz > RING_MAX || (opts->ring_sz & (opts->ring_sz - 1)))
			return refuse(state, parse, "not a power of two from 4kb to 1gb", arg);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static error_t parse_switch(int key, char *arg, struct argp_state *state, struct parse *parse)
{
	struct opts *opts = parse->opts;

	switch (key) {
	case 'a': opts->want_all = true; return 0;
	case 'v': opts->verbosity++; return 0;
	case 'V': opts->command = COMMAND_VERSION; return 0;
	case OPT_SCHEMA: opts->command = COMMAND_SCHEMA; return 0;
	case 'o': opts->capture_path = arg; return 0;
	case OPT_BUDGET: opts->budget = arg; return 0;
	case OPT_FAIL_ON: opts->fail_on = arg; return 0;
	case OPT_UPDATE: opts->want_update = true; return 0;
	case OPT_COLD: opts->want_cold = true; return 0;
	case OPT_VERSUS: opts->versus = arg; return 0;
	case OPT_DEFER: opts->defer = arg; opts->view = "advice"; return 0;
	case OPT_REPORT: opts->report_path = arg; return 0;
	case OPT_STRICT: opts->is_strict = true; return 0;
	case OPT_PERF: opts->want_perf = true; return 0;
	case OPT_NO_TRACEPOINT: opts->no_tracepoint = arg; return 0;
	case OPT_TABLES: opts->table_cnt = strtoul(arg, NULL, 10); return 0;
	case OPT_NO_EDGES: opts->want_no_edges = true; return 0;
	case OPT_NO_CPU: opts->groups_off |= PYI_GROUP_CPU; return 0;
	case OPT_NO_NET: opts->groups_off |= PYI_GROUP_NET; return 0;
	case OPT_NO_FILES:
		opts->groups_off |= PYI_GROUP_FILES | PYI_GROUP_DISK;
		return 0;
	case OPT_NO_MEMORY: opts->groups_off |= PYI_GROUP_MEMORY; return 0;
	case OPT_NO_HOLD: opts->want_no_hold = true; return 0;
	case OPT_NO_COLOR: opts->want_no_color = true; return 0;
	case OPT_UNFOLD: opts->want_unfolded = true; return 0;
	case OPT_UNTIL_READY: opts->want_until_ready = true; return 0;
	case OPT_NO_PHASES: opts->groups_off |= PYI_GROUP_PHASES; return 0;
	case OPT_WAIT: opts->want_wait = true; return 0;
	case OPT_STATS: opts->want_stats = true; return 0;
	case OPT_DRY_RUN: opts->is_dry_run = true; return 0;
	case OPT_COMPLETION:
		if (opts_print_completion(opts_table, arg, stdout))
			return refuse(state, parse, "no completion for this shell", arg);
		exit(fflush(stdout) ? EXIT_OURS : EXIT_OK);
	}
	return parse_value(key, arg, state, parse);
}

static error_t add_word(char *word, struct opts *opts)
{
	char **grown = reallocarray(opts->words, opts->word_cnt + 1, sizeof(*grown));

	if (!grown)
		return ENOMEM;
	opts->words = grown;
	grown[opts->word_cnt++] = word;
	return 0;
}

/* Behind a -- everything is the command's; before it stand a subcommand and its own words. */
static error_t parse_word(char *word, struct argp_state *state, struct parse *parse)
{
	struct opts *opts = parse->opts;

	if (state->quoted && state->next > state->quoted) {
		if (parse->command && !parse->command->has_targets)
			return refuse(state, parse, "this subcommand takes no command", word);
		opts->argv = state->argv + state->next - 1;
		state->next = state->argc;
		return 0;
	}
	if (!parse->command) {
		parse->command = commands_find(word);
		if (!parse->command)
			return refuse(state, parse, "no such subcommand (a command to launch goes "
				      "behind --: pyimport-bpf -- COMMAND)", word);
		opts->command = parse->command->command;
		return 0;
	}
	if (opts->word_cnt == parse->command->word_max)
		return refuse(state, parse, "unexpected argument", word);
	return add_word(word, opts);
}

static error_t check_command(struct argp_state *state, struct parse *parse)
{
	const struct command_info *command = parse->command;
	struct opts *opts = parse->opts;
	const char *wrong;

	if (opts->word_cnt < command->word_min)
		return refuse(state, parse, "a file is missing behind", command->name);
	if (command->command == COMMAND_RECORD && !opts->capture_path)
		return refuse(state, parse, "record needs -o FILE", NULL);
	if (command->command == COMMAND_RECORD && opts->is_dry_run)
		return refuse(state, parse, "record and --dry-run make no sense together", NULL);
	if (command->command != COMMAND_RECORD && opts->capture_path)
		return refuse(state, parse, "-o is for tracing, not for", command->name);
	if ((command->command == COMMAND_REPORT || command->command == COMMAND_DIFF) &&
	    (opts->tgid_cnt || opts->want_all || opts->cgroup || opts->container ||
	     opts->duration_ns))
		return refuse(state, parse, "this reads files and traces nothing", command->name);
	if (opts->fail_on && diff_limits_check(opts->fail_on, &wrong))
		return refuse(state, parse, "not a limit like time>5%, imports>20ms or modules>0", wrong);
	return 0;
}

/* Options that make sense one by one but not together. */
static error_t check_whole(struct argp_state *state, struct parse *parse)
{
	struct opts *opts = parse->opts;
	const char *const *formats;

	if (opts->command == COMMAND_VERSION || opts->command == COMMAND_SCHEMA)
		return 0;
	if (parse->command && check_command(state, parse))
		return EINVAL;
	if (!opts->argv && state->quoted)
		return refuse(state, parse, "no command behind --", NULL);
	if ((opts->argv != NULL) + (opts->tgid_cnt != 0) + opts->want_all + (opts->cgroup != NULL) +
	    (opts->container != NULL) > 1)
		return refuse(state, parse, "only one of -p, -a, --cgroup, --container and -- COMMAND can be traced", NULL);
	if (opts->want_wait && !opts->cgroup && !opts->container)
		return refuse(state, parse, "--wait is for --cgroup and --container", NULL);
	formats = opts->command == COMMAND_CHECK ? check_formats :
		  opts->command == COMMAND_DIFF ? diff_formats : report_formats;
	if (!is_listed(formats, opts->format))
		return refuse_name(state, parse, "no such format", opts->format, formats);
	if (!strcmp(opts->format, "importtime") && strcmp(opts->view, "summary"))
		return refuse(state, parse, "--format importtime has no views", NULL);
	if (is_dash(opts->capture_path) && is_dash(opts->report_path))
		return refuse(state, parse, "capture and report cannot both go to the standard output", NULL);
	if (opts->want_until_ready && opts->groups_off & PYI_GROUP_PHASES)
		return refuse(state, parse, "--until-ready needs what --no-phases leaves out", NULL);
	if (!opts->argv && !opts->tgid_cnt && !opts->cgroup && !opts->container)
		opts->want_all = true;
	return 0;
}

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct parse *parse = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		return parse_word(arg, state, parse);
	case ARGP_KEY_END:
		return check_whole(state, parse);
	default:
		return parse_switch(key, arg, state, parse);
	}
}

static const struct argp argp = { opts_table, parse_opt, args_doc, doc, NULL, NULL, NULL };

static int parse(struct opts *opts, int argc, char **argv, bool is_quiet)
{
	struct parse ctx = { .opts = opts, .is_quiet = is_quiet };
	error_t err;

	*opts = (struct opts){ .view = "summary", .format = "text" };
	argp_err_exit_status = EXIT_USAGE;
	err = argp_parse(&argp, argc, argv, ARGP_IN_ORDER | (is_quiet ? ARGP_SILENT : 0), NULL,
			 &ctx);
	if (err)
		opts__clear(opts);
	return err == ENOMEM ? -ENOMEM : err ? -EINVAL : 0;
}

int opts__parse(struct opts *opts, int argc, char **argv)
{
	return parse(opts, argc, argv, false);
}

int opts__parse_quiet(struct opts *opts, int argc, char **argv)
{
	return parse(opts, argc, argv, true);
}

void opts__clear(struct opts *opts)
{
	free(opts->tgids);
	free(opts->words);
	opts->tgids = NULL;
	opts->words = NULL;
	opts->tgid_cnt = opts->word_cnt = 0;
}
