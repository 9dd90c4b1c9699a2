// SPDX-License-Identifier: BSD-2-Clause
/*
 * See libs.h. Paths are the target's: looked up below its own root while it lives, else below
 * ours; the model takes what is said only for the very file that was mapped (inode and size).
 */
#include "trace/facts/libs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "model/model.h"
#include "trace/facts/ended_files.h"
#include "interpreters/elf/dynamic.h"
#include "interpreters/process/proc.h"
#include "interpreters/process/target_file.h"

struct seen {
	struct model *model;
	char **paths;       /* sorted */
	size_t cnt, cap;
};

/* Is it new? Remembers it. -ENOMEM. */
static int note(struct seen *seen, const char *path)
{
	size_t low = 0, high = seen->cnt, mid;
	char **bigger;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (strcmp(seen->paths[mid], path) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < seen->cnt && !strcmp(seen->paths[low], path))
		return 0;
	if (seen->cnt == seen->cap) {
		bigger = reallocarray(seen->paths, seen->cap * 2 + 64, sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		seen->paths = bigger;
		seen->cap = seen->cap * 2 + 64;
	}
	memmove(&seen->paths[low + 1], &seen->paths[low],
		(seen->cnt - low) * sizeof(*seen->paths));
	seen->paths[low] = strdup(path);
	if (!seen->paths[low])
		return -ENOMEM;
	seen->cnt++;
	return 1;
}

int libs_open(const struct process *process, const char *path)
{
	char root[PROC_ROOT_SZ];
	int fd;

	snprintf(root, sizeof(root), "/proc/%u/root", process->tgid);
	fd = target_open(root, path);
	return fd >= 0 ? fd : target_open("", path);
}

static int describe(void *ctx, const struct process *process, const char *path)
{
	struct seen *seen = ctx;
	_cleanup_(dynamic_needed__free) struct dynamic_needed needed = {};
	_cleanup_close_ int fd = -1;
	struct lib_info info = { .path = path };
	struct stat st;
	int is_new = path[0] == '/' ? note(seen, path) : 0;

	if (is_new <= 0)
		return is_new;
	fd = libs_open(process, path);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return 0;
	if (dynamic_needed__read(&needed, fd) == -ENOMEM)
		return -ENOMEM;
	info.size = st.st_size;
	info.ino = st.st_ino;
	info.needed = (const char *const *)needed.names;
	info.needed_cnt = needed.cnt;
	return model__set_lib_info(seen->model, &info);
}

int libs_describe(struct model *model, struct ended_files *ended)
{
	struct seen seen = { .model = model };
	int err = ended ? ended_files__each_mapped(ended, describe, &seen) :
			  model__each_mapped(model, describe, &seen);

	for (size_t i = 0; i < seen.cnt; i++)
		free(seen.paths[i]);
	free(seen.paths);
	return err;
}
