// SPDX-License-Identifier: BSD-2-Clause
/* Large files of a start-up: the biggest ones, and those of one content. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/view.h"
#include "report/text/sections.h"
#include "report/text/ranking.h"
#include "report/text/wording.h"

#define SAME_SHOWN 3 /* paths of one content */

static void add_elsewhere(const struct view *view, const struct same_elsewhere *other,
			  struct text_buf *buf)
{
	const struct container_info *container = &other->process->container;

	text_buf__escape(buf, other->path, view_escape_flags(view));
	text_buf__add(buf, container->id ? " in container " : " outside containers");
	if (container->id)
		text_buf__escape(buf, container->name ? container->name : container->id,
				 view_escape_flags(view));
}

void phrase_same(const struct view *view, const struct same_files *same, struct text_buf *buf)
{
	size_t cnt = same->cnt + same->elsewhere_cnt;
	/* Each kind has a place: what another container has is the news. */
	size_t own = same->elsewhere_cnt && same->cnt >= SAME_SHOWN ? SAME_SHOWN - 1 : same->cnt;
	size_t shown = 0;
	char num[TEXT_NUM_SZ];

	text_buf__printf(buf, "the same %s ", view_bytes(num, same->size));
	text_buf__printf(buf, "%sare read from %zu files: ", same->compared < same->size ?
			 "(going by samples) " : "", cnt);
	for (; shown < own && shown < SAME_SHOWN; shown++) {
		text_buf__add(buf, !shown ? "" : shown + 1 == cnt ? " and " : ", ");
		text_buf__escape(buf, same->paths[shown], view_escape_flags(view));
	}
	for (size_t i = 0; i < same->elsewhere_cnt && shown < SAME_SHOWN; i++, shown++) {
		text_buf__add(buf, shown + 1 == cnt ? " and " : ", ");
		add_elsewhere(view, same->elsewhere[i], buf);
	}
	if (shown < cnt)
		text_buf__printf(buf, " and %s more", text_count(num, cnt - shown));
}

void same_write(const struct view *view, const struct process *process)
{
	struct text_buf buf = { 0 };

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

/* One path, whoever used it. */
struct large {
	const struct file *first; /* the import that did, if one did */
	__u64 bytes_read, mapped, bytes_disk;
};

static int cmp_size(const void *a, const void *b)
{
	const struct file *x = ((const struct large *)a)->first;
	const struct file *y = ((const struct large *)b)->first;

	if (x->io.size != y->io.size)
		return x->io.size > y->io.size ? -1 : 1;
	return strcmp(x->path, y->path);
}

static size_t find_large(const struct process *process, __u64 up_ns, struct large *large)
{
	const struct process_files *files = &process->files;
	size_t cnt = 0;

	for (size_t i = 0; i < files->cnt; i++) {
		const struct file *file = files->files[i];

		if (!is_touched(file, up_ns))
			continue;
		if (!cnt || large[cnt - 1].first->path != file->path)
			large[cnt++] = (struct large){ .first = file };
		large[cnt - 1].bytes_read += file->io.bytes_read;
		large[cnt - 1].mapped += file->io.mapped;
		large[cnt - 1].bytes_disk += file->io.bytes_disk;
	}
	qsort(large, cnt, sizeof(*large), cmp_size);
	return cnt;
}

/* Where its bytes came from: what is mapped is read ahead, so a part says little about a byte. */
static void add_source(const struct process *process, const struct large *large,
		       struct table *table)
{
	char num[TEXT_NUM_SZ], text[TEXT_NUM_SZ + 16];

	if (!(process->measured & PYI_GROUP_DISK))
		snprintf(text, sizeof(text), "unknown");
	else if (!large->bytes_disk)
		snprintf(text, sizeof(text), "page cache");
	else
		snprintf(text, sizeof(text), "%s from disk", view_bytes(num, large->bytes_disk));
	table__add(table, text, large->bytes_disk ? TABLE_RED : TABLE_PLAIN);
}

static void add_large(const struct view *view, const struct process *process,
		      const struct large *large, struct table *table)
{
	__u64 first_ns = large->first->io.first_ns, base_ns = process_base_ns(process);
	const struct load *load = large->first->load;
	char num[TEXT_NUM_SZ], at[TEXT_NUM_SZ + 1];
	struct text_buf buf = { 0 };

	table__add(table, view_bytes(num, large->first->io.size), TABLE_PLAIN);
	table__add(table, large->bytes_read ? view_bytes(num, large->bytes_read) : "-",
		   TABLE_PLAIN);
	table__add(table, large->mapped ? view_bytes(num, large->mapped) : "-", TABLE_PLAIN);
	add_source(process, large, table);
	snprintf(at, sizeof(at), "+%s", text_ns(num, first_ns > base_ns ? first_ns - base_ns : 0));
	table__add(table, at, TABLE_PLAIN);
	text_buf__escape(&buf, large->first->path, view_escape_flags(view));
	table__add(table, text_buf__str(&buf), TABLE_BOLD);
	text_buf__reset(&buf);
	if (load)
		phrase_name(view, load, &buf);
	table__add(table, load ? text_buf__str(&buf) : "(no import)", TABLE_DIM);
	text_buf__free(&buf);
}

int biggest_write(const struct view *view, const struct process *process, size_t max,
		  unsigned int least_pct)
{
	static const struct table_col cols[] = {
		{ "size", true, TABLE_WHOLE, 0, 0 }, { "read", true, TABLE_WHOLE, 0, 0 },
		{ "mapped", true, TABLE_WHOLE, 0, 0 }, { "from", false, TABLE_WHOLE, 0, 0 },
		{ "first used", true, TABLE_WHOLE, 0, 0 }, { "file", false, TABLE_CUT_HEAD, 20, 0 },
		{ "first for", false, TABLE_CUT_MIDDLE, 10, 0 },
	};
	const struct table_look look = view_look(view, 2);
	_cleanup_free_ struct large *large = calloc(process->files.cnt + 1, sizeof(*large));
	_cleanup_(table__freep) struct table *table = NULL;
	__u64 up_ns = process_up_ns(process);
	int err = large ? table__new(&table, cols, sizeof(cols) / sizeof(cols[0])) : -ENOMEM;
	size_t cnt;

	if (err || up_ns == NS_UNKNOWN)
		return err;
	cnt = find_large(process, up_ns, large);
	for (size_t i = 0; i < cnt && i < max &&
	     large[i].first->io.size >= large[0].first->io.size / 100 * least_pct; i++)
		add_large(view, process, &large[i], table);
	if (!cnt)
		return 0;
	fputc('\n', view->out);
	put_para(view, 2, TABLE_BOLD, process->ready_ns != NS_UNKNOWN ?
		 "Largest files used before it was ready" : "Largest files used by start-up");
	return table__print(table, &look, view->out);
}
