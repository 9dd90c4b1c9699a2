// SPDX-License-Identifier: BSD-2-Clause
/* Completion scripts for shells, made from the option table so that they never lag behind it. */
#include <argp.h>
#include <errno.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/opts.h"
#include "report/report.h"

static bool is_shown(const struct argp_option *option)
{
	return option->name && !(option->flags & OPTION_HIDDEN);
}

static bool is_end(const struct argp_option *option)
{
	return !option->name && !option->doc && !option->key && !option->group;
}

static bool is_short(const struct argp_option *option)
{
	return option->key > ' ' && option->key < 0x7f;
}

static void print_list(const char *const *list, FILE *out)
{
	for (; *list; list++)
		fprintf(out, "%s%s", *list, list[1] ? " " : "");
}

/* Values an option's argument can have; NULL where there is no list of them. */
static const char *const *values_of(const struct argp_option *option)
{
	if (!strcmp(option->name, "view"))
		return report_views;
	if (!strcmp(option->name, "format"))
		return report_formats;
	if (!strcmp(option->name, "by"))
		return report_measures;
	return NULL;
}

static bool takes_file(const struct argp_option *option)
{
	return option->arg && !strcmp(option->arg, "FILE");
}

static bool takes_pid(const struct argp_option *option)
{
	return option->arg && !strncmp(option->arg, "PID", 3);
}

static void print_bash_case(const struct argp_option *option, FILE *out)
{
	const char *const *values = values_of(option);

	if (!option->arg)
		return;
	if (is_short(option))
		fprintf(out, "\t-%c|", option->key);
	else
		fputc('\t', out);
	fprintf(out, "--%s) ", option->name);
	if (values) {
		fputs("COMPREPLY=($(compgen -W '", out);
		print_list(values, out);
		fputs("' -- \"$cur\")); return ;;\n", out);
	} else if (takes_file(option)) {
		fputs("COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n", out);
	} else if (takes_pid(option)) {
		fputs("COMPREPLY=($(compgen -W \"$(ps -eo pid=)\" -- \"$cur\")); return ;;\n", out);
	} else {
		fputs("return ;;\n", out);
	}
}

/* Behind a -- the command's own completion takes over. */
static void print_bash(const struct argp_option *options, FILE *out)
{
	fputs("_pyimport_bpf() {\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} i\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tif [[ ${COMP_WORDS[i]} == -- ]]; then\n"
	      "\t\t\tif declare -F _command_offset >/dev/null; then _command_offset $((i + 1))\n"
	      "\t\t\telse COMPREPLY=($(compgen -c -f -- \"$cur\")); fi\n"
	      "\t\t\treturn\n"
	      "\t\tfi\n"
	      "\tdone\n"
	      "\tcase $prev in\n", out);
	for (const struct argp_option *option = options; !is_end(option); option++) {
		if (is_shown(option))
			print_bash_case(option, out);
	}
	fputs("\tesac\n\tCOMPREPLY=($(compgen -W '", out);
	for (const struct argp_option *option = options; !is_end(option); option++) {
		if (is_shown(option) && is_short(option))
			fprintf(out, "-%c ", option->key);
		if (is_shown(option))
			fprintf(out, "--%s ", option->name);
	}
	for (const struct command_info *info = commands; info->run; info++)
		fprintf(out, "%s%s", info->name ? info->name : "", info->name ? " " : "");
	fputs("--help --usage --' -- \"$cur\") $(compgen -f -- \"$cur\"))\n}\n"
	      "complete -F _pyimport_bpf pyimport-bpf\n", out);
}

/* Inside single quotes and brackets of _arguments. */
static void print_zsh_doc(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (strchr("[]:\\", *text))
			fputc('\\', out);
		if (*text == '\'')
			fputs("'\\''", out);
		else
			fputc(*text, out);
	}
}

static void print_zsh_option(const struct argp_option *option, FILE *out)
{
	const char *const *values = values_of(option);

	if (is_short(option))
		fprintf(out, "\t'(-%c --%s)'{-%c%s,--%s%s}'[", option->key, option->name,
			option->key, option->arg ? "+" : "", option->name, option->arg ? "=" : "");
	else
		fprintf(out, "\t'--%s%s[", option->name, option->arg ? "=" : "");
	print_zsh_doc(option->doc, out);
	fputc(']', out);
	if (option->arg) {
		fprintf(out, ":%s:", values ? option->name : "value");
		if (values) {
			fputc('(', out);
			print_list(values, out);
			fputc(')', out);
		} else if (takes_file(option)) {
			fputs("_files", out);
		} else if (takes_pid(option)) {
			fputs("_pids", out);
		}
	}
	fputs("' \\\n", out);
}

static void print_zsh(const struct argp_option *options, FILE *out)
{
	fputs("#compdef pyimport-bpf\n_arguments -S \\\n", out);
	for (const struct argp_option *option = options; !is_end(option); option++) {
		if (is_shown(option))
			print_zsh_option(option, out);
	}
	fputs("\t'--help[print help]' \\\n\t'1: :(", out);
	for (const struct command_info *info = commands; info->run; info++)
		fprintf(out, "%s%s", info->name ? info->name : "", info->name ? " " : "");
	fputs(")' \\\n\t'*:: :_normal'\n", out);
}

static void print_fish_doc(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void print_fish(const struct argp_option *options, FILE *out)
{
	for (const struct command_info *info = commands; info->run; info++) {
		if (info->name)
			fprintf(out, "complete -c pyimport-bpf -f -n '__fish_is_first_arg' -a %s -d '%s'\n",
				info->name, info->doc);
	}
	fputs("complete -c pyimport-bpf -n 'contains -- -- (commandline -opc)' -xa '(__fish_complete_subcommand)'\n",
	      out);
	for (const struct argp_option *option = options; !is_end(option); option++) {
		const char *const *values;

		if (!is_shown(option))
			continue;
		values = values_of(option);
		fprintf(out, "complete -c pyimport-bpf -l %s", option->name);
		if (is_short(option))
			fprintf(out, " -s %c", option->key);
		if (option->arg)
			fputs(takes_file(option) ? " -r -F" : " -x", out);
		if (values) {
			fputs(" -a '", out);
			print_list(values, out);
			fputc('\'', out);
		} else if (takes_pid(option)) {
			fputs(" -a '(__fish_complete_pids)'", out);
		}
		fputs(" -d '", out);
		print_fish_doc(option->doc, out);
		fputs("'\n", out);
	}
}

int opts_print_completion(const struct argp_option *options, const char *shell, FILE *out)
{
	if (!strcmp(shell, "bash"))
		print_bash(options, out);
	else if (!strcmp(shell, "zsh"))
		print_zsh(options, out);
	else if (!strcmp(shell, "fish"))
		print_fish(options, out);
	else
		return -EINVAL;
	return 0;
}
