// SPDX-License-Identifier: BSD-2-Clause
/* See labels.h. */
#include "agent/labels.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/model.h"

#define ID_SHOWN 12 /* of a container without a name */

void label_set(char label[LABEL_SZ], const char *text)
{
	struct text_buf buf = {};
	const char *safe;
	size_t sz;

	text_buf__escape(&buf, text, 0);
	safe = text_buf__str(&buf);
	sz = strlen(safe);
	if (sz >= LABEL_SZ) {
		sz = LABEL_SZ - 1;
		while (sz && ((unsigned char)safe[sz] & 0xc0) == 0x80) /* not in a character */
			sz--;
	}
	memset(label, 0, LABEL_SZ);
	memcpy(label, safe, sz);
	text_buf__free(&buf);
}

static const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path ? path : "";
}

static bool is_python(const char *path)
{
	const char *name = base_name(path);

	return !strncmp(name, "python", 6) || !strncmp(name, "pypy", 4);
}

static void add_script(const struct process *process, const char *script, struct text_buf *buf)
{
	if (script[0] != '/' && process->cwd) {
		text_buf__add(buf, process->cwd);
		text_buf__add(buf, "/");
		while (!strncmp(script, "./", 2))
			script += 2;
	}
	text_buf__add(buf, script);
}

/*
 * One word of options in front of the program, e.g. -uc. True: it names the program. *index moves
 * over a value that is a word of its own.
 */
static bool take_options(const struct process *process, size_t *index, struct text_buf *buf)
{
	const char *at = process->argv[*index] + 1;
	const char *next = *index + 1 < process->argc ? process->argv[*index + 1] : NULL;

	if (*at == '-') {
		*index += !strcmp(at, "-check-hash-based-pycs");
		return false;
	}
	for (; *at; at++) {
		if (*at == 'c') {
			text_buf__add(buf, "-c");
			return true;
		}
		if (*at == 'm') {
			text_buf__add(buf, "-m ");
			text_buf__add(buf, at[1] ? at + 1 : next ? next : "");
			return true;
		}
		if (*at == 'W' || *at == 'X') {
			*index += !at[1];
			return false;
		}
	}
	return false;
}

static void add_entry(const struct process *process, struct text_buf *buf)
{
	char comm[sizeof(process->comm) + 1] = "";

	memcpy(comm, process->comm, sizeof(process->comm));
	if (!process->argc || !process->argv || !process->argv[0] ||
	    (!is_python(process->argv[0]) && !is_python(process->exe))) {
		text_buf__add(buf, process->exe && !is_python(process->exe) ?
			      base_name(process->exe) : *comm ? comm : "python");
		return;
	}
	for (size_t i = 1; i < process->argc && process->argv[i]; i++) {
		if (process->argv[i][0] != '-') {
			add_script(process, process->argv[i], buf);
			return;
		}
		if (!process->argv[i][1])
			break;
		if (take_options(process, &i, buf))
			return;
	}
	text_buf__add(buf, "-");
}

void labels_of(const struct process *process, struct labels *labels)
{
	const struct container_info *container = &process->container;
	char id[ID_SHOWN + 1] = "";
	struct text_buf buf = {};

	add_entry(process, &buf);
	label_set(labels->entry, text_buf__str(&buf));
	text_buf__free(&buf);
	if (container->id)
		snprintf(id, sizeof(id), "%s", container->id);
	label_set(labels->container, container->name ? container->name : id);
	label_set(labels->unit, container->id ? NULL : process->unit);
}
