// SPDX-License-Identifier: BSD-2-Clause
/* See commands.h. */
#include "cli/line/commands.h"

#include <string.h>

#include "report/uses.h"

#define TARGETS " [OPTION...] -- COMMAND [ARG...]\n" \
	" [OPTION...] {-p PID | --container NAME | --cgroup PATH | -a}\n"

const struct command_info commands[] = {
	{ NULL, COMMAND_TRACE, 0, 0, true, USES_OF_VIEW,
	  "Traces the imports of unmodified Python programs: what loads what, from which line, and what it costs.",
	  TARGETS "SUBCOMMAND [OPTION...] ...\n",
	  "-- python3 app.py --help # one run of a command\n"
	  "--view tree -- ./manage.py check # what loaded what\n"
	  "-p 4711 -d 30s # 30 seconds of a running service\n"
	  "--container web --wait # a container, from its first import on\n"
	  "-a --view blame # the whole host until Ctrl-C\n"
	  "--format html --report r.html -- pytest -q # a page for a browser\n" },
	{ "record", COMMAND_RECORD, 0, 0, true, USES_LOADS, "trace into a capture file",
	  "-o FILE" TARGETS,
	  "record -o app.cap -- python3 app.py --help # one run of a command\n"
	  "record -o web.cap -p 4711 -d 30s # 30 seconds of a running service\n"
	  "record -o - -a -d 10s | zstd > host.cap.zst # to the standard output\n" },
	{ "report", COMMAND_REPORT, 1, 1, false, USES_LOADS, "report from a capture file",
	  "FILE [OPTION...]\n",
	  "report app.cap # what matters, on one screen\n"
	  "report app.cap --view advice # what to do about it\n"
	  "report app.cap --format html --report app.html # a page for a browser\n"
	  "report --from importtime app.log # a log of python3 -X importtime\n" },
	{ "diff", COMMAND_DIFF, 2, 2, false, USES_LOADS, "what changed from one capture to another",
	  "BEFORE AFTER [OPTION...]\n",
	  "diff before.cap after.cap # what came, what went, what it costs\n"
	  "diff before.cap after.cap --format markdown # for a pull request\n"
	  "diff before.cap after.cap --fail-on 'time>5%,modules>0' # status 1 if it grew\n" },
	{ "doctor", COMMAND_DOCTOR, 0, 0, false, USES_LOADS, "what would work here",
	  "[-p PID]\n",
	  "doctor # this host, and the interpreters on it\n"
	  "doctor -p 4711 # this process\n" },
	{ "why", COMMAND_WHY, 1, 2, true, USES_ALL, "every chain of imports that leads to a module",
	  "MODULE FILE [OPTION...]\nMODULE" TARGETS,
	  "why torch app.cap # from a capture\n"
	  "why opentelemetry -- mytool --help # from one run of a command\n" },
	{ "check", COMMAND_CHECK, 0, 1, true, USES_ALL, "a capture or a command against a budget",
	  "--budget FILE [OPTION...] [FILE.cap | -- COMMAND [ARG...]]\n",
	  "check --budget budget.yaml # the commands that it names\n"
	  "check --budget budget.yaml -- mytool --help # this command\n"
	  "check --budget budget.yaml app.cap # this capture\n"
	  "check --budget budget.yaml --update -- mytool --help # write what is measured\n" },
	{ "bench", COMMAND_BENCH, 0, 0, true, USES_ALL, "a command timed again and again, or against another",
	  "[OPTION...] -- COMMAND [ARG...]\n",
	  "bench -n 20 -- mytool --help # how long it takes\n"
	  "bench --cold -- mytool --help # with its files not in memory\n"
	  "bench --versus 'mytool2 --help' -- mytool --help # which is faster, and how sure that is\n" },
	{ "top", COMMAND_TOP, 0, 0, true, USES_LOADS, "what is starting now, live",
	  "[OPTION...]\n" TARGETS,
	  "top # the whole host\n"
	  "top --container web # a container\n" },
	{ "agent", COMMAND_AGENT, 0, 0, false, USES_FILES | USES_NET | USES_PHASES, "start-ups of the whole host, as metrics for Prometheus",
	  "[OPTION...] [-a | --container NAME | --cgroup PATH]\n",
	  "agent # the whole host, at http://127.0.0.1:9844/metrics\n"
	  "agent --listen unix:/run/pyimport.sock --cgroup /system.slice # services alone\n" },
	{ "help", COMMAND_HELP, 0, 1, false, USES_LOADS, "this help, or that of a subcommand",
	  "[SUBCOMMAND]\n", "help record # its options, with examples\n" },
	{ "version", COMMAND_VERSION, 0, 0, false, USES_LOADS, "the version, and with -v facts of this kernel",
	  "[-v]\n", "version -v # what to write into a bug report\n" },
	{},
};

const struct command_info *commands_find(const char *name)
{
	for (const struct command_info *info = commands; info->doc; info++) {
		if (info->name && !strcmp(info->name, name))
			return info;
	}
	return NULL;
}

const struct command_info *commands_get(enum command command)
{
	const struct command_info *info = commands;

	while (info->doc && info->command != command)
		info++;
	return info->doc ? info : NULL;
}
