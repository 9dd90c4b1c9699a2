// SPDX-License-Identifier: BSD-2-Clause
/* See options.h. */
#include "cli/line/options.h"

#include <string.h>

#include "report/report.h"

#define FOR(command) (1u << COMMAND_##command)
#define TRACES (FOR(TRACE) | FOR(RECORD) | FOR(WHY) | FOR(TOP))
#define FOLLOWS (TRACES | FOR(AGENT))
#define READS (FOR(REPORT) | FOR(DIFF) | FOR(WHY) | FOR(CHECK))
#define SHOWS (FOR(TRACE) | FOR(REPORT))
#define WRITES (SHOWS | FOR(WHY) | FOR(DIFF) | FOR(CHECK) | FOR(BENCH))
#define ALL (~OPTION_HIDDEN)

const char *const option_groups[GROUP_CNT] = {
	[GROUP_TARGET] = "What to trace",
	[GROUP_OWN] = "Of this command",
	[GROUP_SHOW] = "What to show",
	[GROUP_TRACE] = "How to trace",
	[GROUP_TOOL] = "About the tool itself",
};

const struct option_info options[] = {
	{ "pid", 'p', "PID[,PID...]", GROUP_TARGET, TRACES | FOR(DOCTOR), "running processes, and their children" },
	{ "all", 'a', NULL, GROUP_TARGET, FOLLOWS, "every Python process on the host, also those started later" },
	{ "cgroup", OPT_CGROUP, "PATH", GROUP_TARGET, FOLLOWS, "what runs in this cgroup and below, now or later: a directory below /sys/fs/cgroup, or a path of /proc/PID/cgroup; may be given more than once" },
	{ "container", OPT_CONTAINER, "ID|NAME[,...]", GROUP_TARGET, FOLLOWS, "what runs in these containers (podman, docker, containerd, CRI-O, Kubernetes), by their names or how their ids begin" },
	{ "wait", OPT_WAIT, NULL, GROUP_TARGET, FOLLOWS, "the container or cgroup may be still to come: wait for it" },
	{ "duration", 'd', "TIME", GROUP_TARGET, FOLLOWS, "stop after TIME (500ms, 30s, 2m; a bare number is seconds)" },
	{ "until-ready", OPT_UNTIL_READY, NULL, GROUP_TARGET, TRACES, "stop when what is traced waits for connections, its workers too; the program runs on" },
	{ "until-idle", OPT_UNTIL_IDLE, "TIME", GROUP_TARGET, TRACES, "stop when nothing was imported for TIME" },

	{ "budget", OPT_BUDGET, "FILE", GROUP_OWN, FOR(CHECK), "the limits, in YAML" },
	{ "baseline", OPT_BASELINE, "FILE", GROUP_OWN, FOR(CHECK), "a capture of when it held: what is broken is told with its value then, and with what came since" },
	{ "update", OPT_UPDATE, NULL, GROUP_OWN, FOR(CHECK), "write what is measured over the limits in the budget" },
	{ "runs", 'n', "N", GROUP_OWN, FOR(CHECK) | FOR(BENCH), "run the command N times (check: 1, or 5 where times are limited; bench: 10)" },
	{ "cold", OPT_COLD, NULL, GROUP_OWN, FOR(BENCH), "before each run, drop the files it reads from the page cache" },
	{ "versus", OPT_VERSUS, "COMMAND", GROUP_OWN, FOR(BENCH), "compare with this command line, taking turns" },
	{ "fail-on", OPT_FAIL_ON, "LIMITS", GROUP_OWN, FOR(DIFF), "status 1 if more grew than this: time>5%,modules>0" },
	{ "listen", OPT_LISTEN, "ADDRESS", GROUP_OWN, FOR(AGENT), "where metrics are read: HOST:PORT, or unix:PATH (127.0.0.1:9844)" },
	{ "max-series", OPT_MAX_SERIES, "N", GROUP_OWN, FOR(AGENT), "entry points told apart; the rest is counted together, as other (100)" },
	{ "from", OPT_FROM, "KIND", GROUP_OWN, READS, "what the file to read is; importtime is a log of python -X importtime" },

	{ "view", OPT_VIEW, "VIEW", GROUP_SHOW, SHOWS, "what a text report is about" },
	{ "format", OPT_FORMAT, "FORMAT", GROUP_SHOW, WRITES, "how the report is written" },
	{ "by", OPT_BY, "MEASURE", GROUP_SHOW, SHOWS, "what folded stacks weigh" },
	{ "output", 'o', "FILE", GROUP_SHOW, FOR(TRACE) | FOR(RECORD), "write a capture to FILE (- is the standard output), for `report` later" },
	{ "report", OPT_REPORT, "FILE", GROUP_SHOW, WRITES, "write the report to FILE; a launched command then keeps the standard output" },
	{ "as-measured", OPT_AS_MEASURED, NULL, GROUP_SHOW, TRACES | READS, "leave in the times what tracing took of them" },
	{ "defer", OPT_DEFER, "LIST", GROUP_SHOW, SHOWS, "what deferring these would save together (view advice): modules, packages or file:line, with commas" },
	{ "top", OPT_TOP, "N", GROUP_SHOW, SHOWS | FOR(WHY) | FOR(DIFF), "rows in each ranked table and list" },
	{ "min", OPT_MIN, "SHARE", GROUP_SHOW, SHOWS, "leave out of trees what took less than this share of all imports: 1%" },
	{ "unfold", OPT_UNFOLD, NULL, GROUP_SHOW, SHOWS | FOR(WHY), "show each of the processes that did the same, not one for all" },
	{ "slow", OPT_SLOW, "TIME", GROUP_SHOW, FOR(TRACE) | FOR(RECORD), "while tracing, a line on the standard error for each import that takes TIME (50ms) or longer, not counting what was told of inside it" },
	{ "width", OPT_WIDTH, "COLUMNS", GROUP_SHOW, WRITES, "of text; without it COLUMNS or the terminal says, and nothing is shortened in pipes and files" },
	{ "no-color", OPT_NO_COLOR, NULL, GROUP_SHOW, WRITES, "no colour and no links, on a terminal either" },

	{ "strict", OPT_STRICT, NULL, GROUP_TRACE, TRACES | FOR(REPORT) | FOR(CHECK), "fail if any data was lost: status 4" },
	{ "ring", OPT_RING, "SIZE", GROUP_TRACE, FOLLOWS, "ring buffer, from 4kB to 1GB (4MB), rounded up to a power of two" },
	{ "perf-uprobes", OPT_PERF, NULL, GROUP_TRACE, FOLLOWS, "perf-event uprobes even where the kernel has uprobe_multi" },
	{ "profile", OPT_PROFILE, "NAME", GROUP_TRACE, TRACES, "what to record: full, standard (no cached imports) or loads (imports alone, no causes)" },
	{ "no-edges", OPT_NO_EDGES, NULL, GROUP_TRACE, TRACES, "only imports that load something, not the cached ones" },
	{ "no-cpu", OPT_NO_CPU, NULL, GROUP_TRACE, TRACES, "do not measure CPU time and waits" },
	{ "no-files", OPT_NO_FILES, NULL, GROUP_TRACE, FOLLOWS, "do not count file operations and bytes from disk" },
	{ "no-memory", OPT_NO_MEMORY, NULL, GROUP_TRACE, TRACES, "do not measure resident memory" },
	{ "no-phases", OPT_NO_PHASES, NULL, GROUP_TRACE, FOLLOWS, "do not look for readiness: no system call is looked at for it" },
	{ "no-net", OPT_NO_NET, NULL, GROUP_TRACE, FOLLOWS, "do not look at connections, sleeps, threads and children" },
	{ "no-hold", OPT_NO_HOLD, NULL, GROUP_TRACE, FOLLOWS, "never hold a starting program until it is probed; first imports of an interpreter not known beforehand may be missed" },
	{ "tables", OPT_TABLES, "N", GROUP_TRACE, FOLLOWS | OPTION_HIDDEN, "slots for code and for statements, a power of two" },
	{ "no-tracepoint", OPT_NO_TRACEPOINT, "NAME", GROUP_TRACE, FOLLOWS | OPTION_HIDDEN, "do as if the kernel lacked it" },

	{ "dry-run", OPT_DRY_RUN, NULL, GROUP_TOOL, FOR(TRACE), "print every probe site and attach nothing" },
	{ "stats", OPT_STATS, NULL, GROUP_TOOL, TRACES, "tell what tracing cost, on the standard error" },
	{ "json-schema", OPT_SCHEMA, NULL, GROUP_TOOL, FOR(TRACE), "print the schema of --format json" },
	{ "completion", OPT_COMPLETION, "SHELL", GROUP_TOOL, FOR(TRACE) | OPTION_HIDDEN, "print a completion script for bash, zsh or fish" },
	{ "verbose", 'v', NULL, GROUP_TOOL, ALL, "say what is done; -vv debug, -vvv with libbpf's own words" },
	{ "version", 'V', NULL, GROUP_TOOL, ALL, "print the version; with -v kernel facts too" },
	{ "help", 'h', NULL, GROUP_TOOL, ALL, "print this help; `help COMMAND` that of another command" },
	{ "usage", OPT_USAGE, NULL, GROUP_TOOL, ALL, "print how it is called, in short" },
	{},
};

const struct option_info *option_find(const char *name)
{
	const struct option_info *option = options;

	while (option->name && strcmp(option->name, name))
		option++;
	return option->name ? option : NULL;
}

bool option_is_for(const struct option_info *option, enum command command)
{
	return option->commands & 1u << command;
}

static const char *const *formats_of(enum command command)
{
	switch (command) {
	case COMMAND_CHECK:
		return check_formats;
	case COMMAND_DIFF:
		return diff_formats;
	case COMMAND_WHY:
	case COMMAND_BENCH:
		return plain_formats;
	default:
		return report_formats;
	}
}

const char *const *option_values(const struct option_info *option, enum command command)
{
	static const char *const profiles[] = { "full", "standard", "loads", NULL };
	static const char *const kinds[] = { "capture", "importtime", NULL };
	static const char *const shells[] = { "bash", "zsh", "fish", NULL };

	switch (option->key) {
	case OPT_VIEW:
		return report_views;
	case OPT_FORMAT:
		return formats_of(command);
	case OPT_BY:
		return report_measures;
	case OPT_PROFILE:
		return profiles;
	case OPT_FROM:
		return kinds;
	case OPT_COMPLETION:
		return shells;
	default:
		return NULL;
	}
}
