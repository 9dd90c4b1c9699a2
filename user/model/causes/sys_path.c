// SPDX-License-Identifier: BSD-2-Clause
/*
 * The directories that imports searched. importlib asks each for its time (stat) before it looks
 * for a module there, and reads its names when that has changed: so an import that looked at a
 * directory whose names were read has searched it, once. It found something if the import's own
 * file lies right there, or in the directory of a package.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/causes/sys_path.h"

struct dir_state {
	const char *path; /* interned */
	struct search_dir dir;
	bool is_read;     /* its names were, by an import */
	bool has_top;     /* a module without a dot was looked for */
	UT_hash_handle hh;
};

/* The directory @path lies in, @up levels up: its length, 0 = none. */
static size_t dir_sz(const char *path, int up)
{
	size_t sz = strlen(path);

	while (up--) {
		while (sz && path[sz - 1] != '/')
			sz--;
		if (sz)
			sz--;
	}
	return sz;
}

static struct dir_state *dir_find(struct model *model, struct dir_state *dirs, const char *path,
				  size_t sz)
{
	const char *text = sz ? arena__find(&model->arena, path, sz) : NULL;
	struct dir_state *dir = NULL;

	if (text)
		HASH_FIND(hh, dirs, &text, sizeof(text), dir);
	return dir;
}

static int dir_add(struct model *model, struct dir_state **dirs, const struct file *file)
{
	struct dir_state *dir;

	HASH_FIND(hh, *dirs, &file->path, sizeof(file->path), dir);
	if (!dir) {
		dir = arena__alloc(&model->arena, sizeof(*dir));
		if (!dir)
			return -ENOMEM;
		dir->path = dir->dir.path = file->path;
		dir->dir.first_ns = file->io.first_ns;
		HASH_ADD(hh, *dirs, path, sizeof(dir->path), dir);
	}
	dir->is_read |= file->io.dirs_read > 0;
	dir->dir.searches += file->io.stats > file->io.stat_misses;
	dir->dir.listed += file->io.dirs_read;
	dir->dir.ns += file->io.search_ns + file->io.miss_ns;
	dir->has_top |= file->load->module && !strchr(file->load->module, '.');
	if (file->io.first_ns < dir->dir.first_ns)
		dir->dir.first_ns = file->io.first_ns;
	return 0;
}

/* Files that are looked for in vain are part of what their directory costs. */
static void add_misses(struct model *model, struct dir_state *dirs, const struct file *file)
{
	struct dir_state *dir = dir_find(model, dirs, file->path, dir_sz(file->path, 1));

	if (dir)
		dir->dir.ns += file->io.miss_ns;
}

static void add_found(struct model *model, struct dir_state *dirs, const struct load *load)
{
	const char *base = strrchr(load->file, '/');
	bool is_init = base && !strncmp(base, "/__init__.", 10);
	struct dir_state *dir = dir_find(model, dirs, load->file,
					 dir_sz(load->file, is_init ? 2 : 1));

	if (dir)
		dir->dir.found++;
}

static int cmp_first(const void *a, const void *b)
{
	const struct search_dir *x = *(struct search_dir *const *)a;
	const struct search_dir *y = *(struct search_dir *const *)b;

	return x->first_ns < y->first_ns ? -1 : x->first_ns > y->first_ns;
}

static int collect(struct process_files *files, struct dir_state *dirs)
{
	struct dir_state *dir, *next;
	size_t cap = HASH_COUNT(dirs);

	files->dirs = calloc(cap ? cap : 1, sizeof(struct search_dir *));
	if (!files->dirs)
		return -ENOMEM;
	HASH_ITER(hh, dirs, dir, next) {
		if (!dir->is_read || !dir->dir.searches)
			continue;
		dir->dir.is_package = !dir->has_top;
		files->dirs[files->dir_cnt++] = &dir->dir;
	}
	qsort(files->dirs, files->dir_cnt, sizeof(struct search_dir *), cmp_first);
	return 0;
}

int dirs_finish(struct model *model, struct process *process)
{
	struct process_files *files = &process->files;
	struct dir_state *dirs = NULL;
	int err = 0;

	for (size_t i = 0; i < files->cnt && !err; i++) {
		const struct file *file = files->files[i];

		if (file->is_searched && file->path && (file->io.stats || file->io.dirs_read))
			err = dir_add(model, &dirs, file);
	}
	for (size_t i = 0; i < files->cnt && !err; i++)
		if (files->files[i]->is_searched && files->files[i]->path)
			add_misses(model, dirs, files->files[i]);
	for (size_t i = 0; i < process->load_cnt && !err; i++)
		if (process->loads[i]->file && process->loads[i]->result == LOAD_LOADED)
			add_found(model, dirs, process->loads[i]);
	if (!err)
		err = collect(files, dirs);
	HASH_CLEAR(hh, dirs);
	return err;
}
