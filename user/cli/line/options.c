// SPDX-License-Identifier: BSD-2-Clause
/* See options.h. */
#include "cli/line/options.h"

#include <string.h>

#include "pyimport_charge.h"
#include "pyimport_event.h"
#include "report/report.h"

#define FOR(command) (1u << COMMAND_##command)
#define TRACES (FOR(TRACE) | FOR(RECORD) | FOR(WHY) | FOR(TOP))
#define FOLLOWS (TRACES | FOR(AGENT))
#define READS (FOR(REPORT) | FOR(DIFF) | FOR(WHY) | FOR(CHECK))
#define SHOWS (FOR(TRACE) | FOR(REPORT))
#define WRITES (SHOWS | FOR(WHY) | FOR(DIFF) | FOR(CHECK) | FOR(BENCH))
#define ALL (~OPTION_HIDDEN)

#define FIELD(does_, field_) .does = (does_), .field = offsetof(struct opts, field_)
#define OTHER .does = DOES_OTHER
#define FLAG(field_) FIELD(DOES_FLAG, field_)
#define TEXT(field_) FIELD(DOES_TEXT, field_)
#define TIME(field_) FIELD(DOES_TIME, field_), .wants = "a time like 500ms, 30s or 2m"
#define COUNT(field_, least_, most_, wants_) \
	FIELD(DOES_COUNT, field_), .least = (least_), .most = (most_), .wants = (wants_)
#define OFF(groups_) .does = DOES_OFF, .groups = (groups_)

const char *const option_groups[GROUP_CNT] = {
	[GROUP_TARGET] = "What to trace",
	[GROUP_OWN] = "Of this command",
	[GROUP_SHOW] = "What to show",
	[GROUP_TRACE] = "How to trace",
	[GROUP_TOOL] = "About the tool itself",
};

const struct option_info options[] = {
	{ "pid", 'p', "PID[,PID...]", GROUP_TARGET, TRACES | FOR(DOCTOR), "running processes, and their children", OTHER },
	{ "all", 'a', NULL, GROUP_TARGET, FOLLOWS, "every Python process on the host, also those started later", FLAG(want_all) },
	{ "cgroup", OPT_CGROUP, "PATH", GROUP_TARGET, FOLLOWS, "what runs in this cgroup and below, now or later: a directory below /sys/fs/cgroup, or a path of /proc/PID/cgroup; may be given more than once", OTHER },
	{ "container", OPT_CONTAINER, "ID|NAME[,...]", GROUP_TARGET, FOLLOWS, "what runs in these containers (podman, docker, containerd, CRI-O, Kubernetes), by their names or how their ids begin", OTHER },
	{ "wait", 0, NULL, GROUP_TARGET, FOLLOWS, "wait for the container or cgroup if it does not exist yet", FLAG(want_wait) },
	{ "duration", 'd', "TIME", GROUP_TARGET, FOLLOWS, "stop after TIME (500ms, 30s, 2m; a bare number is seconds)", TIME(duration_ns) },
	{ "until-ready", 0, NULL, GROUP_TARGET, TRACES, "stop when what is traced waits for connections, its workers too; the program runs on", FLAG(want_until_ready) },
	{ "until-idle", 0, "TIME", GROUP_TARGET, TRACES, "stop when nothing was imported for TIME", TIME(idle_ns) },

	{ "budget", 0, "FILE", GROUP_OWN, FOR(CHECK), "the limits, in YAML", TEXT(budget) },
	{ "baseline", 0, "FILE", GROUP_OWN, FOR(CHECK), "a capture made when the budget still held: each broken limit is shown with its value then and the imports added since", TEXT(baseline) },
	{ "update", 0, NULL, GROUP_OWN, FOR(CHECK), "write what is measured over the limits in the budget", FLAG(want_update) },
	{ "runs", 'n', "N", GROUP_OWN, FOR(CHECK) | FOR(BENCH), "run the command N times (check: 1, or 5 where times are limited; bench: 10)", COUNT(runs, 1, 1000, "a number of runs, 1 to 1000") },
	{ "cold", 0, NULL, GROUP_OWN, FOR(BENCH), "before each run, drop the files it reads from the page cache", FLAG(want_cold) },
	{ "versus", 0, "COMMAND", GROUP_OWN, FOR(BENCH), "compare with this command line, taking turns", TEXT(versus) },
	{ "fail-on", 0, "LIMITS", GROUP_OWN, FOR(DIFF), "status 1 if more grew than this: time>5%,modules>0", TEXT(fail_on) },
	{ "listen", 0, "ADDRESS", GROUP_OWN, FOR(AGENT), "where metrics are read: HOST:PORT, or unix:PATH (127.0.0.1:9844)", TEXT(listen) },
	{ "tls-cert", 0, "FILE", GROUP_OWN, FOR(AGENT), "speak TLS where metrics are read: the certificate, and those it was signed with (PEM)", TEXT(tls_cert) },
	{ "tls-key", 0, "FILE", GROUP_OWN, FOR(AGENT), "the key of that certificate (PEM)", TEXT(tls_key) },
	{ "auth-file", 0, "FILE", GROUP_OWN, FOR(AGENT), "ask for a password where metrics are read: lines NAME:HASH, by htpasswd -B", TEXT(auth_file) },
	{ "config", 0, "FILE", GROUP_OWN, FOR(AGENT), "more options, a line NAME VALUE each; SIGHUP reads it again", TEXT(config) },
	{ "max-series", 0, "N", GROUP_OWN, FOR(AGENT), "entry points told apart; the rest is counted together, as other (100)", COUNT(max_series, 1, 10000, "a number of entry points, 1 to 10000") },
	{ "spool", 0, "DIR", GROUP_OWN, FOR(AGENT), "keep captures of start-ups that are slow, new, or slower than their entry point's usually are", TEXT(spool) },
	{ "spool-size", OPT_SPOOL_SIZE, "SIZE", GROUP_OWN, FOR(AGENT), "the most that all of them may take (256MB); the oldest are removed first", OTHER },
	{ "spool-files", 0, "N", GROUP_OWN, FOR(AGENT), "how many there may be (1000)", COUNT(spool_files, 1, 100000, "a number of files, 1 to 100000") },
	{ "spool-age", 0, "TIME", GROUP_OWN, FOR(AGENT), "how long they are kept (30d)", TIME(spool_age_ns) },
	{ "slow-start", 0, "TIME", GROUP_OWN, FOR(AGENT), "a start-up that takes so long is slow (without the option none is)", TIME(slow_start_ns) },
	{ "otlp", 0, "URL", GROUP_OWN, FOR(AGENT), "push metrics, and traces of slow start-ups, to an OpenTelemetry collector (http://127.0.0.1:4318)", TEXT(otlp) },
	{ "otlp-protocol", OPT_PROTOCOL, "PROTOCOL", GROUP_OWN, FOR(AGENT), "how it is sent", OTHER },
	{ "otlp-interval", 0, "TIME", GROUP_OWN, FOR(AGENT), "how often metrics are pushed (30s)", TIME(otlp_interval_ns) },
	{ "otlp-headers", 0, "FILE", GROUP_OWN, FOR(AGENT), "headers to send, a line NAME: VALUE each", TEXT(otlp_headers) },
	{ "otlp-ca", 0, "FILE", GROUP_OWN, FOR(AGENT), "certificates (PEM) that the collector's is checked with, instead of the system's", TEXT(otlp_ca) },
	{ "redact", 0, NULL, GROUP_OWN, FOR(AGENT), "name scripts without their directories, and send no traces, which have command lines", FLAG(want_redacted) },
	{ "from", OPT_FROM, "KIND", GROUP_OWN, READS, "what the file to read is; importtime is a log of python -X importtime", OTHER },

	{ "view", OPT_VIEW, "VIEW", GROUP_SHOW, SHOWS, "what a text report shows", TEXT(view) },
	{ "format", OPT_FORMAT, "FORMAT", GROUP_SHOW, WRITES, "how the report is written", TEXT(format) },
	{ "by", OPT_BY, "MEASURE", GROUP_SHOW, SHOWS, "what the numbers of folded stacks are", TEXT(by) },
	{ "output", 'o', "FILE", GROUP_SHOW, FOR(TRACE) | FOR(RECORD), "write a capture to FILE (- is the standard output), for `report` later", TEXT(capture_path) },
	{ "rotate", OPT_ROTATE, "SIZE|TIME", GROUP_OWN, FOR(RECORD), "go on in another file when this one has SIZE (100MB) or is TIME old (10m): FILE.cap becomes FILE.1.cap, FILE.2.cap and so on, each to be read by itself", OTHER },
	{ "keep", 0, "N", GROUP_OWN, FOR(RECORD), "with --rotate: the newest N files; older ones of this trace are removed", COUNT(keep_cnt, 1, 1000000, "a number of files, 1 or more") },
	{ "report", 0, "FILE", GROUP_SHOW, WRITES, "write the report to FILE", TEXT(report_path) },
	{ "as-measured", 0, NULL, GROUP_SHOW, TRACES | READS, "show times as measured, with the cost of tracing in them", FLAG(is_as_measured) },
	{ "defer", OPT_DEFER, "LIST", GROUP_SHOW, SHOWS, "what deferring these would save together (view advice): modules, packages or file:line, with commas", OTHER },
	{ "top", 0, "N", GROUP_SHOW, SHOWS | FOR(WHY) | FOR(DIFF), "rows in each ranked table and list", COUNT(top, 1, 1000000, "a number of rows, 1 or more") },
	{ "min", OPT_MIN, "SHARE", GROUP_SHOW, SHOWS, "leave out of trees what took less than this share of all imports: 1%", OTHER },
	{ "unfold", 0, NULL, GROUP_SHOW, SHOWS | FOR(WHY), "show each process, not one for all that did the same", FLAG(want_unfolded) },
	{ "slow", 0, "TIME", GROUP_SHOW, FOR(TRACE) | FOR(RECORD), "while tracing, a line on the standard error for each import that takes TIME (50ms) or longer, not counting what was told of inside it", TIME(slow_ns) },
	{ "width", OPT_WIDTH, "COLUMNS", GROUP_SHOW, WRITES, "of text; without it COLUMNS or the terminal says, and nothing is shortened in pipes and files", OTHER },
	{ "no-color", 0, NULL, GROUP_SHOW, WRITES, "no colour and no links, on a terminal either", FLAG(want_no_color) },

	{ "strict", 0, NULL, GROUP_TRACE, TRACES | FOR(REPORT) | FOR(CHECK), "fail if any data was lost: status 4", FLAG(is_strict) },
	{ "ring", OPT_RING, "SIZE", GROUP_TRACE, FOLLOWS, "ring buffer, from 4kB to 1GB (4MB), rounded up to a power of two", OTHER },
	{ "perf-uprobes", 0, NULL, GROUP_TRACE, FOLLOWS, "perf-event uprobes even where the kernel has uprobe_multi", FLAG(want_perf) },
	{ "profile", OPT_PROFILE, "NAME", GROUP_TRACE, TRACES, "record full, standard (no cached imports) or loads (imports alone, no causes); else what the view shows, and in a capture full of a command, standard of what runs", OTHER },
	{ "no-edges", 0, NULL, GROUP_TRACE, TRACES, "only imports that load something, not the cached ones", FLAG(want_no_edges) },
	{ "no-cpu", 0, NULL, GROUP_TRACE, TRACES, "do not measure CPU time and waits", OFF(PYI_GROUP_CPU) },
	{ "no-files", 0, NULL, GROUP_TRACE, FOLLOWS, "do not count file operations and bytes from disk", OFF(PYI_GROUP_FILES | PYI_GROUP_DISK) },
	{ "no-memory", 0, NULL, GROUP_TRACE, TRACES, "do not measure resident memory", OFF(PYI_GROUP_MEMORY) },
	{ "no-phases", 0, NULL, GROUP_TRACE, FOLLOWS, "do not detect readiness: no system calls are watched for it", OFF(PYI_GROUP_PHASES) },
	{ "no-net", 0, NULL, GROUP_TRACE, FOLLOWS, "do not look at connections, sleeps, threads and children", OFF(PYI_GROUP_NET) },
	{ "no-hold", 0, NULL, GROUP_TRACE, FOLLOWS, "never hold a starting program until it is probed; first imports of an interpreter not known beforehand may be missed", FLAG(want_no_hold) },
	{ "tables", 0, "NAME:N[,...]", GROUP_TRACE, FOLLOWS | OPTION_HIDDEN, "entries of these BPF maps", TEXT(tables) },
	{ "no-tracepoint", 0, "NAME", GROUP_TRACE, FOLLOWS | OPTION_HIDDEN, "behave as if the kernel lacked it", TEXT(no_tracepoint) },

	{ "dry-run", 0, NULL, GROUP_TOOL, FOR(TRACE), "print every probe site and attach nothing", FLAG(is_dry_run) },
	{ "stats", 0, NULL, GROUP_TOOL, TRACES, "tell what tracing cost, on the standard error", FLAG(want_stats) },
	{ "json-schema", OPT_SCHEMA, NULL, GROUP_TOOL, FOR(TRACE), "print the schema of --format json", OTHER },
	{ "completion", OPT_COMPLETION, "SHELL", GROUP_TOOL, FOR(TRACE) | OPTION_HIDDEN, "print a completion script for bash, zsh or fish", TEXT(completion) },
	{ "verbose", 'v', NULL, GROUP_TOOL, ALL, "print progress; -vv for debugging, -vvv with libbpf's own messages", OTHER },
	{ "version", 'V', NULL, GROUP_TOOL, ALL, "print the version; with -v kernel facts too", OTHER },
	{ "help", 'h', NULL, GROUP_TOOL, ALL, "print this help; `help COMMAND` that of another command", OTHER },
	{ "usage", OPT_USAGE, NULL, GROUP_TOOL, ALL, "print a short summary of the options", OTHER },
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
	static const char *const protocols[] = { OTLP_PROTOBUF, OTLP_JSON, NULL };

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
	case OPT_PROTOCOL:
		return protocols;
	default:
		return NULL;
	}
}
