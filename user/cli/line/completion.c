// SPDX-License-Identifier: BSD-2-Clause
/* Completion scripts for shells, made from the tables of commands and options. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/line/commands.h"
#include "cli/line/options.h"
#include "cli/opts.h"

static void print_list(const char *const *list, FILE *out)
{
	for (; *list; list++)
		fprintf(out, "%s%s", *list, list[1] ? " " : "");
}

static bool takes_file(const struct option_info *option)
{
	return option->arg && !strcmp(option->arg, "FILE");
}

static bool takes_pid(const struct option_info *option)
{
	return option->arg && !strncmp(option->arg, "PID", 3);
}

static void print_names(const char *separator, FILE *out)
{
	const char *before = "";

	for (const struct command_info *info = commands; info->doc; info++) {
		if (!info->name)
			continue;
		fprintf(out, "%s%s", before, info->name);
		before = separator;
	}
}

static void print_bash_value(const struct option_info *option, enum command command, FILE *out)
{
	const char *const *values = option_values(option, command);

	if (!option->arg)
		return;
	fputs("\t\t", out);
	if (option_is_short(option))
		fprintf(out, "-%c|", option->key);
	fprintf(out, "--%s) ", option->name);
	if (values) {
		fputs("COMPREPLY=($(compgen -W '", out);
		print_list(values, out);
		fputs("' -- \"$cur\"))", out);
	} else if (takes_file(option)) {
		fputs("COMPREPLY=($(compgen -f -- \"$cur\"))", out);
	} else if (takes_pid(option)) {
		fputs("COMPREPLY=($(compgen -W \"$(ps -eo pid=)\" -- \"$cur\"))", out);
	} else {
		fputs(":", out);
	}
	fputs("; return ;;\n", out);
}

/* The options of one command, or of a trace: their values, then their names. */
static void print_bash_command(const struct command_info *info, FILE *out)
{
	fprintf(out, "\t%s)\n\t\tcase $prev in\n", info->name ? info->name : "''");
	for (const struct option_info *option = options; option->name; option++)
		if (!option_is_hidden(option) && option_is_for(option, info->command))
			print_bash_value(option, info->command, out);
	fputs("\t\tesac\n\t\twords='", out);
	for (const struct option_info *option = options; option->name; option++) {
		if (option_is_hidden(option) || !option_is_for(option, info->command))
			continue;
		if (option_is_short(option))
			fprintf(out, "-%c ", option->key);
		fprintf(out, "--%s ", option->name);
	}
	if (!info->name || info->command == COMMAND_HELP)
		print_names(" ", out);
	fprintf(out, "%s' ;;\n", info->takes_command ? " --" : "");
}

/* Behind a -- the command's own completion takes over. */
static void print_bash(FILE *out)
{
	fputs("_pyimport_bpf() {\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} i word command= words\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tword=${COMP_WORDS[i]}\n"
	      "\t\tif [[ $word == -- ]]; then\n"
	      "\t\t\tif declare -F _command_offset >/dev/null; then _command_offset $((i + 1))\n"
	      "\t\t\telse COMPREPLY=($(compgen -c -f -- \"$cur\")); fi\n"
	      "\t\t\treturn\n"
	      "\t\tfi\n"
	      "\t\tcase $word in ", out);
	print_names("|", out);
	fputs(") command=${command:-$word} ;; esac\n"
	      "\tdone\n"
	      "\tcase $command in\n", out);
	for (const struct command_info *info = commands; info->doc; info++)
		print_bash_command(info, out);
	fputs("\tesac\n"
	      "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	      "\t[[ $cur == -* || -z $command ]] || COMPREPLY+=($(compgen -f -- \"$cur\"))\n"
	      "}\n"
	      "complete -o filenames -F _pyimport_bpf pyimport-bpf\n", out);
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

static void print_zsh_option(const struct option_info *option, enum command command, FILE *out)
{
	const char *const *values = option_values(option, command);

	if (option_is_short(option))
		fprintf(out, "\t\t'(-%c --%s)'{-%c%s,--%s%s}'[", option->key, option->name,
			option->key, option->arg ? "+" : "", option->name, option->arg ? "=" : "");
	else
		fprintf(out, "\t\t'--%s%s[", option->name, option->arg ? "=" : "");
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

static void print_zsh(FILE *out)
{
	fputs("#compdef pyimport-bpf\n"
	      "local -a names=(", out);
	print_names(" ", out);
	fputs(")\nlocal command= word\n"
	      "for word in ${words[2,CURRENT-1]}; do\n"
	      "\t[[ $word == -- ]] && break\n"
	      "\t(( ${names[(Ie)$word]} )) && { command=$word; break }\n"
	      "done\ncase $command in\n", out);
	for (const struct command_info *info = commands; info->doc; info++) {
		fprintf(out, "%s)\n\t_arguments -S \\\n", info->name ? info->name : "''");
		for (const struct option_info *option = options; option->name; option++)
			if (!option_is_hidden(option) && option_is_for(option, info->command))
				print_zsh_option(option, info->command, out);
		fputs("\t\t'1: :(", out);
		print_names(" ", out);
		fputs(")' \\\n\t\t", out);
		fputs(info->takes_command && !info->word_max ? "'*:: :_normal' ;;\n" :
							       "'*: :_files' ;;\n", out);
	}
	fputs("esac\n", out);
}

static void print_fish_doc(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void print_fish_option(const struct option_info *option, const struct command_info *info,
			      FILE *out)
{
	const char *const *values = option_values(option, info->command);

	fputs("complete -c pyimport-bpf -n '", out);
	if (info->name)
		fprintf(out, "__fish_seen_subcommand_from %s", info->name);
	else
		fputs("not __fish_seen_subcommand_from $pyimport_bpf_commands", out);
	fprintf(out, "' -l %s", option->name);
	if (option_is_short(option))
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

static void print_fish(FILE *out)
{
	fputs("set -g pyimport_bpf_commands ", out);
	print_names(" ", out);
	fputc('\n', out);
	for (const struct command_info *info = commands; info->doc; info++) {
		if (!info->name)
			continue;
		fprintf(out, "complete -c pyimport-bpf -f -n '__fish_is_first_arg' -a %s -d '", info->name);
		print_fish_doc(info->doc, out);
		fputs("'\n", out);
	}
	fputs("complete -c pyimport-bpf -n 'contains -- -- (commandline -opc)' -xa '(__fish_complete_subcommand)'\n",
	      out);
	for (const struct command_info *info = commands; info->doc; info++)
		for (const struct option_info *option = options; option->name; option++)
			if (!option_is_hidden(option) && option_is_for(option, info->command))
				print_fish_option(option, info, out);
}

int opts_print_completion(const char *shell, FILE *out)
{
	if (!strcmp(shell, "bash"))
		print_bash(out);
	else if (!strcmp(shell, "zsh"))
		print_zsh(out);
	else if (!strcmp(shell, "fish"))
		print_fish(out);
	else
		return -EINVAL;
	return 0;
}

int completion_run(const struct opts *opts)
{
	if (opts_print_completion(opts->completion, stdout)) {
		log_err(0, "no completion for this shell: '%s'", opts->completion);
		log_hint("bash, zsh or fish");
		return EXIT_USAGE;
	}
	return fflush(stdout) ? EXIT_OURS : EXIT_OK;
}
