// SPDX-License-Identifier: BSD-2-Clause
/*
 * Files are compared byte by byte, which ends at the first difference; what is beyond the budget in
 * blocks spread over them, and the report says how much that was. Only the very files that were
 * used count (inode and size), and none of a file system that may never answer.
 *
 * First those that one process used, then those of several containers: what these have of one layer
 * has one inode number, and is in memory once.
 */
#include "trace/facts/same_content.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "trace/facts/libs.h"
#include "model/model.h"
#include "trace/facts/ended_files.h"

#define BLOCK_SZ 65536
#define BLOCK_CNT 64            /* of files beyond the budget */
#define BUDGET_SZ (256ULL << 20) /* of all files, so that a trace ends in time */
#define SAME_SIZE_MAX 32        /* files */
#define KNOWN_MAX 1024
#define USED_MAX 100000  /* files of all processes */
#define CIFS_MAGIC 0xff534d42
#define FUSE_MAGIC 0x65735546

struct known {
	__u64 ino, other;
	__u32 dev, other_dev;
	__u64 compared; /* 0 = they differ */
};

/* A file, and a process that used it. */
struct used {
	struct large_file file;
	__u32 serial, tgid;
	const char *container; /* its id, or NULL */
};

struct comparison {
	struct model *model;
	struct arena arena;
	struct used **used;
	size_t used_cnt, used_cap;
	char *block, *other;
	__u64 budget_sz;
	struct known known[KNOWN_MAX]; /* workers use the same files */
	size_t known_cnt;
};

/* Is it a file system of this machine? Others may take forever to read. */
static bool is_local(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return false;
	switch ((unsigned int)fs.f_type) {
	case NFS_SUPER_MAGIC:
	case V9FS_MAGIC:
	case CIFS_MAGIC:
	case FUSE_MAGIC:
		return false;
	}
	return true;
}

static int open_file(__u32 tgid, const struct large_file *file)
{
	const struct process process = { .tgid = tgid };
	_cleanup_close_ int fd = libs_open(&process, file->path);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_ino != file->ino ||
	    (__u64)st.st_size != file->size || !is_local(fd))
		return -1;
	return TAKE_FD(fd);
}

/* All of @sz bytes, or false. */
static bool read_at(int fd, char *to, size_t sz, __u64 off)
{
	while (sz) {
		ssize_t got = pread(fd, to, sz, (off_t)off);

		if (got <= 0)
			return false;
		to += got;
		off += (__u64)got;
		sz -= (size_t)got;
	}
	return true;
}

/* Bytes that were compared, 0 = they differ, or cannot be read. */
static __u64 compare(struct comparison *cmp, int fd, int other, __u64 size)
{
	bool is_whole = size <= cmp->budget_sz;
	__u64 step = is_whole ? BLOCK_SZ : size / BLOCK_CNT, compared = 0;

	for (__u64 off = 0; off < size; off += step) {
		size_t sz = size - off < BLOCK_SZ ? size - off : BLOCK_SZ;

		if (!read_at(fd, cmp->block, sz, off) || !read_at(other, cmp->other, sz, off) ||
		    memcmp(cmp->block, cmp->other, sz))
			return 0;
		compared += sz;
		cmp->budget_sz -= cmp->budget_sz < sz ? cmp->budget_sz : sz;
	}
	return compared;
}

static __u64 look(struct comparison *cmp, __u32 tgid, const struct large_file *a, __u32 other_tgid,
		  const struct large_file *b)
{
	_cleanup_close_ int fd = -1, other = -1;
	struct known *known;

	for (size_t i = 0; i < cmp->known_cnt; i++) {
		known = &cmp->known[i];
		if (known->ino == a->ino && known->other == b->ino && known->dev == a->dev &&
		    known->other_dev == b->dev)
			return known->compared;
	}
	if (cmp->known_cnt == KNOWN_MAX)
		return 0;
	fd = open_file(tgid, a);
	other = fd < 0 ? -1 : open_file(other_tgid, b);
	if (other < 0)
		return 0;
	known = &cmp->known[cmp->known_cnt++];
	*known = (struct known){ a->ino, b->ino, a->dev, b->dev,
				 compare(cmp, fd, other, a->size) };
	return known->compared;
}

/* Each with the first of every content met so far. */
static int compare_own(struct comparison *cmp, const struct process *process,
		       const struct large_file *all, size_t cnt)
{
	bool is_told[SAME_SIZE_MAX] = { 0 };

	if (cnt > SAME_SIZE_MAX) {
		log_debug("%zu files of %llu bytes: only %d are compared", cnt,
			  (unsigned long long)all->size, SAME_SIZE_MAX);
		cnt = SAME_SIZE_MAX;
	}
	for (size_t i = 0; i < cnt; i++) {
		for (size_t k = i + 1; k < cnt && !is_told[i]; k++) {
			struct same_info info = { all[i].path, all[k].path, all[i].size, 0, 0 };

			if (is_told[k])
				continue;
			info.compared = look(cmp, process->tgid, &all[i], process->tgid, &all[k]);
			is_told[k] = info.compared;
			if (info.compared &&
			    model__add_same(cmp->model, process->serial, &info))
				return -ENOMEM;
		}
	}
	return 0;
}

static int note_used(struct comparison *cmp, const struct process *process,
		     const struct large_file *file)
{
	struct used *used = arena__alloc(&cmp->arena, sizeof(*used));
	const char *id = process->container.id;

	if (!used)
		return -ENOMEM;
	used->file = *file;
	used->file.path = arena__intern(&cmp->arena, file->path, strlen(file->path));
	used->serial = process->serial;
	used->tgid = process->tgid;
	if (id)
		used->container = arena__intern(&cmp->arena, id, strlen(id));
	if (!used->file.path || (id && !used->container))
		return -ENOMEM;
	return array_push(&cmp->used, &cmp->used_cnt, &cmp->used_cap, used);
}

static int on_large(void *ctx, const struct process *process, const struct large_file *all,
		    size_t cnt)
{
	struct comparison *cmp = ctx;
	size_t end;
	int err = 0;

	for (size_t at = 0; at < cnt && !err; at = end) {
		for (end = at + 1; end < cnt && all[end].size == all[at].size; end++)
			;
		if (end - at > 1)
			err = compare_own(cmp, process, &all[at], end - at);
	}
	for (size_t i = 0; i < cnt && !err && cmp->used_cnt < USED_MAX; i++)
		err = note_used(cmp, process, &all[i]);
	return err;
}

/* By size, file and container; of these the one that began last, which is likely to live. */
static int cmp_used(const void *a, const void *b)
{
	const struct used *x = *(struct used *const *)a, *y = *(struct used *const *)b;

	if (x->file.size != y->file.size)
		return x->file.size > y->file.size ? -1 : 1;
	if (x->file.ino != y->file.ino)
		return x->file.ino < y->file.ino ? -1 : 1;
	if (x->container != y->container)
		return x->container < y->container ? -1 : 1;
	return x->serial > y->serial ? -1 : 1;
}

/* Both sides are told. */
static int add_pair(struct comparison *cmp, const struct used *a, const struct used *b,
		    __u64 compared)
{
	struct same_info there = { a->file.path, b->file.path, a->file.size, compared,
				   b->serial };
	struct same_info here = { b->file.path, a->file.path, a->file.size, compared,
				  a->serial };

	return model__add_same(cmp->model, a->serial, &there) ?:
	       model__add_same(cmp->model, b->serial, &here);
}

/* Of one size: each with the first of its content. */
static int compare_several(struct comparison *cmp, struct used *const *all, size_t cnt)
{
	bool is_told[SAME_SIZE_MAX] = { 0 };
	int err = 0;

	for (size_t i = 0; i < cnt && !err; i++) {
		for (size_t k = i + 1; k < cnt && !is_told[i] && !err; k++) {
			__u64 compared;

			if (is_told[k] || all[i]->file.ino == all[k]->file.ino ||
			    all[i]->container == all[k]->container)
				continue;
			compared = look(cmp, all[i]->tgid, &all[i]->file, all[k]->tgid,
					&all[k]->file);
			is_told[k] = compared;
			err = compared ? add_pair(cmp, all[i], all[k], compared) : 0;
		}
	}
	return err;
}

static int compare_containers(struct comparison *cmp)
{
	struct used **all = cmp->used;
	size_t cnt = 0, end;
	int err = 0;

	if (!cmp->used_cnt)
		return 0;
	qsort(all, cmp->used_cnt, sizeof(*all), cmp_used);
	for (size_t i = 0; i < cmp->used_cnt; i++)
		if (!cnt || all[cnt - 1]->file.size != all[i]->file.size ||
		    all[cnt - 1]->file.ino != all[i]->file.ino ||
		    all[cnt - 1]->container != all[i]->container)
			all[cnt++] = all[i];
	for (size_t at = 0; at < cnt && !err; at = end) {
		for (end = at + 1; end < cnt && end - at < SAME_SIZE_MAX &&
		     all[end]->file.size == all[at]->file.size; end++)
			;
		err = compare_several(cmp, &all[at], end - at);
	}
	return err;
}

int same_content__compare(struct model *model, struct ended_files *ended)
{
	_cleanup_free_ struct comparison *cmp = calloc(1, sizeof(*cmp));
	_cleanup_free_ char *blocks = malloc(2 * BLOCK_SZ);
	int err;

	if (!cmp || !blocks)
		return -ENOMEM;
	cmp->model = model;
	cmp->block = blocks;
	cmp->other = blocks + BLOCK_SZ;
	cmp->budget_sz = BUDGET_SZ;
	err = ended ? ended_files__each_large(ended, on_large, cmp) :
		      model__each_large(model, on_large, cmp);
	if (!err)
		err = compare_containers(cmp);
	free(cmp->used);
	arena__free(&cmp->arena);
	return err;
}
