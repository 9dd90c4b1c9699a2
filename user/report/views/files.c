// SPDX-License-Identifier: BSD-2-Clause
/*
 * --view files: which directories were searched for nothing, which imports and which files cost the
 * most, what came from disk, what was opened again and again.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/view.h"
#include "report/head/head.h"
#include "report/text/sections.h"
#include "report/text/wording.h"
#include "report/enum_words.h"

#define OFTEN_CNT 3 /* opens of one file that are worth a line */

static void add_bytes(struct table *table, __u64 bytes)
{
	char num[TEXT_NUM_SZ];

	table__add(table, bytes ? view_bytes(num, bytes) : "-", TABLE_PLAIN);
}

static void add_count(struct table *table, __u64 count)
{
	char num[TEXT_NUM_SZ];

	table__add(table, count ? text_count(num, count) : "-", TABLE_PLAIN);
}

static void add_ns(struct table *table, __u64 ns)
{
	char num[TEXT_NUM_SZ];

	table__add(table, text_ns(num, ns), TABLE_PLAIN);
}

static void put_title(const struct view *view, const char *title)
{
	fputc('\n', view->out);
	put_para(view, 2, TABLE_BOLD, title);
}

static void put_sums(const struct view *view, const struct process *process)
{
	const struct pyi_charge *total = &process->total;
	const char *cache = word_cache(process->files.cache);
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	text_buf__printf(&buf, "%s opens", text_count(num, total->opens));
	text_buf__printf(&buf, " (%s misses)", text_count(num, total->open_misses));
	text_buf__printf(&buf, ", %s stat calls", text_count(num, total->stats));
	text_buf__printf(&buf, " (%s misses)", text_count(num, total->stat_misses));
	text_buf__printf(&buf, ", %s directories listed, ", text_count(num, total->dirs_read));
	text_buf__printf(&buf, "%s in all; ", text_ns(num, total->search_ns));
	text_buf__printf(&buf, "%s read", view_bytes(num, total->bytes_read));
	text_buf__printf(&buf, ", %s mapped, ", view_bytes(num, total->mapped));
	if (process->measured & PYI_GROUP_DISK)
		text_buf__printf(&buf, "%s from disk", view_bytes(num, total->bytes_from_disk));
	else
		text_buf__add(&buf, "how much from disk is unknown");
	if (cache)
		text_buf__printf(&buf, " (a %s start)", cache);
	put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

static int put_dirs(const struct view *view, const struct process *process)
{
	static const struct table_col cols[] = {
		{ "entry", true, TABLE_WHOLE, 0, 0 }, { "searched", true, TABLE_WHOLE, 0, 0 },
		{ "misses", true, TABLE_WHOLE, 0, 0 }, { "time", true, TABLE_WHOLE, 0, 0 },
		{ "directory", false, TABLE_CUT_HEAD, 20, 0 },
	};
	const struct table_look look = view_look(view, 2);
	const struct process_files *files = &process->files;
	_cleanup_(table__freep) struct table *table = NULL;
	_cleanup_(text_buf__free) struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];
	size_t entry = 0;
	int err = table__new(&table, cols, sizeof(cols) / sizeof(cols[0]));

	for (size_t i = 0; !err && i < files->dir_cnt; i++) {
		const struct search_dir *dir = files->dirs[i];

		if (dir->is_package)
			continue;
		table__add(table, text_count(num, ++entry), TABLE_PLAIN);
		add_count(table, dir->searches);
		add_count(table, dir->searches > dir->found ? dir->searches - dir->found : 0);
		add_ns(table, dir->ns);
		text_buf__reset(&buf);
		text_buf__escape(&buf, dir->path, view_escape_flags(view));
		table__add(table, text_buf__str(&buf), TABLE_BOLD);
	}
	if (err || !entry)
		return err;
	put_title(view, "Directories searched for modules without a dot (sys.path), in order");
	return table__print(table, &look, view->out);
}

static int cmp_search(const void *a, const void *b)
{
	const struct load *x = *(struct load *const *)a, *y = *(struct load *const *)b;

	if (x->charge->search_ns != y->charge->search_ns)
		return x->charge->search_ns > y->charge->search_ns ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int put_loads(const struct view *view, const struct process *process)
{
	static const struct table_col cols[] = {
		{ "time", true, TABLE_WHOLE, 0, 0 }, { "opens", true, TABLE_WHOLE, 0, 0 },
		{ "stats", true, TABLE_WHOLE, 0, 0 }, { "misses", true, TABLE_WHOLE, 0, 0 },
		{ "read", true, TABLE_WHOLE, 0, 0 }, { "from disk", true, TABLE_WHOLE, 0, 0 },
		{ "module", false, TABLE_CUT_MIDDLE, 14, 0 },
	};
	const struct table_look look = view_look(view, 2);
	_cleanup_free_ struct load **loads = calloc(process->load_cnt + 1, sizeof(*loads));
	_cleanup_(table__freep) struct table *table = NULL;
	_cleanup_(text_buf__free) struct text_buf buf = { 0 };
	int err = loads ? table__new(&table, cols, sizeof(cols) / sizeof(cols[0])) : -ENOMEM;

	if (err || !process->load_cnt)
		return err;
	memcpy(loads, process->loads, process->load_cnt * sizeof(*loads));
	qsort(loads, process->load_cnt, sizeof(*loads), cmp_search);
	for (size_t i = 0; i < process->load_cnt && i < view_top(view); i++) {
		const struct pyi_charge *charge = loads[i]->charge;

		if (!charge->search_ns)
			break;
		add_ns(table, charge->search_ns);
		add_count(table, charge->opens);
		add_count(table, charge->stats);
		add_count(table, charge->open_misses + charge->stat_misses);
		add_bytes(table, charge->bytes_read);
		add_bytes(table, charge->bytes_from_disk);
		text_buf__reset(&buf);
		phrase_module(view, loads[i], &buf);
		table__add(table, text_buf__str(&buf), style_of(loads[i]));
	}
	put_title(view, "Imports that spent most on finding and opening files (without what they import)");
	return table__print(table, &look, view->out);
}

/* One path, whoever used it. */
struct path_sum {
	const struct file *first;
	__u64 read, mapped, disk, opens;
};

static int cmp_bytes(const void *a, const void *b)
{
	const struct path_sum *x = a, *y = b;
	__u64 x_sz = x->disk > x->read ? x->disk : x->read;
	__u64 y_sz = y->disk > y->read ? y->disk : y->read;

	if (x_sz != y_sz)
		return x_sz > y_sz ? -1 : 1;
	if (x->mapped != y->mapped)
		return x->mapped > y->mapped ? -1 : 1;
	return strcmp(x->first->path, y->first->path);
}

static int cmp_opens(const void *a, const void *b)
{
	const struct path_sum *x = a, *y = b;

	return x->opens > y->opens ? -1 : x->opens < y->opens ? 1 : cmp_bytes(a, b);
}

static size_t sum_paths(const struct process_files *files, struct path_sum *sums)
{
	size_t cnt = 0;

	for (size_t i = 0; i < files->cnt; i++) {
		const struct file *file = files->files[i];
		struct path_sum *sum = cnt ? &sums[cnt - 1] : NULL;

		if (!file->path)
			continue;
		if (!sum || sum->first->path != file->path) {
			sum = &sums[cnt++];
			*sum = (struct path_sum){ .first = file };
		}
		if (file->load && !sum->first->load)
			sum->first = file;
		sum->read += file->io.bytes_read;
		sum->mapped += file->io.mapped;
		sum->disk += file->io.bytes_disk;
		sum->opens += file->io.opens - file->io.open_misses;
	}
	return cnt;
}

static int put_paths(const struct view *view, const char *title, const struct path_sum *sums,
		     size_t cnt)
{
	static const struct table_col cols[] = {
		{ "opens", true, TABLE_WHOLE, 0, 0 }, { "read", true, TABLE_WHOLE, 0, 0 },
		{ "mapped", true, TABLE_WHOLE, 0, 0 }, { "from disk", true, TABLE_WHOLE, 0, 0 },
		{ "file", false, TABLE_CUT_HEAD, 20, 0 },
		{ "first for", false, TABLE_CUT_MIDDLE, 10, 0 },
	};
	const struct table_look look = view_look(view, 2);
	_cleanup_(table__freep) struct table *table = NULL;
	_cleanup_(text_buf__free) struct text_buf buf = { 0 };
	int err = table__new(&table, cols, sizeof(cols) / sizeof(cols[0]));

	if (err || !cnt)
		return err;
	for (size_t i = 0; i < cnt && i < view_top(view); i++) {
		const struct load *load = sums[i].first->load;

		add_count(table, sums[i].opens);
		add_bytes(table, sums[i].read);
		add_bytes(table, sums[i].mapped);
		add_bytes(table, sums[i].disk);
		text_buf__reset(&buf);
		text_buf__escape(&buf, sums[i].first->path, view_escape_flags(view));
		table__add(table, text_buf__str(&buf), TABLE_BOLD);
		text_buf__reset(&buf);
		if (load)
			phrase_name(view, load, &buf);
		table__add(table, load ? text_buf__str(&buf) : "(no import)", TABLE_DIM);
	}
	put_title(view, title);
	return table__print(table, &look, view->out);
}

static int put_files(const struct view *view, const struct process *process)
{
	const struct process_files *files = &process->files;
	_cleanup_free_ struct path_sum *sums = calloc(files->cnt + 1, sizeof(*sums));
	size_t cnt = sums ? sum_paths(files, sums) : 0, shown = 0;
	int err;

	if (!sums)
		return -ENOMEM;
	qsort(sums, cnt, sizeof(*sums), cmp_bytes);
	while (shown < cnt && (sums[shown].read | sums[shown].disk | sums[shown].mapped))
		shown++;
	err = put_paths(view, "Files with most bytes", sums, shown);
	if (err)
		return err;
	qsort(sums, cnt, sizeof(*sums), cmp_opens);
	for (shown = 0; shown < cnt && sums[shown].opens >= OFTEN_CNT;)
		shown++;
	return put_paths(view, "Files opened again and again", sums, shown);
}

static int write_process(const struct view *view, const struct process *process)
{
	int err = head_write(view, process);

	if (err)
		return err;
	if (!(process->measured & PYI_GROUP_FILES)) {
		put_para(view, 2, TABLE_PLAIN, "Files were not traced.");
		return 0;
	}
	put_sums(view, process);
	err = put_dirs(view, process);
	if (!err)
		err = put_loads(view, process);
	if (!err)
		err = put_files(view, process);
	if (!err)
		err = biggest_write(view, process, view_top(view), 0);
	if (!err)
		same_write(view, process);
	fputc('\n', view->out);
	return err;
}

int files_write(const struct view *view)
{
	return view_each_process(view, write_process);
}
