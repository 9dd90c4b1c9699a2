// SPDX-License-Identifier: BSD-2-Clause
/* Large files: which could be the same, and which were found to be. */
#include <errno.h>
#include <stdlib.h>

#include "model/causes/same_content.h"
#include "model/state/path.h"
#include "model/state/process_table.h"
#include "model/state/tap.h"
#include "model/state/text.h"

static bool is_wanted(const struct raw_file *raw)
{
	const struct pyi_file_value *value = &raw->file.io;

	return value->ino && value->size >= SAME_MIN_SZ && !(value->flags & PYI_FILE_DIR) &&
	       (value->bytes_read >= SAME_MIN_SZ || value->mapped >= SAME_MIN_SZ);
}

/* By size; names of one file side by side. */
static int cmp_large(const void *a, const void *b)
{
	const struct large_file *x = a, *y = b;

	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static int find_large(struct model *model, struct process_state *state, struct large_file **out,
		      size_t *cnt)
{
	const struct process_files *files = &state->process.files;
	struct large_file *large = calloc(files->cnt + 1, sizeof(*large));
	size_t found = 0, kept = 0;
	int err = large ? 0 : -ENOMEM;

	for (size_t i = 0; i < files->cnt && !err; i++) {
		const struct raw_file *raw = (const struct raw_file *)files->files[i];
		const struct pyi_file_value *io = &raw->file.io;
		struct large_file file = { NULL, io->size, io->ino, io->dev };

		if (!is_wanted(raw))
			continue;
		err = path_text(model, &state->process, raw->path, &file.path);
		if (!err && file.path && file.path[0] == '/')
			large[found++] = file;
	}
	if (found)
		qsort(large, found, sizeof(*large), cmp_large);
	for (size_t i = 0; i < found; i++)
		if (!kept || cmp_large(&large[kept - 1], &large[i]))
			large[kept++] = large[i];
	*out = large;
	*cnt = kept;
	return err;
}

int model__each_large(struct model *model, model_large_files_fn fn, void *ctx)
{
	int err = 0;

	for (size_t i = 0; i < model->process_cnt && !err; i++) {
		struct process_state *state = (struct process_state *)model->processes[i];
		struct large_file *large;
		size_t cnt;

		err = find_large(model, state, &large, &cnt);
		if (!err && cnt)
			err = fn(ctx, &state->process, large, cnt);
		free(large);
	}
	return err;
}

static bool has_path(const struct same_files *same, const char *path)
{
	for (size_t i = 0; i < same->cnt; i++)
		if (same->paths[i] == path)
			return true;
	return false;
}

static struct same_files *group_of(struct model *model, struct process *process,
				   const char *path, __u64 size)
{
	struct same_files *same;

	for (size_t i = 0; i < process->same_cnt; i++)
		if (has_path(process->same[i], path))
			return process->same[i];
	same = arena__alloc(&model->arena, sizeof(*same));
	if (!same || array_push(&process->same, &process->same_cnt, &process->same_cap, same))
		return NULL;
	same->size = same->compared = size;
	return array_push(&same->paths, &same->cnt, &same->cap, (void *)path) ? NULL : same;
}

static int add_elsewhere(struct model *model, struct same_files *same, const char *path,
			 const struct process *process)
{
	struct same_elsewhere *other;

	for (size_t i = 0; i < same->elsewhere_cnt; i++)
		if (same->elsewhere[i]->path == path && same->elsewhere[i]->process == process)
			return 0;
	other = arena__alloc(&model->arena, sizeof(*other));
	if (!other)
		return -ENOMEM;
	*other = (struct same_elsewhere){ path, process };
	return array_push(&same->elsewhere, &same->elsewhere_cnt, &same->elsewhere_cap, other);
}

int model__add_same(struct model *model, __u32 serial, const struct same_info *info)
{
	const struct process_state *reader = info->other_serial ?
					     process_find(model, info->other_serial) : NULL;
	struct process_state *state = process_find(model, serial);
	const char *path, *other;
	struct same_files *same;

	tap_fact(model, FACT_SAME, serial, info);
	if (!state || !info->path || !info->other || (info->other_serial && !reader))
		return 0;
	path = model_keep(model, info->path);
	other = model_keep(model, info->other);
	same = path && other ? group_of(model, &state->process, path, info->size) : NULL;
	if (!same)
		return -ENOMEM;
	if (info->compared < same->compared)
		same->compared = info->compared;
	if (reader)
		return add_elsewhere(model, same, other, &reader->process);
	return array_push(&same->paths, &same->cnt, &same->cap, (void *)other);
}

void same_free(struct process *process)
{
	for (size_t i = 0; i < process->same_cnt; i++) {
		free(process->same[i]->paths);
		free(process->same[i]->elsewhere);
	}
	free(process->same);
}
