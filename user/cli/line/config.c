// SPDX-License-Identifier: BSD-2-Clause
/* See config.h. Its text stays in struct opts, whose fields point into it. */
#include "cli/line/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/line/options.h"
#include "cli/line/parse.h"
#include "cli/line/refuse.h"

#define CONFIG_MAX 65536
#define BLANKS " \t\r"

static int read_text(const struct parse *parse)
{
	struct opts *opts = parse->opts;
	_cleanup_fclose_ FILE *in = fopen(opts->config, "re");
	size_t sz;

	if (!in)
		return refuse(parse, "--config: cannot open %s: %s", opts->config, strerror(errno));
	opts->config_text = calloc(1, CONFIG_MAX + 1);
	if (!opts->config_text)
		return -ENOMEM;
	sz = fread(opts->config_text, 1, CONFIG_MAX + 1, in);
	if (ferror(in) || sz > CONFIG_MAX || memchr(opts->config_text, '\0', sz))
		return refuse(parse, "--config: %s is not a text of at most %d bytes", opts->config,
			      CONFIG_MAX);
	return 0;
}

/* What is about the command line itself makes no sense in a file. */
static const struct option_info *find(const struct parse *parse, const char *name)
{
	const struct option_info *option = option_find(name);

	return option && option_is_for(option, parse->command->command) &&
	       option->group != GROUP_TOOL && strcmp(name, "config") ? option : NULL;
}

/* @line without its end and what surrounds it. @is_said: by the command line, by option. */
static int apply_line(struct parse *parse, const bool *is_said, char *line, int number)
{
	const char *path = parse->opts->config, *wrong = NULL;
	const struct option_info *option;
	char *value = line + strcspn(line, BLANKS);
	int err;

	if (*value) {
		*value++ = '\0';
		value += strspn(value, BLANKS);
	}
	option = find(parse, line);
	if (!option)
		return refuse(parse, "%s:%d: no such option: '%s'", path, number, line);
	if (option->arg ? !*value : *value)
		return refuse(parse, "%s:%d: %s takes %s value", path, number, line,
			      option->arg ? "a" : "no");
	if (is_said[option - options])
		return 0;
	parse->seen[option - options] = true;
	err = opts__set(parse->opts, option, value, &wrong);
	if (err == -EINVAL)
		return refuse(parse, "%s:%d: %s: '%s' is not %s", path, number, line, value,
			      wrong ? wrong : "known");
	return err;
}

int config_apply(struct parse *parse)
{
	bool is_said[OPTIONS_MAX];
	char *line, *next;
	int err = read_text(parse), number = 0;

	memcpy(is_said, parse->seen, sizeof(is_said));
	for (next = parse->opts->config_text; !err && next;) {
		size_t sz;

		line = strsep(&next, "\n");
		line += strspn(line, BLANKS);
		for (sz = strlen(line); sz && strchr(BLANKS, line[sz - 1]); sz--)
			line[sz - 1] = '\0';
		number++;
		if (*line && *line != '#')
			err = apply_line(parse, is_said, line, number);
	}
	return err;
}
