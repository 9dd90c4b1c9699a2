// SPDX-License-Identifier: BSD-2-Clause
/* See commands.h. */
#include "cli/commands.h"

#include <string.h>

#include "cli/cli.h"

const struct command_info commands[] = {
	{ NULL, COMMAND_TRACE, 0, 0, true, NULL, trace_run },
	{ NULL, COMMAND_SCHEMA, 0, 0, false, NULL, schema_run },
	{ NULL, COMMAND_VERSION, 0, 0, false, NULL, version_run },
	{ "record", COMMAND_RECORD, 0, 0, true, "trace into a capture file", trace_run },
	{ "report", COMMAND_REPORT, 1, 1, false, "report from a capture file", report_run },
	{ "diff", COMMAND_DIFF, 2, 2, false, "what changed from one capture to another", diff_run },
	{ "doctor", COMMAND_DOCTOR, 0, 0, false, "what would work here", doctor_run },
	{ "why", COMMAND_WHY, 1, 2, true, "every chain of imports that leads to a module", why_run },
	{ "check", COMMAND_CHECK, 0, 1, true, "a capture or a command against a budget", check_run },
	{ "bench", COMMAND_BENCH, 0, 0, true, "a command timed again and again, or against another", bench_run },
	{ "top", COMMAND_TOP, 0, 0, true, "what is starting now, live", top_run },
	{},
};

const struct command_info *commands_find(const char *name)
{
	for (const struct command_info *info = commands; info->run; info++) {
		if (info->name && !strcmp(info->name, name))
			return info;
	}
	return NULL;
}

const struct command_info *commands_get(enum command command)
{
	const struct command_info *info = commands;

	while (info->run && info->command != command)
		info++;
	return info->run ? info : NULL;
}
