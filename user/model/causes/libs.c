// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shared objects: the stages of a dlopen, and those that came in without one of the interpreter's
 * own: as dependencies, with the program itself, or by ctypes, cffi and C code.
 */
#include <errno.h>
#include <string.h>

#include "model/causes/libs.h"
#include "model/state/path.h"
#include "model/state/process_table.h"
#include "model/state/tap.h"

int model__set_lib_info(struct model *model, const struct lib_info *info)
{
	struct lib_info_state *known;
	const char *path, **needed;

	tap_fact(model, FACT_LIB, 0, info);
	if (!info->path || model->lean) /* no path: of a capture that was made to hurt */
		return 0;
	path = arena__intern(&model->arena, info->path, strlen(info->path));
	needed = arena__alloc(&model->arena, (info->needed_cnt + 1) * sizeof(*needed));
	known = arena__alloc(&model->arena, sizeof(*known));
	if (!path || !needed || !known)
		return -ENOMEM;
	known->info = *info;
	known->path = known->info.path = path;
	known->info.needed = needed;
	for (size_t i = 0; i < info->needed_cnt; i++) {
		needed[i] = arena__intern(&model->arena, info->needed[i], strlen(info->needed[i]));
		if (!needed[i])
			return -ENOMEM;
	}
	HASH_ADD(hh, model->lib_infos, path, sizeof(known->path), known);
	return 0;
}

int model__each_mapped(struct model *model, model_path_fn fn, void *ctx)
{
	int err = 0;

	for (size_t i = 0; i < model->process_cnt && !err; i++) {
		struct process_state *state = (struct process_state *)model->processes[i];
		const struct process_files *files = &state->process.files;
		const char *path;

		for (size_t j = 0; j < files->cnt && !err; j++) {
			const struct raw_file *raw = (struct raw_file *)files->files[j];

			if (!(raw->file.io.flags & PYI_FILE_EXEC))
				continue;
			err = path_text(model, &state->process, raw->path, &path);
			if (!err && path)
				err = fn(ctx, &state->process, path);
		}
	}
	return err;
}

/* Ids grow, and libs are in order of their begin. */
static struct lib *lib_of_span(const struct process *process, __u32 span)
{
	size_t low = 0, high = process->lib_cnt, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (process->libs[mid]->span < span)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < process->lib_cnt && process->libs[low]->span == span)
		return process->libs[low];
	return NULL;
}

void link_add(struct model *model, const struct pyi_link *rec)
{
	const struct process_state *state = process_find(model, rec->hdr.proc);
	const struct pyi_link_value *value = &rec->value;
	struct lib *lib = state ? lib_of_span(&state->process, rec->span) : NULL;
	__u64 end_ns, end_map_ns;

	if (!lib || !value->mapped_ns)
		return;
	end_ns = lib->wall_ns == NS_UNKNOWN ? 0 : lib->start_ns + lib->wall_ns;
	/* Until the last part is mapped: what is not open and read is finding and mapping. */
	end_map_ns = value->mapped_ns > lib->start_ns ? value->mapped_ns - lib->start_ns : 0;
	lib->open_ns = value->open_ns < end_map_ns ? value->open_ns : end_map_ns;
	lib->map_ns = end_map_ns - lib->open_ns;
	if (value->relro_ns < value->mapped_ns || value->relro_ns > end_ns)
		return; /* nothing was protected: where relocation ended was not seen */
	lib->relocate_ns = value->relro_ns - value->mapped_ns;
	lib->constructors_ns = end_ns - value->relro_ns;
}

/* Which file a lib is, if the one that was examined later is still the one that was mapped. */
static void set_file(struct model *model, struct lib *lib, const struct file *file)
{
	struct lib_info_state *known;

	lib->bytes = file->io.size;
	HASH_FIND(hh, model->lib_infos, &lib->path, sizeof(lib->path), known);
	if (known && known->info.ino == file->io.ino && known->info.size == file->io.size)
		lib->info = &known->info;
}

static int add_lib(struct model *model, struct process *process, const struct file *file)
{
	struct lib *lib = arena__alloc(&model->arena, sizeof(*lib));
	bool is_early = !file->load && !process->is_late && process->load_cnt &&
			file->io.first_ns < process->loads[0]->start_ns;

	if (!lib)
		return -ENOMEM;
	lib->path = file->path;
	lib->load = file->load;
	lib->tid = file->io.tid;
	lib->start_ns = file->io.first_ns;
	lib->wall_ns = NS_UNKNOWN;
	lib->open_ns = lib->map_ns = lib->relocate_ns = lib->constructors_ns = NS_UNKNOWN;
	lib->via = file->io.flags & PYI_FILE_IN_LINK ? LIB_NEEDED :
		   is_early ? LIB_START : LIB_EXPLICIT;
	set_file(model, lib, file);
	return array_push(&process->other_libs, &process->other_lib_cnt, &process->other_lib_cap,
			  lib);
}

static __u64 lib_key(const char *path, const struct load *load)
{
	return (uintptr_t)path * 0x9e3779b97f4a7c15u ^ (uintptr_t)load;
}

/* The interpreter's own dlopens: the first of each path in each load. */
static int know_libs(struct keymap *own, const struct process *process)
{
	int err = 0;

	for (size_t i = process->lib_cnt; i-- > 0 && !err;) {
		struct lib *lib = process->libs[i];

		err = keymap__set(own, lib_key(lib->path, lib->load), lib);
	}
	return err;
}

int libs_finish(struct model *model, struct process *process)
{
	struct keymap own = {};
	int err = know_libs(&own, process);

	for (size_t i = 0; i < process->files.cnt && !err; i++) {
		const struct file *file = process->files.files[i];
		struct lib *lib;

		if (!file->path || !(file->io.flags & PYI_FILE_EXEC))
			continue;
		lib = keymap__find(&own, lib_key(file->path, file->load));
		if (lib && lib->path == file->path && lib->load == file->load)
			set_file(model, lib, file);
		else
			err = add_lib(model, process, file);
	}
	keymap__free(&own);
	return err;
}
