// SPDX-License-Identifier: BSD-2-Clause
/*
 * --view service: why a service takes long to be ready, on one page. Who was ready when; of each
 * process what took the time, the largest files, its network, and what it imports when it serves.
 */
#include "report/view.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "model/tree/late_imports.h"
#include "report/head/head.h"
#include "report/head/segments.h"
#include "report/text/sections.h"
#include "report/text/ranking.h"
#include "report/text/wording.h"

#define ROWS_MAX 5    /* of each table, unless --top says otherwise */
#define SEGMENTS_MAX 8
#define FILE_LEAST_PCT 2 /* of the largest one: what is smaller is no news beside it */

static size_t rows_of(const struct view *view)
{
	return view->opts.top ? view->opts.top : ROWS_MAX;
}

static __u64 took_ns(const struct process *process, const struct segment *segment)
{
	return process_time_ns(process, segment->start_ns, segment->end_ns);
}

/* By what is shown, the dearest first: there are some hundred at most. */
static void sort_dear(const struct process *process, struct segment *segments, size_t cnt)
{
	for (size_t i = 1; i < cnt; i++) {
		struct segment moved = segments[i];
		size_t at = i;

		for (; at && took_ns(process, &segments[at - 1]) < took_ns(process, &moved); at--)
			segments[at] = segments[at - 1];
		segments[at] = moved;
	}
}

/* The start-up's parts, the dearest first; shares are of the time to ready. */
static int put_times(const struct view *view, const struct process *process)
{
	static const struct table_col cols[] = {
		{ "took", true, TABLE_WHOLE, 0, 0 }, { "share", true, TABLE_WHOLE, 0, 0 },
		{ "at", true, TABLE_WHOLE, 0, 0 }, { "what", false, TABLE_CUT_TAIL, 20, 0 },
	};
	const struct table_look look = view_look(view, 2);
	_cleanup_(table__freep) struct table *table = NULL;
	_cleanup_(text_buf__free) struct text_buf buf = { 0 };
	_cleanup_free_ struct segment *segments = NULL;
	__u64 whole_ns, begin_ns = process->start_ns;
	char num[TEXT_NUM_SZ];
	size_t cnt;
	int err = segments_find(process, &segments, &cnt);

	if (err || !cnt)
		return err;
	whole_ns = process_time_ns(process, begin_ns, segments[cnt - 1].end_ns);
	sort_dear(process, segments, cnt);
	err = table__new(&table, cols, sizeof(cols) / sizeof(cols[0]));
	for (size_t i = 0; i < cnt && i < SEGMENTS_MAX && !err && whole_ns; i++) {
		__u64 part_ns = took_ns(process, &segments[i]);

		table__add(table, text_ns(num, part_ns), TABLE_PLAIN);
		snprintf(num, sizeof(num), "%.0f%%", part_ns * 100.0 / whole_ns);
		table__add(table, num, TABLE_PLAIN);
		table__add(table, text_ns(num, process_time_ns(process, begin_ns,
							       segments[i].start_ns)), TABLE_DIM);
		text_buf__reset(&buf);
		phrase_segment(view, process, &segments[i], &buf);
		table__add(table, text_buf__str(&buf), TABLE_BOLD);
	}
	if (err || !table__row_cnt(table))
		return err;
	text_buf__reset(&buf);
	text_buf__printf(&buf, "What took the time, of %s %s", text_ns(num, whole_ns),
			 process->ready_ns != NS_UNKNOWN ? "until it was ready" :
			 "until its last import");
	fputc('\n', view->out);
	put_para(view, 2, TABLE_BOLD, text_buf__str(&buf));
	return table__print(table, &look, view->out);
}

/* What is imported while somebody may wait for an answer. */
static int put_late(const struct view *view, const struct process *process)
{
	static const struct table_col cols[] = {
		{ "total", true, TABLE_WHOLE, 0, 0 }, { "module", false, TABLE_CUT_MIDDLE, 14, 0 },
		{ "imported by", false, TABLE_CUT_HEAD, 12, 0 },
	};
	const struct table_look look = view_look(view, 2);
	_cleanup_(table__freep) struct table *table = NULL;
	_cleanup_(text_buf__free) struct text_buf buf = { 0 };
	_cleanup_free_ struct load **loads = NULL;
	char num[TEXT_NUM_SZ];
	int err = process->ready_ns == NS_UNKNOWN ? -ENODATA :
		  rank_loads(process, RANK_TOTAL, &loads);

	if (!err)
		err = table__new(&table, cols, sizeof(cols) / sizeof(cols[0]));
	for (size_t i = 0; !err && i < process->load_cnt && table__row_cnt(table) < rows_of(view);
	     i++) {
		if (!load_is_late(loads[i]) || !load_is_outermost(loads[i]))
			continue;
		table__add(table, text_ns(num, loads[i]->wall_ns), TABLE_PLAIN);
		text_buf__reset(&buf);
		phrase_module(view, loads[i], &buf);
		table__add(table, text_buf__str(&buf), style_of(loads[i]));
		text_buf__reset(&buf);
		phrase_importer(view, loads[i], &buf);
		table__add(table, text_buf__str(&buf), TABLE_DIM);
	}
	if (err || !table__row_cnt(table))
		return err == -ENODATA ? 0 : err;
	fputc('\n', view->out);
	put_para(view, 2, TABLE_BOLD, "Imported when it was ready");
	return table__print(table, &look, view->out);
}

static int write_process(const struct view *view, const struct process *process)
{
	int err;

	if (process->next) /* replaced while it started: a part of the next one */
		return 0;
	err = head_write(view, process);
	if (!err)
		err = put_times(view, process);
	if (!err)
		err = biggest_write(view, process, rows_of(view),
				    view->opts.top ? 0 : FILE_LEAST_PCT);
	if (!err)
		same_write(view, process);
	if (!err && process_up_ns(process) != NS_UNKNOWN)
		err = net_uses_write(view, process, process_up_ns(process), rows_of(view));
	if (!err)
		err = put_late(view, process);
	fputc('\n', view->out);
	return err;
}

int service_write(const struct view *view)
{
	int err = ready_write(view);

	return err ? err : view_each_process(view, write_process);
}
