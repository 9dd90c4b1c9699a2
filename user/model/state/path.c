// SPDX-License-Identifier: BSD-2-Clause
/*
 * Texts behind the kernel's keys of paths, and what they are in one process: absolute, where the
 * directory that a relative one starts from is known.
 */
#include <errno.h>
#include <string.h>

#include "event/event.h"
#include "model/state/path.h"
#include "model/state/text.h"

/* Components come leaf first, each with its NUL; they go out the other way round. */
static void turn_around(const char *text, size_t sz, char *out)
{
	size_t end = sz, at;

	*out = 0;
	while (end) {
		at = end - 1; /* the NUL, or the last byte of one that was cut */
		while (at && text[at - 1])
			at--;
		*out++ = '/';
		for (size_t i = at; i < end && text[i]; i++)
			*out++ = text[i];
		end = at;
	}
	*out = 0;
}

int path_add(struct model *model, const struct pyi_path *rec)
{
	const char *text = (const char *)(rec + 1);
	char turned[PYI_PATH_SZ + 8];
	struct pyi_str str = { .sz = rec->sz };
	struct path_state *path;

	if (keymap__find(&model->paths, rec->key))
		return 0;
	path = arena__alloc(&model->arena, sizeof(*path));
	if (!path)
		return -ENOMEM;
	path->kind = rec->kind;
	if (rec->kind == PYI_PATH_REVERSED) {
		turn_around(text, rec->sz, turned);
		str.sz = strlen(turned);
		text = turned;
	}
	if (model_text(model, &str, text, &path->text))
		return -ENOMEM;
	return keymap__set(&model->paths, rec->key, path);
}

/* Without "./" at its head and slashes that mean nothing; ".." stays: it may follow a link. */
static size_t tidy(char *path)
{
	char *out = path;

	for (const char *in = path; *in;) {
		if (in[0] == '/' && in[1] == '/')
			in++;
		else if (in[0] == '/' && in[1] == '.' && (in[2] == '/' || !in[2]))
			in += 2;
		else
			*out++ = *in++;
	}
	if (out > path + 1 && out[-1] == '/')
		out--;
	if (out == path)
		*out++ = '/';
	*out = 0;
	return out - path;
}

int path_text(struct model *model, const struct process *process, __u64 key, const char **out)
{
	char full[3 * PYI_PATH_SZ * 2 + 8];
	const struct keymap *paths = model->whole ? &model->whole->paths : &model->paths;
	const struct path_state *path = keymap__find(paths, key);
	size_t cwd_sz = process->cwd ? strlen(process->cwd) : 0, sz;
	bool is_relative;

	*out = NULL;
	if (!path || !path->text)
		return 0;
	*out = path->text;
	sz = strlen(path->text);
	is_relative = path->text[0] != '/' && path->kind == PYI_PATH_GIVEN && cwd_sz;
	if (path->kind == PYI_PATH_BELOW || sz + cwd_sz + 2 > sizeof(full))
		return 0;
	if (is_relative) {
		memcpy(full, process->cwd, cwd_sz);
		full[cwd_sz++] = '/';
	} else {
		cwd_sz = 0;
	}
	memcpy(full + cwd_sz, path->text, sz + 1);
	sz = full[0] == '/' ? tidy(full) : sz;
	*out = arena__intern(&model->arena, full, sz);
	return *out ? 0 : -ENOMEM;
}
