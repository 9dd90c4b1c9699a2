// SPDX-License-Identifier: BSD-2-Clause
/*
 * --view phases: from exec to ready. First who was ready when, for services made of several
 * processes and containers; then the stretches of each process's start on one scale.
 */
#include "report/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define BAR_COLS 32

static const struct table_col ready_cols[] = {
	{"process", false, TABLE_CUT_MIDDLE, 20, 0},
	{"begins", true, TABLE_WHOLE, 0, 0},
	{"listens", true, TABLE_WHOLE, 0, 0},
	{"ready", true, TABLE_WHOLE, 0, 0},
	{"accepts", true, TABLE_WHOLE, 0, 0},
	{"waits in", false, TABLE_WHOLE, 0, 0},
};
static const struct table_col phase_cols[] = {
	{"phase", false, TABLE_WHOLE, 0, 0},
	{"from", true, TABLE_WHOLE, 0, 0},
	{"to", true, TABLE_WHOLE, 0, 0},
	{"took", true, TABLE_WHOLE, 0, 0},
	{"", false, TABLE_CUT_TAIL, 0, 0},
};
#define COLS(cols) (sizeof(cols) / sizeof((cols)[0]))

static bool has_served(const struct process *process)
{
	return process->listen_ns != NS_UNKNOWN || process->ready_ns != NS_UNKNOWN ||
	       process->accept_ns != NS_UNKNOWN;
}

static void add_since(struct table *table, __u64 start_ns, __u64 at_ns, enum table_style style)
{
	char num[TEXT_NUM_SZ];
	bool is_known = at_ns != NS_UNKNOWN && start_ns != NS_UNKNOWN && at_ns >= start_ns;

	table__add(table, is_known ? text_ns(num, at_ns - start_ns) : "", style);
}

static size_t depth_of(const struct process *process)
{
	size_t depth = 0;

	for (const struct process *at = process->parent; at && depth < 8; at = at->parent)
		depth += process_is_shown(at);
	return depth;
}

static void add_name(const struct view *view, const struct process *process,
		     const struct process *above, struct table *table)
{
	struct text_buf buf = {0};
	size_t depth = depth_of(process);

	text_buf__printf(&buf, "%*s", (int)(2 * depth), "");
	if (above && process->exec_ns == NS_UNKNOWN && process->parent)
		text_buf__add(&buf, "fork");
	else
		phrase_command(view, process, &buf);
	text_buf__printf(&buf, " (pid %u)", process->tgid);
	table__add_kept(table, text_buf__str(&buf), TABLE_PLAIN, 2 * depth);
	text_buf__free(&buf);
}

/* The times of a process count from its own begin; when that was, from the first one's. */
static int write_ready(const struct view *view, struct process **processes, size_t cnt)
{
	_cleanup_(table__freep) struct table *table = NULL;
	const struct table_look look = view_look(view, 2);
	const struct process *first = NULL;
	int err = table__new(&table, ready_cols, COLS(ready_cols));
	bool has_any = false;

	if (err)
		return err;
	for (size_t i = 0; i < cnt; i++) {
		const struct process *process = processes[i];
		__u64 start_ns = process->is_late ? NS_UNKNOWN : process->start_ns;

		if (!process_is_shown(process))
			continue;
		has_any |= has_served(process);
		add_name(view, process, first, table);
		if (!first && start_ns != NS_UNKNOWN)
			first = process;
		add_since(table, first ? first->start_ns : NS_UNKNOWN, start_ns, TABLE_PLAIN);
		add_since(table, start_ns, process->listen_ns, TABLE_PLAIN);
		add_since(table, start_ns, process->ready_ns, TABLE_BOLD);
		add_since(table, start_ns, process->accept_ns, TABLE_PLAIN);
		table__add(table, process->ready_by ? process->ready_by : "", TABLE_DIM);
	}
	if (!has_any)
		return 0;
	put_para(view, 0, TABLE_BOLD, "Time to ready, counted from each process's own begin");
	err = table__print(table, &look, view->out);
	fputc('\n', view->out);
	return err;
}

/* Which processes of one container: from the first one's begin to the last one's readiness. */
static void write_container(const struct view *view, struct process **processes, size_t cnt,
			    size_t at)
{
	const char *id = processes[at]->container.id, *name = processes[at]->container.name;
	__u64 start_ns = NS_UNKNOWN, ready_ns = 0;
	struct text_buf buf = {0};
	size_t ready_cnt = 0;
	char num[TEXT_NUM_SZ];

	for (size_t i = 0; i < cnt; i++) {
		const struct process *process = processes[i];

		if (!process->container.id || strcmp(process->container.id, id))
			continue;
		if (i < at)
			return; /* told already */
		if (!process->is_late && process->start_ns < start_ns)
			start_ns = process->start_ns;
		if (process->ready_ns == NS_UNKNOWN)
			continue;
		ready_cnt++;
		ready_ns = process->ready_ns > ready_ns ? process->ready_ns : ready_ns;
	}
	if (!ready_cnt || start_ns == NS_UNKNOWN)
		return;
	text_buf__add(&buf, "Container ");
	text_buf__escape(&buf, name ? name : id, view_escape_flags(view));
	text_buf__printf(&buf, ": ready %s after its first process began",
			 text_ns(num, ready_ns - start_ns));
	if (ready_cnt > 1)
		text_buf__printf(&buf, ", with %s processes that wait for connections",
				 text_count(num, ready_cnt));
	text_buf__add(&buf, ".");
	put_para(view, 0, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

static void add_bar(const struct view *view, const struct phase *phase, __u64 base_ns,
		    __u64 last_ns, struct table *table)
{
	const char *mark = view->opts.use_ascii ? "#" : "\u2588";
	struct text_buf buf = {0};
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

static int write_process(const struct view *view, const struct process *process)
{
	_cleanup_(table__freep) struct table *table = NULL;
	const struct table_look look = view_look(view, 2);
	__u64 base_ns = process->start_ns, last_ns = scale_end(process);
	int err = table__new(&table, phase_cols, COLS(phase_cols));

	if (!err)
		err = head_write(view, process);
	if (err)
		return err;
	for (size_t i = 0; i < process->phase_cnt; i++) {
		const struct phase *phase = &process->phases[i];
		struct text_buf buf = {0};
		bool is_moment;

		text_buf__add(&buf, phase->name);
		if (!strcmp(phase->name, "listen") && process->listen_port)
			text_buf__printf(&buf, " on port %u", process->listen_port);
		else if (!strcmp(phase->name, "ready") && process->ready_by)
			text_buf__printf(&buf, ", in %s", process->ready_by);
		table__add(table, text_buf__str(&buf), TABLE_PLAIN);
		text_buf__free(&buf);
		is_moment = phase->start_ns == phase->end_ns;
		add_since(table, base_ns, phase->start_ns, TABLE_PLAIN);
		add_since(table, base_ns, is_moment ? NS_UNKNOWN : phase->end_ns, TABLE_PLAIN);
		add_since(table, is_moment ? NS_UNKNOWN : phase->start_ns, phase->end_ns,
			  TABLE_PLAIN);
		add_bar(view, phase, base_ns, last_ns, table);
	}
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
	_cleanup_free_ struct process **processes = NULL;
	size_t cnt;
	int err = walk_processes(view->model, &processes, &cnt);

	if (!err)
		err = write_ready(view, processes, cnt);
	for (size_t i = 0; !err && i < cnt; i++)
		if (processes[i]->container.id)
			write_container(view, processes, cnt, i);
	for (size_t i = 0; !err && i < cnt && !ferror(view->out); i++)
		if (process_is_drawn(view, processes[i]))
			err = write_process(view, processes[i]);
	return err ? err : foot_write(view);
}
