// SPDX-License-Identifier: BSD-2-Clause
/* See evict.h. Only the files that are named: the rest of the machine keeps its cache. */
#include "cli/commands/evict.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static int cmp_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int evict__add(struct evict *evict, const char *path)
{
	char **grown, *copy;

	if (!path || *path != '/' ||
	    (evict->cnt && !strcmp(evict->paths[evict->cnt - 1], path)))
		return 0;
	if (evict->cnt == evict->cap) {
		evict->cap = evict->cap ? 2 * evict->cap : 64;
		grown = reallocarray(evict->paths, evict->cap, sizeof(char *));
		if (!grown)
			return -ENOMEM;
		evict->paths = grown;
	}
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	evict->paths[evict->cnt++] = copy;
	return 0;
}

/* Bytes of the file that are in the page cache. */
static __u64 cached_bytes(int fd, __u64 size)
{
	__u64 page = (__u64)sysconf(_SC_PAGESIZE), cnt = (size + page - 1) / page, cached = 0;
	_cleanup_free_ unsigned char *pages = malloc(cnt);
	void *map;

	if (!pages)
		return 0;
	map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return 0;
	if (!mincore(map, size, pages))
		for (__u64 i = 0; i < cnt; i++)
			cached += pages[i] & 1;
	munmap(map, size);
	return cached * page < size ? cached * page : cached ? size : 0;
}

static void drop_one(const char *path, struct evict_result *out)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	__u64 held;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return;
	fdatasync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	held = cached_bytes(fd, (__u64)st.st_size);
	out->file_cnt++;
	out->bytes += (__u64)st.st_size;
	out->held_cnt += held > 0;
	out->held_bytes += held;
}

void evict__drop(const struct evict *evict, struct evict_result *out)
{
	*out = (struct evict_result){};
	if (evict->cnt)
		qsort(evict->paths, evict->cnt, sizeof(char *), cmp_paths);
	for (size_t i = 0; i < evict->cnt; i++)
		if (!i || strcmp(evict->paths[i], evict->paths[i - 1]))
			drop_one(evict->paths[i], out);
}

void evict__clear(struct evict *evict)
{
	for (size_t i = 0; i < evict->cnt; i++)
		free(evict->paths[i]);
	free(evict->paths);
	*evict = (struct evict){};
}
