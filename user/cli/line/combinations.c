// SPDX-License-Identifier: BSD-2-Clause
/* What goes together on the command line. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/line/combinations.h"
#include "cli/line/options.h"
#include "cli/line/parse.h"
#include "cli/line/refuse.h"
#include "pyimport_charge.h"
#include "pyimport_event.h"
#include "report/compare/diff_limits.h"
#include "trace/output.h"

#define NAMES_SZ 256

static int refuse_misplaced(const struct parse *parse, const struct option_info *option)
{
	char names[NAMES_SZ] = "";
	size_t at = 0;

	for (const struct command_info *info = commands; info->doc && at < sizeof(names); info++)
		if (info->doc && option_is_for(option, info->command))
			at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s", at ? ", " : "",
					       info->name ? info->name : "tracing");
	refuse(parse, "--%s means nothing for %s: it is for %s", option->name,
	       parse->command->name ? parse->command->name : "tracing", names);
	return hint_help(parse);
}

/* Whose options these are is known only now: they may stand before the subcommand. */
static int check_options(const struct parse *parse)
{
	const struct opts *opts = parse->opts;
	enum command command = parse->command->command;

	for (size_t i = 0; options[i].name; i++) {
		const char *const *values = option_values(&options[i], command);
		const char *value = options[i].key == OPT_VIEW ? opts->view :
				    options[i].key == OPT_FORMAT ? opts->format :
				    options[i].key == OPT_BY ? opts->by : NULL;

		if (!parse->seen[i])
			continue;
		if (!option_is_for(&options[i], command))
			return refuse_misplaced(parse, &options[i]);
		if (value && !is_listed(values, value))
			return refuse_name(parse, options[i].key == OPT_BY ? "measure" : options[i].name,
					   value, values);
	}
	return 0;
}

static bool is_dash(const char *path)
{
	return path && !strcmp(path, "-");
}

static int check_words(const struct parse *parse)
{
	const struct opts *opts = parse->opts;
	const char *wrong;

	if (opts->fail_on && diff_limits_check(opts->fail_on, &wrong))
		return refuse(parse, "--fail-on: not a limit like time>5%%, imports>20ms or modules>0: '%s'", wrong);
	switch (parse->command->command) {
	case COMMAND_RECORD:
		if (!opts->capture_path)
			return refuse(parse, "record needs a file for the capture"), hint(parse, "record -o FILE.cap …", NULL);
		if (is_dash(opts->capture_path) && (opts->rotate_bytes || opts->rotate_ns))
			return refuse(parse, "--rotate needs a name for its files, not the standard output"), hint_help(parse);
		if (opts->keep_cnt && !opts->rotate_bytes && !opts->rotate_ns)
			return refuse(parse, "--keep is for --rotate"), hint(parse, "--rotate 100MB", NULL);
		break;
	case COMMAND_REPORT:
	case COMMAND_DIFF:
		if (opts->word_cnt < parse->command->word_min)
			return refuse(parse, opts->word_cnt ? "%s needs one more capture file" :
				      "%s needs a capture file", parse->command->name), hint_help(parse);
		break;
	case COMMAND_WHY:
		if (opts->word_cnt == 2 && !access(opts->words[0], F_OK) &&
		    access(opts->words[1], F_OK)) {
			refuse(parse, "there is no file %s: the module comes first", opts->words[1]);
			return hint(parse, "why MODULE ", opts->words[0]);
		}
		if (opts->word_cnt && (opts->word_cnt == 2 || names_target(opts)))
			break;
		if (opts->word_cnt && !access(opts->words[0], F_OK)) {
			refuse(parse, "why needs a module as well as a file: which module in %s?", opts->words[0]);
			return hint(parse, "why MODULE ", opts->words[0]);
		}
		refuse(parse, "why needs a module, and a capture file or a command that loads it");
		return hint(parse, "why MODULE FILE.cap, or why MODULE -- COMMAND", NULL);
	default:
		break;
	}
	return 0;
}

static int check_target(const struct parse *parse)
{
	const struct opts *opts = parse->opts;
	enum command command = parse->command->command;
	bool needs_one = command == COMMAND_TRACE || command == COMMAND_RECORD;

	if (parse->is_quoted && !parse->command->takes_command)
		return refuse(parse, "%s takes no command behind --", parse->command->name), hint_help(parse);
	if (parse->is_quoted && !opts->argv)
		return refuse(parse, "no command behind --"), hint_help(parse);
	if ((opts->argv != NULL) + (opts->tgid_cnt != 0) + opts->want_all +
	    (opts->scope_cnt != 0) > 1)
		return refuse(parse, "only one of -p, -a, --cgroup, --container and -- COMMAND can be traced"), hint_help(parse);
	if (opts->want_wait && !opts->scope_cnt)
		return refuse(parse, "--wait is for --cgroup and --container"), hint_help(parse);
	if (needs_one && !names_target(opts))
		return refuse(parse, "nothing to trace is named"),
		       hint(parse, "-- COMMAND, -p PID, --container NAME, --cgroup PATH, or -a for the whole host", NULL);
	return 0;
}

/* Options that one view or format alone looks at. */
static int check_shown(const struct parse *parse)
{
	static const struct {
		const char *option, *view, *format; /* NULL: any view */
	} rows[] = {
		{ "view", NULL, "text" }, { "by", NULL, "folded" }, { "defer", "advice", "text" },
		{ "min", "tree", "text" }, { "unfold", NULL, "text" }, { "width", NULL, "text" },
	};
	const struct opts *opts = parse->opts;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!parse->seen[option_find(rows[i].option) - options])
			continue;
		if (strcmp(opts->format, rows[i].format) != 0)
			refuse(parse, "--%s means nothing with --format %s: it is for %s",
			       rows[i].option, opts->format, rows[i].format);
		else if (rows[i].view && strcmp(opts->view, rows[i].view) != 0)
			refuse(parse, "--%s means nothing with --view %s: it is for %s",
			       rows[i].option, opts->view, rows[i].view);
		else
			continue;
		return hint_help(parse);
	}
	return 0;
}

/* What would spoil a terminal is refused before anything runs. */
static int check_terminal(const struct parse *parse)
{
	const struct opts *opts = parse->opts;

	if (parse->is_quiet || !output_takes_stdout(opts) || !isatty(STDOUT_FILENO))
		return 0;
	if (is_dash(opts->capture_path))
		return refuse(parse, "a capture cannot be shown on a terminal"),
		       hint(parse, "-o FILE, or a pipe behind -o -", NULL);
	if (output_file_for(opts->format))
		return refuse(parse, "--format %s is not for a terminal", opts->format),
		       hint(parse, output_file_for(opts->format), NULL);
	return 0;
}

/* Options that make sense one by one but not together. */
int parse__check(const struct parse *parse)
{
	const struct opts *opts = parse->opts;
	int err = check_options(parse);

	if (!err)
		err = check_words(parse);
	if (!err)
		err = check_target(parse);
	if (!err)
		err = check_shown(parse);
	if (!err)
		err = check_terminal(parse);
	if (err)
		return err;
	if (!opts->tls_cert != !opts->tls_key)
		return refuse(parse, "--tls-cert and --tls-key go together"), hint_help(parse);
	if (opts->want_redacted && opts->spool)
		return refuse(parse, "--spool keeps what --redact leaves out"), hint_help(parse);
	if (is_dash(opts->capture_path) && is_dash(opts->report_path))
		return refuse(parse, "capture and report cannot both go to the standard output"), hint_help(parse);
	if (opts->want_until_ready && (opts->groups_off & PYI_GROUP_PHASES ||
				       (opts->profile && !strcmp(opts->profile, "loads"))))
		return refuse(parse, "--until-ready needs what --no-phases or --profile loads leaves out"), hint_help(parse);
	return 0;
}
