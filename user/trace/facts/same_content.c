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
#define TWINS_MAX 32            /* of one size */
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
	struct twin twin;
	__u32 serial, tgid;
	const char *container; /* its id, or NULL */
};

struct twins {
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

static int open_twin(__u32 tgid, const struct twin *twin)
{
	const struct process process = { .tgid = tgid };
	_cleanup_close_ int fd = libs_open(&process, twin->path);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_ino != twin->ino ||
	    (__u64)st.st_size != twin->size || !is_local(fd))
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
static __u64 compare(struct twins *twins, int fd, int other, __u64 size)
{
	bool is_whole = size <= twins->budget_sz;
	__u64 step = is_whole ? BLOCK_SZ : size / BLOCK_CNT, compared = 0;

	for (__u64 off = 0; off < size; off += step) {
		size_t sz = size - off < BLOCK_SZ ? size - off : BLOCK_SZ;

		if (!read_at(fd, twins->block, sz, off) || !read_at(other, twins->other, sz, off) ||
		    memcmp(twins->block, twins->other, sz))
			return 0;
		compared += sz;
		twins->budget_sz -= twins->budget_sz < sz ? twins->budget_sz : sz;
	}
	return compared;
}

static __u64 look(struct twins *twins, __u32 tgid, const struct twin *a, __u32 other_tgid,
		  const struct twin *b)
{
	_cleanup_close_ int fd = -1, other = -1;
	struct known *known;

	for (size_t i = 0; i < twins->known_cnt; i++) {
		known = &twins->known[i];
		if (known->ino == a->ino && known->other == b->ino && known->dev == a->dev &&
		    known->other_dev == b->dev)
			return known->compared;
	}
	if (twins->known_cnt == KNOWN_MAX)
		return 0;
	fd = open_twin(tgid, a);
	other = fd < 0 ? -1 : open_twin(other_tgid, b);
	if (other < 0)
		return 0;
	known = &twins->known[twins->known_cnt++];
	*known = (struct known){ a->ino, b->ino, a->dev, b->dev,
				 compare(twins, fd, other, a->size) };
	return known->compared;
}

/* Each with the first of every content met so far. */
static int compare_own(struct twins *twins, const struct process *process,
		       const struct twin *all, size_t cnt)
{
	bool is_told[TWINS_MAX] = { 0 };

	if (cnt > TWINS_MAX) {
		log_debug("%zu files of %llu bytes: only %d are compared", cnt,
			  (unsigned long long)all->size, TWINS_MAX);
		cnt = TWINS_MAX;
	}
	for (size_t i = 0; i < cnt; i++) {
		for (size_t k = i + 1; k < cnt && !is_told[i]; k++) {
			struct same_info info = { all[i].path, all[k].path, all[i].size, 0, 0 };

			if (is_told[k])
				continue;
			info.compared = look(twins, process->tgid, &all[i], process->tgid, &all[k]);
			is_told[k] = info.compared;
			if (info.compared &&
			    model__add_same(twins->model, process->serial, &info))
				return -ENOMEM;
		}
	}
	return 0;
}

static int note_used(struct twins *twins, const struct process *process, const struct twin *twin)
{
	struct used *used = arena__alloc(&twins->arena, sizeof(*used));
	const char *id = process->container.id;

	if (!used)
		return -ENOMEM;
	used->twin = *twin;
	used->twin.path = arena__intern(&twins->arena, twin->path, strlen(twin->path));
	used->serial = process->serial;
	used->tgid = process->tgid;
	if (id)
		used->container = arena__intern(&twins->arena, id, strlen(id));
	if (!used->twin.path || (id && !used->container))
		return -ENOMEM;
	return array_push(&twins->used, &twins->used_cnt, &twins->used_cap, used);
}

static int on_large(void *ctx, const struct process *process, const struct twin *all, size_t cnt)
{
	struct twins *twins = ctx;
	size_t end;
	int err = 0;

	for (size_t at = 0; at < cnt && !err; at = end) {
		for (end = at + 1; end < cnt && all[end].size == all[at].size; end++)
			;
		if (end - at > 1)
			err = compare_own(twins, process, &all[at], end - at);
	}
	for (size_t i = 0; i < cnt && !err && twins->used_cnt < USED_MAX; i++)
		err = note_used(twins, process, &all[i]);
	return err;
}

/* By size, file and container; of these the one that began last, which is likely to live. */
static int cmp_used(const void *a, const void *b)
{
	const struct used *x = *(struct used *const *)a, *y = *(struct used *const *)b;

	if (x->twin.size != y->twin.size)
		return x->twin.size > y->twin.size ? -1 : 1;
	if (x->twin.ino != y->twin.ino)
		return x->twin.ino < y->twin.ino ? -1 : 1;
	if (x->container != y->container)
		return x->container < y->container ? -1 : 1;
	return x->serial > y->serial ? -1 : 1;
}

/* Both sides are told. */
static int add_pair(struct twins *twins, const struct used *a, const struct used *b,
		    __u64 compared)
{
	struct same_info there = { a->twin.path, b->twin.path, a->twin.size, compared,
				   b->serial };
	struct same_info here = { b->twin.path, a->twin.path, a->twin.size, compared,
				  a->serial };

	return model__add_same(twins->model, a->serial, &there) ?:
	       model__add_same(twins->model, b->serial, &here);
}

/* Of one size: each with the first of its content. */
static int compare_several(struct twins *twins, struct used *const *all, size_t cnt)
{
	bool is_told[TWINS_MAX] = { 0 };
	int err = 0;

	for (size_t i = 0; i < cnt && !err; i++) {
		for (size_t k = i + 1; k < cnt && !is_told[i] && !err; k++) {
			__u64 compared;

			if (is_told[k] || all[i]->twin.ino == all[k]->twin.ino ||
			    all[i]->container == all[k]->container)
				continue;
			compared = look(twins, all[i]->tgid, &all[i]->twin, all[k]->tgid,
					&all[k]->twin);
			is_told[k] = compared;
			err = compared ? add_pair(twins, all[i], all[k], compared) : 0;
		}
	}
	return err;
}

static int compare_containers(struct twins *twins)
{
	struct used **all = twins->used;
	size_t cnt = 0, end;
	int err = 0;

	if (!twins->used_cnt)
		return 0;
	qsort(all, twins->used_cnt, sizeof(*all), cmp_used);
	for (size_t i = 0; i < twins->used_cnt; i++)
		if (!cnt || all[cnt - 1]->twin.size != all[i]->twin.size ||
		    all[cnt - 1]->twin.ino != all[i]->twin.ino ||
		    all[cnt - 1]->container != all[i]->container)
			all[cnt++] = all[i];
	for (size_t at = 0; at < cnt && !err; at = end) {
		for (end = at + 1; end < cnt && end - at < TWINS_MAX &&
		     all[end]->twin.size == all[at]->twin.size; end++)
			;
		err = compare_several(twins, &all[at], end - at);
	}
	return err;
}

int twins_compare(struct model *model, struct ended *ended)
{
	_cleanup_free_ struct twins *twins = calloc(1, sizeof(*twins));
	_cleanup_free_ char *blocks = malloc(2 * BLOCK_SZ);
	int err;

	if (!twins || !blocks)
		return -ENOMEM;
	twins->model = model;
	twins->block = blocks;
	twins->other = blocks + BLOCK_SZ;
	twins->budget_sz = BUDGET_SZ;
	err = ended ? ended__each_large(ended, on_large, twins) :
		      model__each_large(model, on_large, twins);
	if (!err)
		err = compare_containers(twins);
	free(twins->used);
	arena__free(&twins->arena);
	return err;
}
