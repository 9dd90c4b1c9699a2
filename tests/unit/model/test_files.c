// SPDX-License-Identifier: BSD-2-Clause
/* Files, paths, searched directories and shared objects in the model. */
#include "charges.h"

#define FILES PYI_GROUP_FILES
#define DISK PYI_GROUP_DISK
#define VALUE(...) ((struct pyi_file_value){ __VA_ARGS__ })

/* m (10, body 11) from 1000 to 9000, its code from /lib/m.py. */
static void load_one(struct stream *s)
{
	stream_open(s);
	stream_exec(s, 500, 1, "x", 2);
	stream_code(s, 5, 0x50, "m", "", "/lib/m.py", "<module>", 1, 1);
	stream_open_load(s, 1000, 10, 0, 0, 5, 0x50, "m");
}

static struct process *finish(struct stream *s, __u32 groups)
{
	charges_settled(s, groups);
	stream_finish(s, 10000);
	return stream_process(s, 1);
}

/* One file, told of two spans of a load, in parts: one entry, sums, the first and the last time. */
static void test_merging(void)
{
	const struct process *process;
	const struct file *file;
	const struct load *load;
	struct stream s;

	load_one(&s);
	stream_close_load(&s, 9000, 10);
	charges_path(&s, 100, "/data/a");
	charges_file(&s, 11, 100, VALUE(.first_ns = 3000, .last_ns = 3100, .opens = 2,
					.open_misses = 1, .bytes_read = 10, .miss_ns = 3,
					.search_ns = 4, .ino = 7, .size = 50));
	charges_file(&s, 10, 100, VALUE(.first_ns = 2000, .last_ns = 2100, .stats = 5,
					.bytes_read = 1, .tid = 101));
	charges_file(&s, 11, 100, VALUE(.first_ns = 4000, .last_ns = 5000, .opens = 1,
					.ino = 7, .size = 40, .bytes_disk = 9));
	charges_file(&s, 0, 100, VALUE(.first_ns = 9500, .opens = 1));
	charges_file(&s, 0, PYI_KEY_META, VALUE(.first_ns = 9500, .bytes_disk = 4096));
	charges_file(&s, 0, PYI_KEY_REST, VALUE(.first_ns = 9500, .opens = 8));
	process = finish(&s, FILES | DISK);
	load = stream_load(&s, 1, "m", 0);
	file = charges_find(process, "/data/a", load);
	CHECK(process->files.cnt == 4 && file);
	CHECK(file->io.first_ns == 2000 && file->io.tid == 101 && file->io.last_ns == 5000);
	CHECK(file->io.opens == 3 && file->io.open_misses == 1 && file->io.stats == 5);
	CHECK(file->io.size == 50 && file->io.bytes_read == 11 && file->io.bytes_disk == 9);
	CHECK(file->is_searched); /* by the search, though not by the body */
	CHECK(load->charge->opens == 3 && load->charge->bytes_read == 11);
	CHECK(load->charge->search_ns == 7 && load->charge->last_io_ns == 5000);
	CHECK(process->outside.opens == 9 && process->total.opens == 12);
	CHECK(process->files.files[2]->what == FILE_META && !process->files.files[2]->path);
	CHECK(process->files.files[3]->what == FILE_REST);
	stream_close(&s);
}

/* How much of what was wanted came from disk, by files and by bytes. */
static void test_cache(void)
{
	static const struct {
		__u64 disk[5];
		enum cache_state cache;
	} cases[] = {
		{ { 100, 100, 100, 100, 100 }, CACHE_COLD }, { { 0, 0, 0, 0, 0 }, CACHE_WARM },
		{ { 100, 100, 0, 0, 0 }, CACHE_MIXED }, { { 9, 9, 9, 9, 9 }, CACHE_MIXED },
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		struct stream s;

		load_one(&s);
		for (__u64 i = 0; i < 5; i++) {
			char name[] = { '/', 'a' + i, 0 };

			charges_path(&s, 100 + i, name);
			charges_file(&s, 10, 100 + i, VALUE(.bytes_read = 100,
							    .bytes_disk = cases[n].disk[i]));
		}
		charges_path(&s, 200, "/dir"); /* directories are no content */
		charges_file(&s, 10, 200, VALUE(.flags = PYI_FILE_DIR, .bytes_disk = 4096));
		CHECK(finish(&s, FILES | DISK)->files.cache == cases[n].cache);
		stream_close(&s);
	}
}

static void test_paths(void)
{
	struct process_info info = { .cwd = "/srv/me" };
	struct process *process;
	struct stream s;

	load_one(&s);
	CHECK(!model__set_process_info(s.model, 1, &info));
	charges_path(&s, 100, "sub/./x//y");
	charges_path(&s, 101, "/a/../b/");
	charges_path_sz(&s, 102, PYI_PATH_REVERSED, "m.py\0lib\0usr", 13);
	charges_path_sz(&s, 103, PYI_PATH_BELOW, "rel", 3);
	charges_path(&s, 104, "/");
	charges_path(&s, 105, "/first");
	charges_path(&s, 105, "/second"); /* a key is told once */
	for (__u64 key = 100; key <= 105; key++)
		charges_file(&s, 0, key, VALUE(.stats = 1));
	charges_file(&s, 0, 999, VALUE(.stats = 1)); /* its text was lost */
	process = finish(&s, FILES);
	CHECK(charges_find(process, "/srv/me/sub/x/y", NULL));
	CHECK(charges_find(process, "/a/../b", NULL)); /* `..` may follow a link */
	CHECK(charges_find(process, "/usr/lib/m.py", NULL));
	CHECK(charges_find(process, "rel", NULL));
	CHECK(charges_find(process, "/", NULL));
	CHECK(charges_find(process, "/first", NULL) && !charges_find(process, "/second", NULL));
	CHECK(process->files.cnt == 7 && !process->files.files[6]->path);
	stream_close(&s);
}

/* Searched is what an import looked at and whose names were read; found is where its file lies. */
static void test_dirs(void)
{
	const struct search_dir *dir;
	struct process *process;
	struct stream s;

	load_one(&s);
	stream_close_load(&s, 9000, 10);
	charges_path(&s, 100, "/lib");
	charges_path(&s, 101, "/empty");
	charges_path(&s, 102, "/body");
	charges_path(&s, 103, "/unread");
	charges_path(&s, 104, "/empty/m.so");
	charges_file(&s, 10, 101, VALUE(.first_ns = 1100, .stats = 1, .dirs_read = 1,
					.search_ns = 10));
	charges_file(&s, 10, 104, VALUE(.first_ns = 1150, .stats = 1, .stat_misses = 1,
					.miss_ns = 5));
	charges_file(&s, 10, 100, VALUE(.first_ns = 1200, .stats = 1, .dirs_read = 1));
	charges_file(&s, 10, 103, VALUE(.first_ns = 1300, .stats = 1));
	charges_file(&s, 11, 102, VALUE(.first_ns = 1400, .stats = 1, .dirs_read = 1));
	process = finish(&s, FILES);
	CHECK(process->files.dir_cnt == 2);
	dir = process->files.dirs[0];
	CHECK(!strcmp(dir->path, "/empty") && dir->searches == 1 && dir->found == 0);
	CHECK(dir->ns == 15 && dir->listed == 1 && !dir->is_package);
	dir = process->files.dirs[1];
	CHECK(!strcmp(dir->path, "/lib") && dir->searches == 1 && dir->found == 1);
	stream_close(&s);
}

static const struct lib *find_lib(struct lib *const *libs, size_t cnt, const char *path)
{
	for (size_t i = 0; i < cnt; i++)
		if (libs[i]->path && !strcmp(libs[i]->path, path))
			return libs[i];
	return NULL;
}

static void test_libs(void)
{
	const char *needed[] = { "libdep.so" };
	struct lib_info info = { "/lib/m.so", 4000, 7, needed, 1 };
	struct lib_info other = { "/lib/libdep.so", 4000, 99, needed, 1 };
	struct pyi_link link = { .span = 12, .value = { .open_ns = 50, .mapped_ns = 2300,
							.relro_ns = 2700 } };
	const struct process *process;
	const struct lib *lib;
	struct stream s;

	load_one(&s);
	stream_begin(&s, 2000, 12, 10, PYI_SPAN_DLOPEN, "/lib/m.so");
	stream_end(&s, 3000, 12);
	stream_close_load(&s, 9000, 10);
	link.hdr = stream_hdr(&s, PYI_EV_LINK, sizeof(link), 1);
	stream_apply(&s, &link, sizeof(link));
	charges_path(&s, 100, "/lib/m.so");
	charges_path(&s, 101, "/lib/libdep.so");
	charges_path(&s, 102, "/lib/libc.so.6");
	charges_path(&s, 103, "/lib/late.so");
	charges_path(&s, 104, "/lib/data");
	charges_file(&s, 12, 100, VALUE(.flags = PYI_FILE_EXEC | PYI_FILE_IN_LINK, .ino = 7,
					.size = 4000));
	charges_file(&s, 12, 101, VALUE(.flags = PYI_FILE_EXEC | PYI_FILE_IN_LINK, .ino = 8,
					.size = 4000));
	charges_file(&s, 0, 102, VALUE(.flags = PYI_FILE_EXEC, .first_ns = 600));
	charges_file(&s, 0, 103, VALUE(.flags = PYI_FILE_EXEC, .first_ns = 9500));
	charges_file(&s, 0, 104, VALUE(.first_ns = 9500, .mapped = 100));
	CHECK(!model__set_lib_info(s.model, &info) && !model__set_lib_info(s.model, &other));
	process = finish(&s, FILES);
	lib = find_lib(process->libs, process->lib_cnt, "/lib/m.so");
	CHECK(lib && lib->via == LIB_IMPORT && lib->wall_ns == 1000 && lib->bytes == 4000);
	CHECK(lib->open_ns == 50 && lib->map_ns == 250);
	CHECK(lib->relocate_ns == 400 && lib->constructors_ns == 300);
	CHECK(lib->info && lib->info->needed_cnt == 1);
	CHECK(process->other_lib_cnt == 3);
	lib = find_lib(process->other_libs, process->other_lib_cnt, "/lib/libdep.so");
	CHECK(lib && lib->via == LIB_NEEDED && lib->load == stream_load(&s, 1, "m", 0));
	CHECK(lib && !lib->info); /* what was looked at has another inode by now */
	lib = find_lib(process->other_libs, process->other_lib_cnt, "/lib/libc.so.6");
	CHECK(lib && lib->via == LIB_START);
	lib = find_lib(process->other_libs, process->other_lib_cnt, "/lib/late.so");
	CHECK(lib && lib->via == LIB_EXPLICIT && lib->relocate_ns == NS_UNKNOWN);
	stream_close(&s);
}

struct told {
	size_t calls, cnt;
	__u64 size;
};

static int on_large(void *ctx, const struct process *process, const struct large_file *files,
		    size_t cnt)
{
	struct told *told = ctx;

	CHECK(process->serial == 1 && cnt == 3 && files[1].size == files[2].size);
	told->calls++;
	told->cnt += cnt;
	told->size = files[0].size;
	return 0;
}

/* Worth comparing: large, used, by size, and not two names of one file. */
static void test_large_files(void)
{
	static const struct { __u64 size, ino, read, mapped; } files[] = {
		{ 3000000, 1, 3000000, 0 }, { 3000000, 2, 0, 3000000 }, { 3000000, 2, 3000000, 0 },
		{ 3000000, 3, 10, 0 }, { 3000001, 4, 3000001, 0 }, { 900000, 5, 1800000, 0 },
		{ 900000, 6, 1800000, 0 },
	};
	struct same_info same = { "/a", "/b", 3000000, 3000000, 0 };
	struct same_info part = { "/a", "/c", 3000000, 5000, 0 };
	const struct process *process;
	struct told told = {};
	struct stream s;

	load_one(&s);
	for (__u64 i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char name[] = { '/', 'a' + i, 0 };

		charges_path(&s, 100 + i, name);
		charges_file(&s, 10, 100 + i, VALUE(.ino = files[i].ino, .size = files[i].size,
						    .bytes_read = files[i].read,
						    .mapped = files[i].mapped));
	}
	CHECK(!model__each_large(s.model, on_large, &told));
	CHECK(told.calls == 1 && told.cnt == 3 && told.size == 3000001);
	CHECK(!model__add_same(s.model, 1, &same) && !model__add_same(s.model, 1, &part));
	CHECK(!model__add_same(s.model, 77, &same));
	process = finish(&s, FILES);
	CHECK(process->same_cnt == 1 && process->same[0]->cnt == 3);
	CHECK(process->same[0]->compared == 5000 && !strcmp(process->same[0]->paths[2], "/c"));
	stream_close(&s);
}

int main(void)
{
	RUN(test_merging);
	RUN(test_cache);
	RUN(test_paths);
	RUN(test_dirs);
	RUN(test_libs);
	RUN(test_large_files);
	return unit_result();
}
