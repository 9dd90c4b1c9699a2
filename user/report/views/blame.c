// SPDX-License-Identifier: BSD-2-Clause
/* Blame, in the manner of systemd-analyze: one line per load, dearest by self time first. */
#include "report/view.h"

#include "base/cleanup.h"
#include "report/head/groups.h"
#include "report/head/head.h"
#include "report/text/rank.h"
#include "report/text/walk.h"
#include "report/text/wording.h"

static const struct table_col cols[] = {
	{ "self", true, TABLE_WHOLE, 0, 0 },
	{ "total", true, TABLE_WHOLE, 0, 0 },
	{ "module", false, TABLE_CUT_MIDDLE, 14, 0 },
	{ "imported by", false, TABLE_CUT_HEAD, 12, 0 },
};

static void add_row(const struct view *view, const struct load *load, struct text_buf *buf,
		    struct table *table)
{
	char num[TEXT_NUM_SZ];

	table__add(table, text_ns(num, load->self_ns), TABLE_PLAIN);
	table__add(table, text_ns(num, load->wall_ns), TABLE_PLAIN);
	text_buf__reset(buf);
	phrase_module(view, load, buf);
	table__add(table, text_buf__str(buf), style_of(load));
	text_buf__reset(buf);
	phrase_importer(view, load, buf);
	table__add(table, text_buf__str(buf), TABLE_DIM);
}

static int write_process(const struct view *view, const struct process *process)
{
	_cleanup_free_ struct load **loads = NULL;
	_cleanup_(table__freep) struct table *table = NULL;
	_cleanup_(text_buf__free) struct text_buf buf = { 0 };
	const struct table_look look = view_look(view, 0);
	size_t cnt = process->load_cnt;
	int err = rank_loads(process, RANK_SELF, &loads);

	if (!err)
		err = table__new(&table, cols, sizeof(cols) / sizeof(cols[0]));
	if (!err)
		err = head_write(view, process);
	if (err)
		return err;
	if (view->opts.top && view->opts.top < cnt)
		cnt = view->opts.top;
	for (size_t i = 0; i < cnt; i++)
		add_row(view, loads[i], &buf, table);
	if (buf.err)
		return buf.err;
	fputc('\n', view->out);
	if (cnt)
		err = table__print(table, &look, view->out);
	fputc('\n', view->out);
	return err;
}

int blame_write(const struct view *view)
{
	_cleanup_free_ struct process **processes = NULL;
	size_t cnt;
	int err = walk_processes(view->model, &processes, &cnt);

	for (size_t i = 0; !err && i < cnt && !ferror(view->out); i++)
		if (process_is_drawn(view, processes[i]))
			err = write_process(view, processes[i]);
	return err ? err : foot_write(view);
}
