// SPDX-License-Identifier: BSD-2-Clause
/*
 * Files are compared byte by byte, which ends at the first difference; what is beyond the budget in
 * blocks spread over them, and the report says how much that was. Only the very files that were
 * used count (inode and size), and none of a file system that may never answer.
 */
#include "trace/facts/same_content.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "trace/facts/libs.h"
#include "model/model.h"
#include "trace/facts/ended.h"

#define BLOCK_SZ 65536
#define BLOCK_CNT 64            /* of files beyond the budget */
#define BUDGET_SZ (256ULL << 20) /* of all files, so that a trace ends in time */
#define TWINS_MAX 32            /* of one size */
#define KNOWN_MAX 1024
#define CIFS_MAGIC 0xff534d42
#define FUSE_MAGIC 0x65735546

struct known {
	__u64 ino, other;
	__u32 dev, other_dev;
	__u64 compared; /* 0 = they differ */
};

struct twins {
	struct model *model;
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

static int open_twin(const struct process *process, const struct twin *twin)
{
	_cleanup_close_ int fd = libs_open(process, twin->path);
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

static __u64 look(struct twins *twins, const struct process *process, const struct twin *a,
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
	fd = open_twin(process, a);
	other = fd < 0 ? -1 : open_twin(process, b);
	if (other < 0)
		return 0;
	known = &twins->known[twins->known_cnt++];
	*known = (struct known){ a->ino, b->ino, a->dev, b->dev,
				 compare(twins, fd, other, a->size) };
	return known->compared;
}

/* Each with the first of every content met so far. */
static int on_twins(void *ctx, const struct process *process, const struct twin *all, size_t cnt)
{
	struct twins *twins = ctx;
	bool is_told[TWINS_MAX] = { 0 };

	if (cnt > TWINS_MAX) {
		log_debug("%zu files of %llu bytes: only %d are compared", cnt,
			  (unsigned long long)all->size, TWINS_MAX);
		cnt = TWINS_MAX;
	}
	for (size_t i = 0; i < cnt; i++) {
		for (size_t k = i + 1; k < cnt && !is_told[i]; k++) {
			struct same_info info = { all[i].path, all[k].path, all[i].size, 0 };

			if (is_told[k])
				continue;
			info.compared = look(twins, process, &all[i], &all[k]);
			is_told[k] = info.compared;
			if (info.compared &&
			    model__add_same(twins->model, process->serial, &info))
				return -ENOMEM;
		}
	}
	return 0;
}

int twins_compare(struct model *model, struct ended *ended)
{
	_cleanup_free_ struct twins *twins = calloc(1, sizeof(*twins));
	_cleanup_free_ char *blocks = malloc(2 * BLOCK_SZ);

	if (!twins || !blocks)
		return -ENOMEM;
	twins->model = model;
	twins->block = blocks;
	twins->other = blocks + BLOCK_SZ;
	twins->budget_sz = BUDGET_SZ;
	return ended ? ended__each_twins(ended, on_twins, twins) :
		       model__each_twins(model, on_twins, twins);
}
