// SPDX-License-Identifier: BSD-2-Clause
/*
 * --view phases: from exec to ready. First who was ready when, for services made of several
 * processes and containers; then the stretches of each process's start on one scale.
 */
#include "report/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/head/head.h"
#include "report/head/segments.h"
#include "report/text/sections.h"
#include "report/text/wording.h"

#define BAR_COLS 32

static const struct table_col phase_cols[] = {
	{ "phase", false, TABLE_CUT_TAIL, 24, 0 },
	{ "from", true, TABLE_WHOLE, 0, 0 },
	{ "to", true, TABLE_WHOLE, 0, 0 },
	{ "took", true, TABLE_WHOLE, 0, 0 },
	{ "", false, TABLE_CUT_TAIL, 0, 0 },
};
#define COLS(cols) (sizeof(cols) / sizeof((cols)[0]))

/* Since the process began, without what it was held for. */
static void add_since(const struct process *process, __u64 from_ns, __u64 to_ns,
		      struct table *table)
{
	char num[TEXT_NUM_SZ];
	bool is_known = to_ns != NS_UNKNOWN && from_ns != NS_UNKNOWN && to_ns >= from_ns;

	table__add(table, is_known ? text_ns(num, process_time_ns(process, from_ns, to_ns)) : "",
		   TABLE_PLAIN);
}

static void add_bar(const struct view *view, const struct phase *phase, __u64 base_ns,
		    __u64 last_ns, struct table *table)
{
	const char *mark = view->opts.use_ascii ? "#" : "\u2588";
	struct text_buf buf = { 0 };
	__u64 all = last_ns - base_ns, from, to;

	if (phase->end_ns > last_ns || !all) {
		table__add(table, "", TABLE_PLAIN);
		return;
	}
	from = (phase->start_ns - base_ns) * BAR_COLS / all;
	from -= from == BAR_COLS; /* the last moment */
	to = (phase->end_ns - base_ns) * BAR_COLS / all;
	text_buf__printf(&buf, "%*s", (int)from, "");
	for (__u64 i = from; i < to || i == from; i++)
		text_buf__add(&buf, mark);
	table__add(table, text_buf__str(&buf), TABLE_DIM);
	text_buf__free(&buf);
}

/* "exit" would squeeze everything else when a service ran for a day. */
static __u64 scale_end(const struct process *process)
{
	__u64 end_ns = 0;

	for (size_t i = 0; i < process->phase_cnt; i++)
		if (strcmp(process->phases[i].name, "exit") &&
		    strcmp(process->phases[i].name, "accept"))
			end_ns = process->phases[i].end_ns;
	return end_ns;
}

static void add_row(const struct view *view, const struct process *process, const char *name,
		    const struct phase *phase, struct table *table)
{
	__u64 base_ns = process->start_ns;
	bool is_moment = phase->start_ns == phase->end_ns;

	table__add(table, name, TABLE_PLAIN);
	add_since(process, base_ns, phase->start_ns, table);
	add_since(process, base_ns, is_moment ? NS_UNKNOWN : phase->end_ns, table);
	add_since(process, is_moment ? NS_UNKNOWN : phase->start_ns, phase->end_ns, table);
	add_bar(view, phase, base_ns, scale_end(process), table);
}

/* What the first thread did meanwhile. */
static int add_segments(const struct view *view, const struct process *process,
			struct table *table)
{
	_cleanup_free_ struct segment *segments = NULL;
	_cleanup_(text_buf__free) struct text_buf buf = { 0 };
	size_t cnt;
	int err = segments_find(process, &segments, &cnt);

	for (size_t i = 0; i < cnt; i++) {
		const struct phase phase = { NULL, segments[i].start_ns, segments[i].end_ns };

		text_buf__reset(&buf);
		text_buf__add(&buf, "  ");
		phrase_segment(view, process, &segments[i], &buf);
		add_row(view, process, text_buf__str(&buf), &phase, table);
	}
	return err;
}

/* What came before the program. */
static bool is_early(const struct phase *phase)
{
	return !strcmp(phase->name, "exec") || !strcmp(phase->name, "site") ||
	       !strcmp(phase->name, "interpreter");
}

static int add_phases(const struct view *view, const struct process *process,
		      struct table *table)
{
	bool has_segments = false;
	int err = 0;

	for (size_t i = 0; i < process->phase_cnt && !err; i++) {
		const struct phase *phase = &process->phases[i];
		struct text_buf buf = { 0 };

		if (!is_early(phase) && !has_segments) {
			has_segments = true;
			err = add_segments(view, process, table);
		}
		text_buf__add(&buf, phase->name);
		if (!strcmp(phase->name, "listen") && process->listen_port)
			text_buf__printf(&buf, " on port %u", process->listen_port);
		else if (!strcmp(phase->name, "ready") && process->ready_by)
			text_buf__printf(&buf, ", in %s", process->ready_by);
		add_row(view, process, text_buf__str(&buf), phase, table);
		text_buf__free(&buf);
	}
	return err ? err : has_segments ? 0 : add_segments(view, process, table);
}

static int write_process(const struct view *view, const struct process *process)
{
	_cleanup_(table__freep) struct table *table = NULL;
	const struct table_look look = view_look(view, 2);
	int err = table__new(&table, phase_cols, COLS(phase_cols));

	if (!err)
		err = head_write(view, process);
	if (!err)
		err = add_phases(view, process, table);
	if (err)
		return err;
	fputc('\n', view->out);
	if (table__row_cnt(table))
		err = table__print(table, &look, view->out);
	else
		put_para(view, 2, TABLE_PLAIN, "Its start was not seen.");
	fputc('\n', view->out);
	return err;
}

int phases_write(const struct view *view)
{
	int err = ready_write(view);

	return err ? err : view_each_process(view, write_process);
}
