// SPDX-License-Identifier: BSD-2-Clause
/* See ended_files.h. */
#include "trace/facts/ended_files.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/keymap.h"
#include "base/log.h"

#define PATHS_MAX (1u << 16)  /* distinct ones; a target may make up as many as it likes */
#define SETS_MAX (1u << 14)
#define USES_MAX (1u << 20)

struct mapped {
	__u32 tgid;  /* of the first process that mapped it */
	const char *path;
};

/* Large files that a process used, and many a process the same ones. */
struct set {
	size_t cnt;
	bool has_equal_sizes;    /* two are of one size: each process that used them is told of */
	size_t use;        /* the last of its uses */
	struct large_file files[];
};

struct use {
	__u32 serial, tgid;
	const char *container;
	const struct set *set;
};

struct ended_files {
	struct arena arena;
	struct mapped **mapped;
	size_t mapped_cnt, mapped_cap;
	struct keymap by_path;    /* struct mapped by address of its text */
	struct keymap sets;       /* by hash */
	size_t set_cnt;
	struct use *uses;
	size_t use_cnt, use_cap;
};

int ended_files__new(struct ended_files **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void ended_files__free(struct ended_files *ended)
{
	if (!ended)
		return;
	free(ended->mapped);
	keymap__free(&ended->by_path);
	keymap__free(&ended->sets);
	free(ended->uses);
	arena__free(&ended->arena);
	free(ended);
}

static const char *keep(struct ended_files *ended, const char *path)
{
	return arena__intern(&ended->arena, path, strlen(path));
}

static int on_mapped(void *ctx, const struct process *process, const char *path)
{
	struct ended_files *ended = ctx;
	struct mapped *mapped;

	if (ended->mapped_cnt == PATHS_MAX)
		return 0;
	path = keep(ended, path);
	if (!path)
		return -ENOMEM;
	if (keymap__find(&ended->by_path, (__u64)(uintptr_t)path))
		return 0;
	mapped = arena__alloc(&ended->arena, sizeof(*mapped));
	if (!mapped)
		return -ENOMEM;
	*mapped = (struct mapped){ process->tgid, path };
	return keymap__set(&ended->by_path, (__u64)(uintptr_t)path, mapped) ?:
	       array_push(&ended->mapped, &ended->mapped_cnt, &ended->mapped_cap, mapped);
}

static __u64 hash_of(const struct large_file *files, size_t cnt)
{
	__u64 hash = cnt;

	for (size_t i = 0; i < cnt; i++) {
		hash = (hash ^ files[i].ino) * 0x9e3779b97f4a7c15u;
		hash = (hash ^ hash >> 29 ^ files[i].dev) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 32;
	}
	return hash | 1;
}

static struct set *set_of(struct ended_files *ended, const struct large_file *files, size_t cnt,
			  const char *container)
{
	__u64 key = hash_of(files, cnt) ^ (__u64)(uintptr_t)container;
	struct set *set = keymap__find(&ended->sets, key);

	if (set || ended->set_cnt == SETS_MAX)
		return set;
	set = arena__alloc(&ended->arena, sizeof(*set) + cnt * sizeof(set->files[0]));
	if (!set || keymap__set(&ended->sets, key, set))
		return NULL;
	ended->set_cnt++;
	set->use = SIZE_MAX;
	for (size_t i = 0; i < cnt; i++) {
		set->files[i] = files[i];
		set->files[i].path = keep(ended, files[i].path);
		if (!set->files[i].path)
			return NULL; /* with none: it is empty */
		set->has_equal_sizes |= i && files[i].size == files[i - 1].size;
	}
	set->cnt = cnt;
	return set;
}

static int on_large(void *ctx, const struct process *process, const struct large_file *files,
		    size_t cnt)
{
	struct ended_files *ended = ctx;
	const char *id = process->container.id;
	struct use use = { process->serial, process->tgid, id ? keep(ended, id) : NULL, NULL };
	struct set *set = set_of(ended, files, cnt, use.container);

	use.set = set;
	if (!set)
		return 0;
	if (!set->has_equal_sizes && set->use != SIZE_MAX) {
		ended->uses[set->use] = use; /* the last one is likely to live */
		return 0;
	}
	if (ended->use_cnt == USES_MAX)
		return 0;
	set->use = ended->use_cnt;
	return array_push(&ended->uses, &ended->use_cnt, &ended->use_cap, use);
}

void ended_files__take(void *ctx, struct model *part)
{
	if (model__each_mapped(part, on_mapped, ctx) || model__each_large(part, on_large, ctx))
		log_debug("files of ended processes: out of memory");
}

int ended_files__each_mapped(struct ended_files *ended, model_path_fn fn, void *ctx)
{
	int err = 0;

	for (size_t i = 0; i < ended->mapped_cnt && !err; i++) {
		struct process process = { .tgid = ended->mapped[i]->tgid };

		err = fn(ctx, &process, ended->mapped[i]->path);
	}
	return err;
}

int ended_files__each_large(struct ended_files *ended, model_large_files_fn fn, void *ctx)
{
	int err = 0;

	for (size_t i = 0; i < ended->use_cnt && !err; i++) {
		const struct use *use = &ended->uses[i];
		struct process process = { .serial = use->serial, .tgid = use->tgid,
					   .container.id = use->container };

		err = fn(ctx, &process, use->set->files, use->set->cnt);
	}
	return err;
}
