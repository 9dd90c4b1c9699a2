// SPDX-License-Identifier: BSD-2-Clause
/* Large files of a start-up: the biggest ones, and those of one content. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/view.h"

void phrase_same(const struct view *view, const struct same_files *same, struct text_buf *buf)
{
	char num[TEXT_NUM_SZ];

	text_buf__printf(buf, "the same %s ", view_bytes(num, same->size));
	text_buf__printf(buf, "%sare read from %zu files: ", same->compared < same->size ?
			 "(going by samples) " : "", same->cnt);
	text_buf__escape(buf, same->paths[0], view_escape_flags(view));
	text_buf__add(buf, " and ");
	text_buf__escape(buf, same->paths[1], view_escape_flags(view));
	if (same->cnt > 2)
		text_buf__printf(buf, " and %s more", text_count(num, same->cnt - 2));
}

void same_write(const struct view *view, const struct process *process)
{
	struct text_buf buf = {0};

	if (!process->same_cnt)
		return;
	fputc('\n', view->out);
	put_para(view, 2, TABLE_BOLD, "Same content from several files");
	for (size_t i = 0; i < process->same_cnt && i < view_top(view); i++) {
		text_buf__reset(&buf);
		phrase_same(view, process->same[i], &buf);
		put_para(view, 4, TABLE_RED, text_buf__str(&buf));
	}
	text_buf__free(&buf);
}

static bool is_touched(const struct file *file, __u64 up_ns)
{
	return file->path && file->io.ino && !(file->io.flags & PYI_FILE_DIR) &&
	       file->io.first_ns <= up_ns && (file->io.bytes_read | file->io.mapped);
}

static int cmp_size(const void *a, const void *b)
{
	const struct file *x = *(const struct file *const *)a;
	const struct file *y = *(const struct file *const *)b;

	if (x->io.size != y->io.size)
		return x->io.size > y->io.size ? -1 : 1;
	return strcmp(x->path, y->path);
}

int biggest_write(const struct view *view, const struct process *process)
{
	static const struct table_col cols[] = {
		{"size", true, TABLE_WHOLE, 0, 0}, {"first used", true, TABLE_WHOLE, 0, 0},
		{"file", false, TABLE_CUT_HEAD, 20, 0}, {"first for", false, TABLE_CUT_MIDDLE, 10, 0},
	};
	const struct table_look look = view_look(view, 2);
	const struct process_files *files = &process->files;
	_cleanup_free_ const struct file **found = calloc(files->cnt + 1, sizeof(*found));
	_cleanup_(table__freep) struct table *table = NULL;
	_cleanup_(text_buf__free) struct text_buf buf = {0};
	__u64 up_ns = process_up_ns(process), base_ns = process_base_ns(process);
	char num[TEXT_NUM_SZ], at[TEXT_NUM_SZ + 1];
	size_t cnt = 0;
	int err = found ? table__new(&table, cols, sizeof(cols) / sizeof(cols[0])) : -ENOMEM;

	if (err || up_ns == NS_UNKNOWN)
		return err;
	for (size_t i = 0; i < files->cnt; i++)
		if (is_touched(files->files[i], up_ns) &&
		    (!cnt || found[cnt - 1]->path != files->files[i]->path))
			found[cnt++] = files->files[i];
	qsort(found, cnt, sizeof(*found), cmp_size);
	for (size_t i = 0; i < cnt && i < view_top(view); i++) {
		const struct load *load = found[i]->load;
		__u64 first_ns = found[i]->io.first_ns;

		table__add(table, view_bytes(num, found[i]->io.size), TABLE_PLAIN);
		snprintf(at, sizeof(at), "+%s",
			 text_ns(num, first_ns > base_ns ? first_ns - base_ns : 0));
		table__add(table, at, TABLE_PLAIN);
		text_buf__reset(&buf);
		text_buf__escape(&buf, found[i]->path, view_escape_flags(view));
		table__add(table, text_buf__str(&buf), TABLE_BOLD);
		text_buf__reset(&buf);
		if (load)
			phrase_name(view, load, &buf);
		table__add(table, load ? text_buf__str(&buf) : "(no import)", TABLE_DIM);
	}
	if (!cnt)
		return 0;
	fputc('\n', view->out);
	put_para(view, 2, TABLE_BOLD, process->ready_ns != NS_UNKNOWN ?
		 "Largest files used before it was ready" : "Largest files used by start-up");
	return table__print(table, &look, view->out);
}
