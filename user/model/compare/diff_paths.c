// SPDX-License-Identifier: BSD-2-Clause
/* Shared objects and files that only one of two processes opened. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/compare/diff.h"

static int cmp_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts, and drops what is there twice. */
static size_t unique(const char **paths, size_t cnt)
{
	size_t kept = 0;

	qsort(paths, cnt, sizeof(*paths), cmp_paths);
	for (size_t i = 0; i < cnt; i++)
		if (!kept || strcmp(paths[kept - 1], paths[i]))
			paths[kept++] = paths[i];
	return kept;
}

/* What is in one of two sorted lists only. */
static int compare(const char *const *before, size_t before_cnt, const char *const *after,
		   size_t after_cnt, struct diff_path **out, size_t *cnt)
{
	struct diff_path *paths = calloc(before_cnt + after_cnt + 1, sizeof(*paths));
	size_t i = 0, j = 0;

	*out = paths;
	if (!paths)
		return -ENOMEM;
	while (i < before_cnt || j < after_cnt) {
		int order = i == before_cnt ? 1 : j == after_cnt ? -1 : strcmp(before[i], after[j]);

		if (order)
			paths[(*cnt)++] = (struct diff_path){
				order < 0 ? before[i] : after[j],
				order < 0 ? DIFF_GONE : DIFF_NEW };
		i += order <= 0;
		j += order >= 0;
	}
	return 0;
}

static size_t list_libs(const struct process *process, const char **paths)
{
	size_t cnt = 0;

	for (size_t i = 0; i < process->lib_cnt; i++)
		if (process->libs[i]->path && !process->libs[i]->failed)
			paths[cnt++] = process->libs[i]->path;
	return unique(paths, cnt);
}

/* Files that were there: misses say more of sys.path than of the program. */
static size_t list_files(const struct process *process, const char **paths)
{
	size_t cnt = 0;

	for (size_t i = 0; i < process->files.cnt; i++) {
		const struct file *file = process->files.files[i];

		if (file->path && file->what == FILE_PATH && file->io.opens > file->io.open_misses)
			paths[cnt++] = file->path;
	}
	return unique(paths, cnt);
}

static int diff_lists(const struct diff_pair *pair, size_t before_max, size_t after_max,
		      size_t (*list)(const struct process *process, const char **paths),
		      struct diff_path **out, size_t *cnt)
{
	_cleanup_free_ const char **before = calloc(before_max + 1, sizeof(*before));
	_cleanup_free_ const char **after = calloc(after_max + 1, sizeof(*after));
	size_t before_cnt, after_cnt;

	if (!before || !after)
		return -ENOMEM;
	before_cnt = list(pair->before, before);
	after_cnt = list(pair->after, after);
	return compare(before, before_cnt, after, after_cnt, out, cnt);
}

int diff_paths(struct diff_pair *pair)
{
	int err = diff_lists(pair, pair->before->lib_cnt, pair->after->lib_cnt, list_libs,
			     &pair->libs, &pair->lib_cnt);

	/* What was not measured on one side is no difference. */
	if (err || !(pair->before->measured & pair->after->measured & PYI_GROUP_FILES))
		return err;
	return diff_lists(pair, pair->before->files.cnt, pair->after->files.cnt, list_files,
			  &pair->files, &pair->file_cnt);
}
