// SPDX-License-Identifier: BSD-2-Clause
/* See help.h. */
#include "cli/line/help.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/terminal.h"
#include "cli/cli.h"
#include "cli/line/options.h"

#define WIDTH_MIN 40
#define WIDTH_MAX 120 /* wider lines are harder to read */
#define WIDTH_PIPE 80
#define EXAMPLE_COLS 46
#define OPTION_COLS 28
#define TOOL "pyimport-bpf"

static const char place[] = "The report goes to the standard output, or to the FILE of --report.";
static const char place_launched[] =
	"What a launched command itself writes to its standard output then goes to the standard error, so that "
	"both can be told apart in a pipe; with --report it stays where it is.";
static const char *statuses_of(enum command command)
{
	switch (command) {
	case COMMAND_REPORT:
		return "0 ok; 1 failure of ours; 2 usage; 4 with --strict, data was lost.";
	case COMMAND_DIFF:
		return "0 ok; 1 more grew than --fail-on allows, or a failure of ours; 2 usage.";
	case COMMAND_CHECK:
		return "0 within the budget; 1 a limit is broken or could not be measured, or a failure of "
		       "ours; 2 usage; 3 could not trace; 4 with --strict, data was lost.";
	case COMMAND_BENCH:
		return "0 ok; 1 a run failed, or a failure of ours; 2 usage.";
	case COMMAND_DOCTOR:
		return "0 ok; 1 failure of ours; 2 usage; 3 nothing can be traced, and the lines above say why.";
	case COMMAND_WHY:
		return "0 ok; 1 nothing leads to the module, or a failure of ours; 2 usage; 3 could not trace; "
		       "4 with --strict, data was lost; after -- otherwise that of COMMAND (128+N for signal "
		       "N).";
	case COMMAND_AGENT:
		return "0 ok; 1 failure of ours; 2 usage; 3 could not trace.";
	case COMMAND_HELP:
	case COMMAND_VERSION:
		return "0 ok; 1 failure of ours; 2 usage.";
	default:
		return "0 ok; 1 failure of ours; 2 usage; 3 could not trace; 4 with --strict, data was lost; "
		       "after -- otherwise that of COMMAND (128+N for signal N).";
	}
}

/* @text in words from column @at on, which is where its later lines start too. */
static void put_wrapped(FILE *out, int at, int width, const char *text)
{
	int col = at;

	while (*text) {
		int sz = (int)strcspn(text, " ");

		if (col > at && col + 1 + sz > width) {
			fprintf(out, "\n%*s", at, "");
			col = at;
		} else if (col > at) {
			fputc(' ', out);
			col++;
		}
		fwrite(text, 1, (size_t)sz, out);
		col += sz;
		text += sz + (text[sz] == ' ');
	}
	fputc('\n', out);
}

static void put_text(FILE *out, int at, int width, const char *text)
{
	fprintf(out, "%*s", at, "");
	put_wrapped(out, at, width, text);
}

static void put_usage(FILE *out, const struct command_info *info)
{
	const char *line = info->synopsis;

	for (bool is_first = true; *line; is_first = false) {
		int sz = (int)strcspn(line, "\n");

		fprintf(out, "%s " TOOL "%s%s%s%.*s\n", is_first ? "Usage:" : "      ",
			info->name ? " " : "", info->name ? info->name : "",
			*line == ' ' ? "" : " ", sz, line);
		line += sz + 1;
	}
}

static void put_examples(FILE *out, const struct command_info *info, int width)
{
	fputs("\nExamples\n", out);
	for (const char *line = info->examples; *line;) {
		int sz = (int)strcspn(line, "\n"), typed = (int)(strstr(line, " # ") - line), used;
		char what[128];

		snprintf(what, sizeof(what), "%.*s", sz - typed - 3, line + typed + 3);
		used = fprintf(out, "  " TOOL " %.*s", typed, line);
		if (used + 2 <= EXAMPLE_COLS && EXAMPLE_COLS + 20 <= width)
			fprintf(out, "%*s", EXAMPLE_COLS - used, "");
		else
			fprintf(out, "\n%*s", EXAMPLE_COLS + 20 <= width ? EXAMPLE_COLS : 6, "");
		put_wrapped(out, EXAMPLE_COLS + 20 <= width ? EXAMPLE_COLS : 6, width, what);
		line += sz + 1;
	}
}

static void put_commands(FILE *out, int width)
{
	fputs("\nSubcommands, each with a --help of its own\n", out);
	for (const struct command_info *info = commands; info->doc; info++) {
		if (!info->name)
			continue;
		fprintf(out, "  %-10s", info->name);
		put_wrapped(out, 12, width, info->doc);
	}
}

static void put_option(FILE *out, const struct option_info *option, enum command command, int width)
{
	const char *const *values = option_values(option, command);
	int at = width < 2 * OPTION_COLS ? 8 : OPTION_COLS, used;
	char doc[512];
	size_t sz;

	used = option_is_short(option) ? fprintf(out, "  -%c, --%s", option->key, option->name) :
					 fprintf(out, "      --%s", option->name);
	if (option->arg)
		used += fprintf(out, "=%s", option->arg);
	fprintf(out, used + 2 <= at ? "%*s" : "\n%*s", used + 2 <= at ? at - used : at, "");
	sz = (size_t)snprintf(doc, sizeof(doc), "%s%s", option->doc, values ? ": " : "");
	for (size_t i = 0; values && values[i] && sz < sizeof(doc); i++)
		sz += (size_t)snprintf(doc + sz, sizeof(doc) - sz, "%s%s%s", i ? ", " : "", values[i],
				       i ? "" : " (default)");
	put_wrapped(out, at, width, doc);
}

static void put_options(FILE *out, enum command command, int width)
{
	for (int group = 0; group < GROUP_CNT; group++) {
		bool has_any = false;

		for (const struct option_info *option = options; option->name; option++) {
			if (option_is_hidden(option) || (int)option->group != group ||
			    !option_is_for(option, command))
				continue;
			if (!has_any)
				fprintf(out, "\n%s\n", option_groups[group]);
			has_any = true;
			put_option(out, option, command, width);
		}
	}
}

int help_print(const struct command_info *info, enum help_depth depth, int width, FILE *out)
{
	bool has_report = option_is_for(option_find("report"), info->command);

	width = width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
	put_usage(out, info);
	if (depth == HELP_USAGE)
		return ferror(out) ? -EIO : 0;
	if (info->name) {
		fprintf(out, "\n%s: ", info->name);
		put_wrapped(out, (int)strlen(info->name) + 2, width, info->doc);
	} else {
		fputc('\n', out);
		put_text(out, 0, width, info->doc);
	}
	put_examples(out, info, width);
	if (!info->name)
		put_commands(out, width);
	if (depth == HELP_FULL) {
		put_options(out, info->command, width);
		if (has_report) {
			fputs("\nWhere the report goes\n", out);
			put_text(out, 2, width, place);
			if (option_is_for(option_find("duration"), info->command))
				put_text(out, 2, width, place_launched);
		}
		fputs("\nExit status\n", out);
		put_text(out, 2, width, statuses_of(info->command));
	} else {
		fputs("\n" TOOL " --help tells of every option.\n", out);
	}
	return ferror(out) ? -EIO : 0;
}

int help_run(const struct opts *opts)
{
	const struct command_info *info = commands_get(opts->help_on);
	int width = terminal_columns(STDOUT_FILENO);

	help_print(info, opts->help_depth, width ? width : WIDTH_PIPE, stdout);
	if (fflush(stdout))
		return EXIT_OURS;
	return opts->help_depth == HELP_SHORT ? EXIT_USAGE : EXIT_OK;
}
