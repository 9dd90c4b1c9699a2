// SPDX-License-Identifier: BSD-2-Clause
/* --view modules: the dearest imports by self and by total time, all that failed or waited. */
#include "report/view.h"

#include "base/cleanup.h"
#include "report/head/head.h"
#include "report/text/sections.h"
#include "report/text/ranking.h"
#include "report/text/wording.h"

#define COLS_TIME { "self", true, TABLE_WHOLE, 0, 0 }, { "total", true, TABLE_WHOLE, 0, 0 }
#define COL_MODULE { "module", false, TABLE_CUT_MIDDLE, 14, 0 }
#define COL_KIND { "kind", false, TABLE_CUT_MIDDLE, 10, 0 }
#define COL_IMPORTER { "imported by", false, TABLE_CUT_HEAD, 12, 0 }

static const struct table_col wide[] = { COLS_TIME, COL_MODULE, COL_KIND, COL_IMPORTER };
static const struct table_col narrow[] = { COLS_TIME, COL_MODULE, COL_IMPORTER };

static void add_row(const struct view *view, const struct load *load, struct table *table)
{
	enum table_style style = load->result == LOAD_LOADED ? TABLE_BOLD : TABLE_RED;
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	table__add(table, text_ns(num, load->self_ns), TABLE_PLAIN);
	table__add(table, text_ns(num, load->wall_ns), TABLE_PLAIN);
	if (view_is_narrow(view)) {
		phrase_module(view, load, &buf);
		table__add(table, text_buf__str(&buf), style);
	} else {
		phrase_name(view, load, &buf);
		table__add(table, text_buf__str(&buf), style);
		text_buf__reset(&buf);
		phrase_kind(view, load, &buf);
		table__add(table, text_buf__str(&buf), style_of(load));
	}
	text_buf__reset(&buf);
	phrase_importer(view, load, &buf);
	table__add(table, text_buf__str(&buf), TABLE_DIM);
	text_buf__free(&buf);
}

static int write_table(const struct view *view, const struct process *process, enum rank by)
{
	_cleanup_free_ struct load **loads = NULL;
	_cleanup_(table__freep) struct table *table = NULL;
	const struct table_look look = view_look(view, 2);
	int err = rank_loads(process, by, &loads);

	if (!err)
		err = view_is_narrow(view) ? table__new(&table, narrow, 4) :
					     table__new(&table, wide, 5);
	if (err)
		return err;
	for (size_t i = 0; i < process->load_cnt; i++) {
		/* The program itself is no import; what never ended has no cost to rank. */
		if (loads[i]->via == VIA_MAIN || loads[i]->wall_ns == NS_UNKNOWN)
			continue;
		if (table__row_cnt(table) == view_top(view))
			break;
		add_row(view, loads[i], table);
	}
	if (!table__row_cnt(table))
		return 0;
	fputc('\n', view->out);
	put_para(view, 2, TABLE_BOLD,
		 by == RANK_SELF ? "Most expensive by self time (without what they import)" :
				   "Most expensive by total time (with what they import)");
	return table__print(table, &look, view->out);
}

static int write_process(const struct view *view, const struct process *process)
{
	struct headline headline;
	int err = head_write(view, process);

	if (!err)
		err = headline_find(process, &headline);
	if (!err)
		err = write_table(view, process, RANK_SELF);
	if (!err)
		err = write_table(view, process, RANK_TOTAL);
	if (!err)
		err = problems_write(view, process, &headline);
	fputc('\n', view->out);
	return err;
}

int modules_write(const struct view *view)
{
	return view_each_process(view, write_process);
}
