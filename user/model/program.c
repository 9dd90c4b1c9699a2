// SPDX-License-Identifier: BSD-2-Clause
/* See program.h. */
#include "model/program.h"

#include <string.h>

#include "model/model.h"

const char *path_base(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash && slash[1] ? slash + 1 : path ? path : "";
}

bool path_is_python(const char *path)
{
	const char *name = path_base(path);

	return !strncmp(name, "python", 6) || !strncmp(name, "pypy", 4);
}

/* What could not be read is empty. */
static const char *word_at(const struct process *process, size_t index)
{
	return index < process->argc && process->argv[index] ? process->argv[index] : "";
}

/*
 * One word of short options, e.g. -uc: those behind one with a value are the value. True: it names
 * the program. @next moves over a value that is a word of its own.
 */
static bool take_options(const struct process *process, const char *word, size_t *next,
			 struct program *out)
{
	const char *value;

	for (; *word; word++) {
		if (!strchr("cmWX", *word))
			continue;
		value = word[1] ? word + 1 : word_at(process, (*next)++);
		if (*word == 'c')
			*out = (struct program){ .kind = PROGRAM_CODE };
		else if (*word == 'm')
			*out = (struct program){ .kind = PROGRAM_MODULE, .name = value };
		return *word == 'c' || *word == 'm';
	}
	return false;
}

/* "gunicorn: master [shop:app]" is one word, and a file's name with a blank has a path here. */
static bool has_title(const struct process *process)
{
	const char *word = word_at(process, 0);

	return process->argc == 1 && *word != '/' && strchr(word, ' ');
}

struct program process_program(const struct process *process)
{
	struct program program = { .kind = PROGRAM_OTHER };
	size_t next = 1;

	if (process->argv && has_title(process))
		return (struct program){ .kind = PROGRAM_TITLE, .name = process->argv[0] };
	if (!process->argc || !process->argv || !path_is_python(process->argv[0]))
		return program;
	while (next < process->argc) {
		const char *word = word_at(process, next++);

		if (word[0] == '-' && word[1] == '-' && word[2]) {
			next += !strcmp(word, "--check-hash-based-pycs");
			continue;
		}
		if (!strcmp(word, "--"))
			word = next < process->argc ? word_at(process, next) : "-";
		else if (word[0] == '-' && word[1]) {
			if (take_options(process, word + 1, &next, &program))
				return program;
			continue;
		}
		if (!strcmp(word, "-"))
			break;
		return (struct program){ .kind = PROGRAM_SCRIPT, .name = word };
	}
	return (struct program){ .kind = PROGRAM_STDIN };
}
