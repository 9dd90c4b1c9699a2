// SPDX-License-Identifier: BSD-2-Clause
/*
 * The command line: words and options in any order before a --, behind which all is the command's.
 * Which options there are, and which command each is for, is in options.c. Whatever is wrong is
 * told with what was probably meant.
 */
#include "cli/line/parse.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/line/combinations.h"
#include "cli/line/commands.h"
#include "cli/line/config.h"
#include "cli/line/help.h"
#include "cli/line/options.h"
#include "cli/line/profile.h"
#include "cli/line/refuse.h"

static const char *word_at(const struct parse *parse)
{
	return parse->argv[optind - 1];
}

/* What getopt could make nothing of. */
static int refuse_option(const struct parse *parse)
{
	const char *word = word_at(parse);
	bool is_long = !strncmp(word, "--", 2);

	if (is_long && optopt) {
		refuse(parse, "%.*s takes no value", (int)strcspn(word, "="), word);
		return hint_help(parse);
	}
	if (is_long)
		return refuse_long(parse, word + 2);
	refuse(parse, "no such option: -%c", optopt);
	return hint_help(parse);
}

static int add_word(struct parse *parse, char *word)
{
	struct opts *opts = parse->opts;
	char **grown;

	if (opts->word_cnt == parse->command->word_max)
		return refuse(parse, "unexpected argument: '%s'", word), hint_help(parse);
	grown = reallocarray(opts->words, opts->word_cnt + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	opts->words = grown;
	grown[opts->word_cnt++] = word;
	return 0;
}

static int parse_word(struct parse *parse, char *word)
{
	const struct command_info *found;

	if (parse->command->name)
		return add_word(parse, word);
	found = commands_find(word);
	if (!found)
		return refuse_command(parse, word, false);
	parse->command = found;
	return 0;
}

/* What getopt tells an option by. */
static int key_of(const struct option_info *option)
{
	return option->key ? option->key : OPTION_FIRST + (int)(option - options);
}

static int parse_option(struct parse *parse, int key, char *arg)
{
	const struct option_info *option = options;
	const char *wrong = NULL;
	int err;

	while (option->name && key_of(option) != key)
		option++;
	parse->seen[option - options] = true;
	/* --json is no abbreviation: it asks for something else. */
	if (key == OPT_SCHEMA && strcmp(word_at(parse), "--json-schema") != 0)
		return refuse_long(parse, word_at(parse) + 2);
	if (key == 'h' || key == OPT_USAGE) {
		parse->has_help = true;
		parse->is_short_help = key == OPT_USAGE;
		return 0;
	}
	err = opts__set(parse->opts, option, arg, &wrong);
	if (err != -EINVAL)
		return err;
	refuse(parse, "--%s: '%s' is not %s", option->name, arg, wrong ? wrong : "known");
	return hint_help(parse);
}

static void prepare(struct parse *parse)
{
	size_t at = 0, cnt = 0;

	parse->shorts[at++] = '-'; /* words in their place */
	parse->shorts[at++] = ':'; /* a missing value is told from an unknown option */
	for (const struct option_info *option = options; option->name; option++) {
		int takes = option->arg ? required_argument : no_argument;

		parse->longs[cnt++] = (struct option){ option->name, takes, NULL, key_of(option) };
		if (!option_is_short(option))
			continue;
		parse->shorts[at++] = (char)option->key;
		if (option->arg)
			parse->shorts[at++] = ':';
	}
}

static int parse_all(struct parse *parse)
{
	int key, start, err = 0;

	optind = 0; /* from the beginning, also the second time */
	opterr = 0;
	while (!err) {
		start = optind ? optind : 1;
		key = getopt_long(parse->argc, parse->argv, parse->shorts, parse->longs, NULL);
		if (key == -1)
			break;
		if (key == 1)
			err = parse_word(parse, optarg);
		else if (key == '?' && optopt == '?')
			parse->has_help = true;
		else if (key == '?')
			err = refuse_option(parse);
		else if (key == ':')
			err = refuse(parse, "%s: its value is missing", word_at(parse)),
			hint_help(parse);
		else
			err = parse_option(parse, key, optarg);
	}
	parse->is_quoted = !err && start < parse->argc && !strcmp(parse->argv[start], "--");
	if (parse->is_quoted && optind < parse->argc)
		parse->opts->argv = parse->argv + optind;
	return err;
}

/* What asks for no trace at all, whatever else is said. */
static int finish(struct parse *parse)
{
	struct opts *opts = parse->opts;
	const struct command_info *of = parse->command;
	int err;

	if (of->command == COMMAND_HELP && opts->word_cnt) {
		of = commands_find(opts->words[0]);
		if (!of)
			return refuse_command(parse, opts->words[0], true);
	}
	if (parse->has_help || parse->command->command == COMMAND_HELP || parse->argc <= 1) {
		opts->command = COMMAND_HELP;
		opts->help_on = of->command == COMMAND_HELP && !opts->word_cnt ? COMMAND_TRACE :
				of->command;
		opts->help_depth = parse->argc <= 1 ? HELP_SHORT :
				   parse->is_short_help ? HELP_USAGE : HELP_FULL;
		return 0;
	}
	if (opts->command == COMMAND_VERSION || opts->command == COMMAND_SCHEMA)
		return 0;
	if (opts->completion) {
		opts->command = COMMAND_COMPLETION;
		return 0;
	}
	opts->command = of->command;
	err = opts->config ? config_apply(parse) : 0;
	if (!err)
		err = parse__check(parse);
	if (!err && (opts->command == COMMAND_TOP || opts->command == COMMAND_AGENT) &&
	    !names_target(opts))
		opts->want_all = true;
	if (!err)
		profile_settle(opts);
	return err;
}

static int parse(struct opts *opts, int argc, char **argv, bool is_quiet)
{
	struct parse parse = { .opts = opts, .argv = argv, .argc = argc, .is_quiet = is_quiet,
			       .command = commands };
	int err;

	*opts = (struct opts){ .view = "summary", .format = "text", .line = argv, .line_cnt = argc };
	prepare(&parse);
	err = parse_all(&parse);
	if (!err)
		err = finish(&parse);
	if (err)
		opts__clear(opts);
	return err;
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
	for (size_t i = 0; i < opts->scope_cnt; i++)
		free(opts->scopes[i]);
	free(opts->scopes);
	free(opts->config_text);
	opts->config_text = NULL;
	opts->tgids = NULL;
	opts->words = opts->scopes = NULL;
	opts->tgid_cnt = opts->word_cnt = opts->scope_cnt = 0;
}
