// SPDX-License-Identifier: BSD-2-Clause
/*
 * See inventory.h: the process itself and what it maps. What is read here belongs to a hostile
 * process: names are of any bytes, and nothing is believed about sizes.
 */
#include "interpreters/process/inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "interpreters/interp.h"
#include "interpreters/process/sys_modules.h"
#include "interpreters/process/proc.h"

#define LIBS_MAX 65536

/* A mapped file, all its segments together. */
struct mapped {
	__u64 dev, ino, bytes;
	char *path;
	bool is_exec;
};

struct scan {
	const struct inventory_opts *opts;
	struct mapped *files;
	size_t file_cnt, file_cap;
	const struct interp *interp;
	__u64 bias;
};

static void scan_clear(struct scan *scan)
{
	for (size_t i = 0; i < scan->file_cnt; i++)
		free(scan->files[i].path);
	free(scan->files);
}

/* Segments of one file stand in a row, seldom with another one's between. */
static struct mapped *find_file(struct scan *scan, const struct proc_map *map, __u64 dev)
{
	size_t oldest = scan->file_cnt > 4 ? scan->file_cnt - 4 : 0;

	for (size_t i = scan->file_cnt; i-- > oldest;)
		if (scan->files[i].dev == dev && scan->files[i].ino == map->ino)
			return &scan->files[i];
	return NULL;
}

static struct mapped *add_file(struct scan *scan, const struct proc_map *map, __u64 dev)
{
	size_t cap = scan->file_cap ? 2 * scan->file_cap : 64;
	struct mapped *files, *file;

	if (scan->file_cnt == scan->file_cap) {
		files = cap > LIBS_MAX ? NULL : reallocarray(scan->files, cap, sizeof(*files));
		if (!files)
			return NULL;
		scan->files = files;
		scan->file_cap = cap;
	}
	file = &scan->files[scan->file_cnt];
	*file = (struct mapped){ .dev = dev, .ino = map->ino, .path = strdup(map->path) };
	if (!file->path)
		return NULL;
	scan->file_cnt++;
	return file;
}

/* The load bias: where the probed instructions of the file really are. */
static bool find_bias(struct scan *scan, const struct interp *interp, const struct proc_map *map)
{
	for (size_t i = 0; i < interp->site_cnt; i++) {
		const struct interp_site *site = &interp->sites[i];

		if (site->file_off < map->off || site->file_off - map->off >= map->end - map->start)
			continue;
		scan->bias = map->start + (site->file_off - map->off) - site->site.addr;
		scan->interp = interp;
		return true;
	}
	return false;
}

static int scan_map(void *ctx, int proc_fd, const struct proc_map *map)
{
	struct scan *scan = ctx;
	__u64 dev = (__u64)map->major << 32 | map->minor;
	struct mapped *file;

	if (!map->ino || map->path[0] != '/')
		return 0;
	file = find_file(scan, map, dev);
	if (!file)
		file = add_file(scan, map, dev);
	if (!file)
		return -ENOMEM;
	file->bytes += map->end - map->start;
	file->is_exec |= map->is_exec;
	if (map->is_exec && !scan->interp) {
		_cleanup_close_ int fd = proc_open_map(proc_fd, map);
		const struct interp *interp = fd < 0 ? NULL :
					      scan->opts->find_interp(scan->opts->ctx, fd);

		if (interp)
			find_bias(scan, interp, map);
	}
	return 0;
}

static void send_process(const struct inventory_opts *opts, int proc_fd)
{
	struct inventory_item item = { .what = PYI_INVENTORY_PROCESS };
	pid_t ppid;

	if (!proc_parent(proc_fd, &ppid, NULL) && ppid > 0)
		item.ppid = ppid;
	inventory_send(opts, &item);
}

static void send_libs(const struct scan *scan)
{
	for (size_t i = 0; i < scan->file_cnt; i++) {
		const struct mapped *file = &scan->files[i];
		struct inventory_item item = {
			.what = PYI_INVENTORY_LIB, .bytes = file->bytes, .name_text = file->path,
		};

		if (!file->is_exec)
			continue;
		item.name.sz = strnlen(file->path, PYI_STR_LARGE);
		item.name.full_chars = strlen(file->path);
		inventory_send(scan->opts, &item);
	}
}

int inventory_read(const struct inventory_opts *opts)
{
	_cleanup_close_ int proc_fd = proc_open(opts->tgid);
	_cleanup_(scan_clear) struct scan scan = { .opts = opts };
	int err;

	if (proc_fd < 0)
		return proc_fd;
	send_process(opts, proc_fd);
	err = proc_each_map(proc_fd, scan_map, &scan);
	if (err && err != -ENOMEM)
		return err;
	send_libs(&scan);
	if (!scan.interp)
		return 0;
	return inventory_modules(opts, &scan.interp->layout, scan.bias);
}
