// SPDX-License-Identifier: BSD-2-Clause
/* What is said of a command line that is wrong: what is, and what was probably meant. */
#include "cli/line/parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/distance.h"
#include "base/log.h"
#include "cli/line/options.h"
#include "cli/line/refuse.h"
#include "report/report.h"

#define NAMES_SZ 256

int refuse(const struct parse *parse, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!parse->is_quiet)
		log_err(0, "%s", text);
	return -EINVAL;
}

int hint(const struct parse *parse, const char *what, const char *value)
{
	if (!parse->is_quiet)
		log_hint("%s%s", what, value ? value : "");
	return -EINVAL;
}

int hint_help(const struct parse *parse)
{
	const char *name = parse->command->name;

	if (!parse->is_quiet)
		log_hint("pyimport-bpf %s%s--help", name ? name : "", name ? " " : "");
	return -EINVAL;
}

bool is_listed(const char *const *list, const char *name)
{
	for (; *list; list++) {
		if (!strcmp(*list, name))
			return true;
	}
	return false;
}

/* Says what was probably meant, and which names there are. */
int refuse_name(const struct parse *parse, const char *what, const char *name,
		       const char *const *list)
{
	const char *nearest = text_nearest(name, list);
	char names[NAMES_SZ] = "";

	for (size_t at = 0; *list && at < sizeof(names); list++)
		at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s", at ? ", " : "", *list);
	refuse(parse, "no such %s: '%s'; there are %s", what, name, names);
	return nearest ? hint(parse, nearest, NULL) : hint_help(parse);
}

int refuse_command(const struct parse *parse, const char *word, bool is_topic)
{
	const char *names[32] = {};
	size_t cnt = 0;

	for (const struct command_info *info = commands; info->doc; info++)
		if (info->name && cnt < 31)
			names[cnt++] = info->name;
	refuse(parse, "no such subcommand: '%s'", word);
	if (text_nearest(word, names))
		return hint(parse, "pyimport-bpf ", text_nearest(word, names));
	if (is_topic)
		return hint(parse, "pyimport-bpf --help", NULL);
	return hint(parse, "to trace a command: pyimport-bpf -- ", word);
}

/* Behind its dashes @text may have a value. */
int refuse_long(const struct parse *parse, const char *text)
{
	const char *names[OPTIONS_MAX] = {}, *nearest;
	char name[64];
	size_t cnt = 0;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(text, "="), text);
	for (const struct option_info *option = options; option->name; option++)
		if (!option_is_hidden(option) && (parse->command->name == NULL ||
					   option_is_for(option, parse->command->command)))
			names[cnt++] = option->name;
	refuse(parse, "no such option: --%s", name);
	if (is_listed(report_views, name))
		return hint(parse, "--view ", name);
	if (is_listed(report_formats, name))
		return hint(parse, "--format ", name);
	nearest = text_nearest(name, names);
	return nearest ? hint(parse, "--", nearest) : hint_help(parse);
}
