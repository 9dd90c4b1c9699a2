// SPDX-License-Identifier: BSD-2-Clause
/* --view libs: shared objects, dearest first, where linking them spent its time, what they need. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/view.h"
#include "report/head/head.h"
#include "report/text/wording.h"

static int cmp_wall(const void *a, const void *b)
{
	const struct lib *x = *(struct lib *const *)a, *y = *(struct lib *const *)b;
	__u64 x_ns = x->wall_ns == NS_UNKNOWN ? 0 : x->wall_ns;
	__u64 y_ns = y->wall_ns == NS_UNKNOWN ? 0 : y->wall_ns;

	if (x_ns != y_ns)
		return x_ns > y_ns ? -1 : 1;
	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

static int cmp_bytes(const void *a, const void *b)
{
	const struct lib *x = *(struct lib *const *)a, *y = *(struct lib *const *)b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

static struct lib **sorted(struct lib **libs, size_t cnt,
			   int (*cmp)(const void *, const void *))
{
	struct lib **copy = calloc(cnt + 1, sizeof(*copy));

	if (copy && cnt) {
		memcpy(copy, libs, cnt * sizeof(*copy));
		qsort(copy, cnt, sizeof(*copy), cmp);
	}
	return copy;
}

static void add_ns(struct table *table, __u64 ns)
{
	char num[TEXT_NUM_SZ];

	table__add(table, text_ns(num, ns), TABLE_PLAIN);
}

static void add_names(const struct view *view, const struct lib *lib, struct table *table)
{
	struct text_buf buf = { 0 };
	const char *path, *base;
	char num[TEXT_NUM_SZ];

	table__add(table, lib->bytes == NS_UNKNOWN ? "-" : view_bytes(num, lib->bytes),
		   TABLE_PLAIN);
	path = lib->path ? lib->path : "?";
	base = strrchr(path, '/');
	text_buf__escape(&buf, base && base[1] ? base + 1 : path, view_escape_flags(view));
	table__add(table, text_buf__str(&buf), lib->failed ? TABLE_RED : TABLE_BOLD);
	text_buf__reset(&buf);
	if (lib->load)
		phrase_name(view, lib->load, &buf);
	table__add(table, lib->load ? text_buf__str(&buf) : "(no import)", TABLE_DIM);
	text_buf__free(&buf);
}

static int put_own(const struct view *view, const struct process *process)
{
	static const struct table_col cols[] = {
		{ "dlopen", true, TABLE_WHOLE, 0, 0 }, { "open", true, TABLE_WHOLE, 0, 0 },
		{ "map", true, TABLE_WHOLE, 0, 0 }, { "relocate", true, TABLE_WHOLE, 0, 0 },
		{ "constructors", true, TABLE_WHOLE, 0, 0 }, { "size", true, TABLE_WHOLE, 0, 0 },
		{ "shared object", false, TABLE_CUT_TAIL, 14, 0 },
		{ "for", false, TABLE_CUT_MIDDLE, 10, 12 },
	};
	const struct table_look look = view_look(view, 2);
	_cleanup_free_ struct lib **libs = sorted(process->libs, process->lib_cnt, cmp_wall);
	_cleanup_(table__freep) struct table *table = NULL;
	int err = libs ? table__new(&table, cols, sizeof(cols) / sizeof(cols[0])) : -ENOMEM;

	if (err || !process->lib_cnt)
		return err;
	for (size_t i = 0; i < process->lib_cnt && i < view_top(view); i++) {
		add_ns(table, libs[i]->wall_ns);
		add_ns(table, libs[i]->open_ns);
		add_ns(table, libs[i]->map_ns);
		add_ns(table, libs[i]->relocate_ns);
		add_ns(table, libs[i]->constructors_ns);
		add_names(view, libs[i], table);
	}
	fputc('\n', view->out);
	put_para(view, 2, TABLE_BOLD, "Extension modules, by the time of their dlopen");
	return table__print(table, &look, view->out);
}

static int put_others(const struct view *view, const struct process *process, enum lib_via via,
		      const char *title)
{
	static const struct table_col cols[] = {
		{ "size", true, TABLE_WHOLE, 0, 0 },
		{ "shared object", false, TABLE_CUT_TAIL, 20, 0 },
		{ "first for", false, TABLE_CUT_MIDDLE, 10, 0 },
	};
	const struct table_look look = view_look(view, 2);
	_cleanup_free_ struct lib **libs = sorted(process->other_libs, process->other_lib_cnt,
						  cmp_bytes);
	_cleanup_(table__freep) struct table *table = NULL;
	int err = libs ? table__new(&table, cols, sizeof(cols) / sizeof(cols[0])) : -ENOMEM;

	if (err)
		return err;
	for (size_t i = 0; i < process->other_lib_cnt; i++)
		if (libs[i]->via == via && table__row_cnt(table) < view_top(view))
			add_names(view, libs[i], table);
	if (!table__row_cnt(table))
		return 0;
	fputc('\n', view->out);
	put_para(view, 2, TABLE_BOLD, title);
	return table__print(table, &look, view->out);
}

static void put_sums(const struct view *view, const struct process *process)
{
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];
	__u64 wall_ns = 0, bytes = 0;
	size_t needed_cnt = 0;

	for (size_t i = 0; i < process->lib_cnt; i++) {
		wall_ns += process->libs[i]->wall_ns == NS_UNKNOWN ? 0 : process->libs[i]->wall_ns;
		bytes += process->libs[i]->bytes == NS_UNKNOWN ? 0 : process->libs[i]->bytes;
	}
	for (size_t i = 0; i < process->other_lib_cnt; i++) {
		needed_cnt += process->other_libs[i]->via == LIB_NEEDED;
		bytes += process->other_libs[i]->bytes;
	}
	text_buf__printf(&buf, "%s shared objects opened by imports in ",
			 text_count(num, process->lib_cnt));
	text_buf__printf(&buf, "%s, ", text_ns(num, wall_ns));
	text_buf__printf(&buf, "which pulled in %s more; ", text_count(num, needed_cnt));
	text_buf__printf(&buf, "%s of files with those of the program itself",
			 view_bytes(num, bytes));
	put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

static int write_process(const struct view *view, const struct process *process)
{
	int err = head_write(view, process);

	if (err)
		return err;
	put_sums(view, process);
	err = put_own(view, process);
	if (!err)
		err = put_others(view, process, LIB_NEEDED, "Pulled in by them, by size");
	if (!err)
		err = put_others(view, process, LIB_EXPLICIT,
				 "Loaded by ctypes, cffi or C code, by size");
	if (!(process->measured & PYI_GROUP_FILES))
		put_para(view, 2, TABLE_PLAIN,
			 "Files were not traced: stages, sizes and what was pulled in are unknown.");
	fputc('\n', view->out);
	return err;
}

int libs_write(const struct view *view)
{
	return view_each_process(view, write_process);
}
