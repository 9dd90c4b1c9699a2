// SPDX-License-Identifier: BSD-2-Clause
/*
 * Files of a process: the kernel's counts per (span, path) become files per (load, path), and go
 * into the charges of loads.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/causes/charge.h"
#include "model/causes/sys_path.h"
#include "model/causes/files.h"
#include "model/causes/libs.h"
#include "model/state/path.h"
#include "model/state/process_table.h"

#define COLD_PCT 80 /* of the files read, so many came from disk */
#define WARM_PCT 5

static void value_add(struct pyi_file_value *to, const struct pyi_file_value *from)
{
	if (from->first_ns < to->first_ns || !to->first_ns) {
		to->first_ns = from->first_ns;
		to->tid = from->tid;
	}
	if (from->last_ns > to->last_ns)
		to->last_ns = from->last_ns;
	to->search_ns += from->search_ns;
	to->miss_ns += from->miss_ns;
	to->io_ns += from->io_ns;
	to->bytes_read += from->bytes_read;
	to->bytes_written += from->bytes_written;
	to->mapped += from->mapped;
	to->bytes_disk += from->bytes_disk;
	to->opens += from->opens;
	to->open_misses += from->open_misses;
	to->stats += from->stats;
	to->stat_misses += from->stat_misses;
	to->dirs_read += from->dirs_read;
	to->flags |= from->flags;
	if (from->ino) {
		to->ino = from->ino;
		to->dev = from->dev;
		to->size = from->size > to->size ? from->size : to->size;
	}
}

/* One entry a (load, path, searched): those that share a key of the map are chained. */
static struct raw_file *raw_get(struct model *model, struct process_state *process,
				struct load *load, __u64 path, bool is_searched)
{
	__u64 key = path ^ (uintptr_t)load * 0x9e3779b97f4a7c15u ^ is_searched;
	struct raw_file *first = keymap__find(&process->raw_files, key), *raw;
	struct process_files *files = &process->process.files;

	for (raw = first; raw; raw = raw->next)
		if (raw->path == path && raw->file.load == load &&
		    raw->file.is_searched == is_searched)
			return raw;
	raw = arena__alloc(&model->arena, sizeof(*raw));
	if (!raw || array_push(&files->files, &files->cnt, &process->raw_file_cap, &raw->file))
		return NULL;
	raw->path = path;
	raw->file.load = load;
	raw->file.is_searched = is_searched;
	raw->next = first;
	return keymap__set(&process->raw_files, key, raw) ? NULL : raw;
}

int file_add(struct model *model, const struct pyi_file *rec)
{
	struct process_state *process = process_find(model, rec->key.serial);
	struct load_state *state;
	struct raw_file *raw;
	struct account *account;
	bool is_searched;

	if (!process)
		return 0; /* its first record was lost */
	account = account_find(model, rec->key.serial, rec->key.span);
	state = account ? account->load : NULL;
	/* A load made by a search has the search's id; its body and dlopen are other spans. */
	is_searched = state && state->load.id == rec->key.span && span_is_search(state->span);
	raw = raw_get(model, process, state ? &state->load : NULL, rec->key.path, is_searched);
	if (!raw)
		return -ENOMEM;
	value_add(&raw->file.io, &rec->value);
	return 0;
}

static int settle(struct model *model, struct process_state *process, struct raw_file *raw)
{
	struct file *file = &raw->file;
	struct load_state *state = (struct load_state *)file->load;

	file->what = raw->path == PYI_KEY_META ? FILE_META :
		     raw->path == PYI_KEY_REST ? FILE_REST : FILE_PATH;
	/* What turned out to be no load was part of the one around it. */
	while (state && state->drop) {
		state = (struct load_state *)state->load.parent;
		file->is_searched = false;
	}
	file->load = state ? &state->load : NULL;
	return path_text(model, &process->process, raw->path, &file->path);
}

/* By path, then by load: entries of the same two come to lie side by side. */
static int cmp_file(const void *a, const void *b)
{
	const struct file *x = *(struct file *const *)a, *y = *(struct file *const *)b;
	int order;

	if (x->what != y->what)
		return x->what < y->what ? -1 : 1;
	if (!x->path != !y->path)
		return x->path ? -1 : 1;
	order = x->path && x->path != y->path ? strcmp(x->path, y->path) : 0;
	if (order)
		return order;
	if (!x->path && x->io.ino != y->io.ino)
		return x->io.ino < y->io.ino ? -1 : 1;
	if (x->load != y->load) {
		if (!x->load || !y->load)
			return x->load ? 1 : -1;
		return x->load->seq < y->load->seq ? -1 : 1;
	}
	return x->io.first_ns < y->io.first_ns ? -1 : x->io.first_ns > y->io.first_ns;
}

static bool is_same(const struct file *x, const struct file *y)
{
	return x->what == y->what && x->path == y->path && x->load == y->load &&
	       (x->path || x->io.ino == y->io.ino);
}

static void merge(struct process_files *files)
{
	size_t kept = 0;

	for (size_t i = 0; i < files->cnt; i++) {
		struct file *file = files->files[i], *last = kept ? files->files[kept - 1] : NULL;

		if (!last || !is_same(last, file)) {
			files->files[kept++] = file;
			continue;
		}
		value_add(&last->io, &file->io);
		last->is_searched |= file->is_searched;
	}
	files->cnt = kept;
}

/* What the path of a compiled module tells of why source is compiled. */
static __u64 flags_of(const struct file *file)
{
	const struct pyi_file_value *io = &file->io;
	size_t sz = file->path ? strlen(file->path) : 0;
	__u64 flags = 0;

	/* Written under a name of its own first: x.cpython-311.pyc.140234. */
	if (sz > 4 && strstr(file->path, ".pyc.") && io->flags & PYI_FILE_WRITTEN)
		return PYI_CHARGE_PYC_WRITTEN;
	if (sz > 4 && strstr(file->path, ".pyc.") && io->flags & PYI_FILE_UNWRITABLE)
		return PYI_CHARGE_PYC_UNWRITABLE;
	if (sz > 12 && !strcmp(file->path + sz - 12, "/__pycache__"))
		return io->flags & PYI_FILE_UNWRITABLE ? PYI_CHARGE_PYC_UNWRITABLE : 0;
	if (sz < 4 || strcmp(file->path + sz - 4, ".pyc"))
		return 0;
	flags |= io->bytes_read ? PYI_CHARGE_PYC_READ : 0;
	flags |= io->stat_misses || io->open_misses ? PYI_CHARGE_PYC_MISSING : 0;
	flags |= io->flags & PYI_FILE_WRITTEN ? PYI_CHARGE_PYC_WRITTEN : 0;
	return flags | (io->flags & PYI_FILE_UNWRITABLE ? PYI_CHARGE_PYC_UNWRITABLE : 0);
}

static int charge_file(struct model *model, struct process *process, const struct file *file)
{
	const struct pyi_file_value *io = &file->io;
	struct pyi_charge charge = {
		.opens = io->opens, .open_misses = io->open_misses, .stats = io->stats,
		.stat_misses = io->stat_misses, .dirs_read = io->dirs_read,
		.search_ns = io->search_ns + io->miss_ns, .bytes_read = io->bytes_read,
		.bytes_written = io->bytes_written, .mapped = io->mapped,
		.bytes_from_disk = io->bytes_disk, .last_io_ns = io->last_ns,
		.flags = flags_of(file),
	};

	if (charge.flags & PYI_CHARGE_PYC_READ && file->load)
		((struct load_state *)file->load)->pyc_at_ns = io->last_ns;
	if (charge.flags & (PYI_CHARGE_PYC_READ | PYI_CHARGE_PYC_MISSING) && file->load)
		((struct load_state *)file->load)->pyc_wanted_ns = io->first_ns;
	return charge_put(model, file->load, io->tid == process->tgid ? &process->outside :
			  &process->outside_others, &charge);
}

/*
 * Cold or warm: how many of the files whose content was wanted had to come from disk, and how much
 * of that content; mixed when the two do not agree.
 */
static enum cache_state cache_of(const struct process_files *files)
{
	__u64 read_cnt = 0, disk_cnt = 0, wanted_sz = 0, disk_sz = 0;
	const char *last = NULL;
	bool was_disk = false;

	for (size_t i = 0; i < files->cnt; i++) {
		const struct file *file = files->files[i];

		if (!file->path || file->io.flags & PYI_FILE_DIR ||
		    !(file->io.bytes_read | file->io.mapped | file->io.bytes_disk))
			continue;
		if (file->path != last) {
			read_cnt++;
			was_disk = false;
		}
		last = file->path;
		disk_sz += file->io.bytes_disk;
		wanted_sz += file->io.bytes_read > file->io.bytes_disk ? file->io.bytes_read :
									 file->io.bytes_disk;
		if (file->io.bytes_disk && !was_disk) {
			was_disk = true;
			disk_cnt++;
		}
	}
	if (!read_cnt)
		return CACHE_UNKNOWN;
	if (disk_cnt * 100 >= read_cnt * COLD_PCT && disk_sz >= wanted_sz / 100 * COLD_PCT)
		return CACHE_COLD;
	return disk_cnt * 100 <= read_cnt * WARM_PCT && disk_sz <= wanted_sz / 100 * WARM_PCT ?
		       CACHE_WARM : CACHE_MIXED;
}

int files_finish(struct model *model, struct process_state *state)
{
	struct process_files *files = &state->process.files;
	int err = 0;

	keymap__free(&state->raw_files);
	for (size_t i = 0; i < files->cnt && !err; i++)
		err = settle(model, state, (struct raw_file *)files->files[i]);
	if (err || !files->cnt)
		return err ? err : libs_finish(model, &state->process);
	qsort(files->files, files->cnt, sizeof(struct file *), cmp_file);
	merge(files);
	for (size_t i = 0; i < files->cnt; i++) {
		err = charge_file(model, &state->process, files->files[i]);
		if (err)
			return err;
	}
	if (model->measured & PYI_GROUP_DISK)
		files->cache = cache_of(files);
	err = dirs_finish(model, &state->process);
	return err ? err : libs_finish(model, &state->process);
}

void files_free(struct process_state *state)
{
	keymap__free(&state->raw_files);
	free(state->process.files.files);
	free(state->process.files.dirs);
}
