// SPDX-License-Identifier: BSD-2-Clause
/* Files, and the directories that were searched for modules, in JSON. */
#include <errno.h>

#include "report/json/json_out.h"
#include "report/enum_words.h"

static const char *word_what(enum file_what what)
{
	return what == FILE_META ? "metadata" : what == FILE_REST ? "others" : "path";
}

static json_t *new_file(struct json_out *jo, const struct process *process,
			const struct file *file)
{
	const struct pyi_file_value *io = &file->io;
	bool has_disk = process->measured & PYI_GROUP_DISK &&
			(io->bytes_disk || !(io->flags & PYI_FILE_REMOTE));
	json_t *obj = json_object();

	json_set_str(jo, obj, "path", file->path);
	json_set_str(jo, obj, "what", word_what(file->what));
	json_set(jo, obj, "import", file->load ? json_integer(file->load->id) : json_null());
	json_set_ns(jo, obj, "opens", io->opens);
	json_set_ns(jo, obj, "stats", io->stats);
	json_set_ns(jo, obj, "misses", (__u64)io->open_misses + io->stat_misses);
	json_set_ns(jo, obj, "dirs_read", io->dirs_read);
	json_set_ns(jo, obj, "bytes_read", io->bytes_read);
	json_set_ns(jo, obj, "bytes_written", io->bytes_written);
	json_set_ns(jo, obj, "mapped", io->mapped);
	json_set_ns(jo, obj, "bytes_from_disk", has_disk ? io->bytes_disk : NS_UNKNOWN);
	json_set_ns(jo, obj, "size", io->ino ? io->size : NS_UNKNOWN);
	json_set_ns(jo, obj, "search_ns", io->search_ns);
	json_set_ns(jo, obj, "miss_ns", io->miss_ns);
	json_set_ns(jo, obj, "io_ns", io->io_ns);
	json_set_ns(jo, obj, "first_ns", io->first_ns);
	return obj;
}

static json_t *new_dir(struct json_out *jo, const struct search_dir *dir)
{
	json_t *obj = json_object();

	json_set_str(jo, obj, "path", dir->path);
	json_set_bool(jo, obj, "package", dir->is_package);
	json_set_ns(jo, obj, "searches", dir->searches);
	json_set_ns(jo, obj, "found", dir->found);
	json_set_ns(jo, obj, "misses", dir->searches > dir->found ? dir->searches - dir->found : 0);
	json_set_ns(jo, obj, "listed", dir->listed);
	json_set_ns(jo, obj, "ns", dir->ns);
	return obj;
}

static void put_item(struct json_out *jo, json_t *item, bool is_first)
{
	fputs(is_first ? "\n" : ",\n", jo->out);
	json_put(jo, item, false);
}

void json_set_same(struct json_out *jo, json_t *obj, const struct same_files *same)
{
	json_t *others = json_array();

	json_set(jo, obj, "paths", json_new_strs(jo, same->paths, same->cnt));
	for (size_t i = 0; i < same->elsewhere_cnt; i++) {
		const struct process *process = same->elsewhere[i]->process;
		json_t *other = json_object();

		json_set_str(jo, other, "path", same->elsewhere[i]->path);
		json_set_int(jo, other, "process", process->serial);
		json_set_str(jo, other, "container", process->container.id);
		if (json_array_append_new(others, other))
			jo->err = -ENOMEM;
	}
	json_set(jo, obj, "elsewhere", others);
	json_set_ns(jo, obj, "size", same->size);
	json_set_ns(jo, obj, "bytes_compared", same->compared);
}

static json_t *new_same(struct json_out *jo, const struct same_files *same)
{
	json_t *obj = json_object();

	json_set_same(jo, obj, same);
	return obj;
}

static json_t *new_sames(struct json_out *jo, const struct process *process)
{
	json_t *array = json_array();

	for (size_t i = 0; i < process->same_cnt; i++)
		if (json_array_append_new(array, new_same(jo, process->same[i])))
			jo->err = -ENOMEM;
	return array;
}

void json_write_files(struct json_out *jo, const struct process *process)
{
	const struct process_files *files = &process->files;

	if (!(process->measured & PYI_GROUP_FILES)) {
		fputs("\"cache\":null,\n\"files\":null,\n\"same_content\":null,\n"
		      "\"search_path\":null", jo->out);
		return;
	}
	fputs("\"cache\":", jo->out);
	json_put(jo, json_new_str(jo, word_cache(files->cache)), false);
	fputs(",\n\"files\":[", jo->out);
	for (size_t i = 0; !jo->err && i < files->cnt && !ferror(jo->out); i++)
		put_item(jo, new_file(jo, process, files->files[i]), !i);
	fputs("],\n\"same_content\":", jo->out);
	json_put(jo, new_sames(jo, process), false);
	fputs(",\n\"search_path\":[", jo->out);
	for (size_t i = 0; !jo->err && i < files->dir_cnt && !ferror(jo->out); i++)
		put_item(jo, new_dir(jo, files->dirs[i]), !i);
	fputs("]", jo->out);
}
