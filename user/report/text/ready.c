// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who was ready when. Processes belong to starts: a container that starts again begins anew, a
 * program with its children is one. All times of a start count from the begin of its first process,
 * without what its processes were held for and, where that is taken off, what tracing took.
 */
#include "report/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/text/sections.h"
#include "report/text/walk.h"
#include "report/text/wording.h"

#define DEPTH_MAX 64
#define DEPTH_SHOWN 8

struct start {
	const struct process *first;
	__u64 end_ns;       /* of the last of its processes; NS_UNKNOWN = one runs on */
	size_t number;      /* of the container's starts, from 1 */
	size_t ready_cnt;
	__u64 ready_ns;     /* since its begin, of the last that was ready */
	__u64 ready_at_ns;  /* when that was */
	bool is_shown;
};

struct starts {
	struct start *starts;
	size_t cnt;
	size_t *of;         /* start of each process, by its place in the model */
};

static void starts_clear(struct starts *starts)
{
	free(starts->starts);
	free(starts->of);
}

static bool is_same_container(const struct process *a, const struct process *b)
{
	return a->container.id && b->container.id && !strcmp(a->container.id, b->container.id);
}

/* The start that a process belongs to; the count = it begins one. Processes come by begin. */
static size_t find_start(const struct view *view, struct starts *starts, size_t index)
{
	const struct process *process = model__process(view->model, index);

	for (size_t i = starts->cnt; process->container.id && i-- > 0;) {
		const struct start *start = &starts->starts[i];

		if (!is_same_container(start->first, process))
			continue;
		return start->end_ns > process->start_ns ? i : starts->cnt;
	}
	for (size_t i = index; !process->container.id && process->parent && i-- > 0;)
		if (model__process(view->model, i) == process->parent)
			return process->parent->container.id ? starts->cnt : starts->of[i];
	return starts->cnt;
}

static bool is_before(const struct process *process, const struct process *ancestor)
{
	for (size_t depth = 0; process && depth < DEPTH_MAX; depth++, process = process->parent)
		if (process->tgid == ancestor->tgid)
			return true;
	return false;
}

static __u64 overlap_ns(const struct hold_info *hold, __u64 from_ns, __u64 to_ns)
{
	__u64 start_ns = hold->start_ns > from_ns ? hold->start_ns : from_ns;
	__u64 end_ns = hold->start_ns + hold->wall_ns;

	end_ns = end_ns < to_ns ? end_ns : to_ns;
	return hold->start_ns && end_ns > start_ns ? end_ns - start_ns : 0;
}

/* What @process, or those it comes from, were held for at their execs. */
static __u64 held_between(const struct view *view, const struct process *process, __u64 from_ns,
			  __u64 to_ns)
{
	const struct hold_info *hold;
	__u64 sum_ns = 0;

	for (size_t i = 0; (hold = model__hold(view->model, i)); i++) {
		const struct process *at = process;

		for (size_t depth = 0; at && depth < DEPTH_MAX && at->tgid != hold->tgid; depth++)
			at = at->parent;
		if (hold->is_exec && at && at->tgid == hold->tgid)
			sum_ns += overlap_ns(hold, from_ns, to_ns);
	}
	return sum_ns;
}

/* From the begin of its start on; NS_UNKNOWN = that, or the moment, was not seen. */
static __u64 since_start(const struct view *view, const struct start *start,
			 const struct process *process, __u64 at_ns)
{
	__u64 from_ns = start->first->start_ns, held_ns, sum_ns = 0;

	if (start->first->is_late || at_ns == NS_UNKNOWN || at_ns < from_ns)
		return NS_UNKNOWN;
	held_ns = held_between(view, process, from_ns, at_ns);
	for (size_t depth = 0; depth < DEPTH_MAX && at_ns > from_ns; depth++) {
		sum_ns += process_time_ns(process, process->start_ns, at_ns);
		at_ns = process->start_ns;
		process = process->previous ? process->previous : process->parent;
		if (!process || process->is_late || process->start_ns < from_ns)
			break;
	}
	sum_ns += at_ns > from_ns ? at_ns - from_ns : 0; /* who came before it was not seen */
	return sum_ns > held_ns ? sum_ns - held_ns : 0;
}

__u64 ready_in_program_ns(const struct view *view, const struct process *process)
{
	struct start start = { .first = process };

	for (size_t depth = 0; depth < DEPTH_MAX; depth++) {
		const struct process *parent = start.first->parent;

		if (!parent || (parent->container.id && !is_same_container(process, parent)))
			break;
		start.first = parent;
	}
	return start.first == process ? NS_UNKNOWN :
					since_start(view, &start, process, process->ready_ns);
}

static void note_process(const struct view *view, struct start *start,
			 const struct process *process)
{
	__u64 ready_ns = since_start(view, start, process, process->ready_ns);

	if (process->end_ns > start->end_ns)
		start->end_ns = process->end_ns;
	start->is_shown |= process_is_shown(process);
	if (ready_ns == NS_UNKNOWN)
		return;
	start->ready_cnt++;
	start->ready_ns = ready_ns > start->ready_ns ? ready_ns : start->ready_ns;
	if (process->ready_ns > start->ready_at_ns)
		start->ready_at_ns = process->ready_ns;
}

/* What a runtime has in a cgroup beforehand, and ends, is no start of the container. */
static void number_starts(struct starts *starts)
{
	for (size_t i = 0; i < starts->cnt; i++) {
		struct start *start = &starts->starts[i];

		start->number = 1;
		for (size_t k = i; k-- > 0;) {
			if (!starts->starts[k].is_shown ||
			    !is_same_container(starts->starts[k].first, start->first))
				continue;
			start->number = starts->starts[k].number + 1;
			break;
		}
	}
}

static int starts_find(const struct view *view, struct starts *starts)
{
	size_t cnt = model__process_cnt(view->model);

	starts->starts = calloc(cnt + 1, sizeof(*starts->starts));
	starts->of = calloc(cnt + 1, sizeof(*starts->of));
	if (!starts->starts || !starts->of)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++) {
		const struct process *process = model__process(view->model, i);
		size_t at = find_start(view, starts, i);

		starts->of[i] = at;
		if (at == starts->cnt)
			starts->starts[starts->cnt++] = (struct start){ .first = process };
		note_process(view, &starts->starts[at], process);
	}
	number_starts(starts);
	return 0;
}

static void add_time(struct table *table, __u64 ns, enum table_style style)
{
	char num[TEXT_NUM_SZ];

	table__add(table, ns == NS_UNKNOWN ? "" : text_ns(num, ns), style);
}

static size_t depth_of(const struct start *start, const struct process *process)
{
	size_t depth = start->first->container.id != NULL;

	for (const struct process *at = process->parent; at && depth < DEPTH_SHOWN;
	     at = at->parent)
		depth += process_is_shown(at) && is_before(at, start->first);
	return depth;
}

static void add_process(const struct view *view, const struct start *start,
			const struct process *process, struct table *table)
{
	char status[32] = "";
	size_t depth = depth_of(start, process);
	struct text_buf buf = { 0 };

	text_buf__printf(&buf, "%*s", (int)(2 * depth), "");
	if (process != start->first && process->exec_ns == NS_UNKNOWN && process->parent)
		text_buf__add(&buf, "fork");
	else
		phrase_command(view, process, &buf);
	text_buf__printf(&buf, " (pid %u)", process->tgid);
	table__add_kept(table, text_buf__str(&buf), TABLE_PLAIN, 2 * depth);
	text_buf__free(&buf);
	add_time(table, since_start(view, start, process, process->is_late ? NS_UNKNOWN :
				    process->start_ns), TABLE_PLAIN);
	add_time(table, since_start(view, start, process, process->listen_ns), TABLE_PLAIN);
	add_time(table, since_start(view, start, process, process->ready_ns), TABLE_BOLD);
	add_time(table, since_start(view, start, process, process->accept_ns), TABLE_PLAIN);
	if (process->ready_ns == NS_UNKNOWN && process->has_exit && process->exit_code)
		snprintf(status, sizeof(status), "(status %d)", process->exit_code);
	table__add(table, process->ready_by ? process->ready_by : status, TABLE_DIM);
}

/* A container is ready with the last of its processes; it begins so long after the first one. */
static void add_container(const struct view *view, const struct start *start, __u64 first_ns,
			  struct table *table)
{
	char num[TEXT_NUM_SZ], at[TEXT_NUM_SZ + 1] = "";
	const struct container_info *container = &start->first->container;
	struct text_buf buf = { 0 };

	text_buf__add(&buf, "container ");
	text_buf__escape(&buf, container->name ? container->name : container->id,
			 view_escape_flags(view));
	if (start->number > 1)
		text_buf__printf(&buf, ", start %zu", start->number);
	table__add(table, text_buf__str(&buf), TABLE_BOLD);
	text_buf__free(&buf);
	if (start->first->start_ns > first_ns && !start->first->is_late)
		snprintf(at, sizeof(at), "+%s", text_ns(num, start->first->start_ns - first_ns));
	table__add(table, at, TABLE_DIM);
	table__add(table, "", TABLE_PLAIN);
	add_time(table, start->ready_cnt ? start->ready_ns : NS_UNKNOWN, TABLE_BOLD);
	for (int i = 0; i < 2; i++)
		table__add(table, "", TABLE_PLAIN);
}

static __u64 first_container_ns(const struct starts *starts)
{
	for (size_t i = 0; i < starts->cnt; i++)
		if (starts->starts[i].first->container.id && starts->starts[i].is_shown &&
		    !starts->starts[i].first->is_late)
			return starts->starts[i].first->start_ns;
	return NS_UNKNOWN;
}

static int add_start(const struct view *view, const struct starts *starts, size_t at,
		     struct process **order, struct table *table)
{
	const struct start *start = &starts->starts[at];
	size_t cnt = model__process_cnt(view->model);
	_cleanup_free_ const struct process **inside = calloc(cnt + 1, sizeof(*inside));
	size_t inside_cnt = 0;

	if (!inside)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++)
		if (starts->of[i] == at && process_is_shown(model__process(view->model, i)))
			inside[inside_cnt++] = model__process(view->model, i);
	if (inside_cnt && start->first->container.id)
		add_container(view, start, first_container_ns(starts), table);
	for (size_t i = 0; i < cnt && inside_cnt; i++)
		for (size_t k = 0; k < inside_cnt; k++)
			if (inside[k] == order[i])
				add_process(view, start, order[i], table);
	return 0;
}

/* Of a hold what lies between the begin of its process's start and when that was ready. */
static __u64 held_in_start(const struct view *view, const struct starts *starts,
			   const struct hold_info *hold)
{
	__u64 ns = 0;

	for (size_t i = 0; i < model__process_cnt(view->model) && !ns; i++) {
		const struct start *start = &starts->starts[starts->of[i]];

		if (model__process(view->model, i)->tgid == hold->tgid && start->ready_cnt)
			ns = overlap_ns(hold, start->first->start_ns, start->ready_at_ns);
	}
	return ns;
}

static void put_held(const struct view *view, const struct starts *starts)
{
	const struct hold_info *hold;
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];
	__u64 held_ns = 0;

	for (size_t i = 0; (hold = model__hold(view->model, i)); i++)
		held_ns += held_in_start(view, starts, hold);
	if (!held_ns)
		return;
	text_buf__printf(&buf, "Held for %s until interpreters were probed: not counted.",
			 text_ns(num, held_ns));
	put_para(view, 2, TABLE_DIM, text_buf__str(&buf));
	text_buf__free(&buf);
}

static bool has_served(const struct model *model)
{
	for (size_t i = 0; i < model__process_cnt(model); i++) {
		const struct process *process = model__process(model, i);

		if (process->listen_ns != NS_UNKNOWN || process->ready_ns != NS_UNKNOWN ||
		    process->accept_ns != NS_UNKNOWN)
			return true;
	}
	return false;
}

int ready_write(const struct view *view)
{
	static const struct table_col cols[] = {
		{ "process", false, TABLE_CUT_MIDDLE, 20, 0 },
		{ "begins", true, TABLE_WHOLE, 0, 0 },
		{ "listens", true, TABLE_WHOLE, 0, 0 }, { "ready", true, TABLE_WHOLE, 0, 0 },
		{ "accepts", true, TABLE_WHOLE, 0, 0 }, { "waits in", false, TABLE_WHOLE, 0, 0 },
	};
	_cleanup_(starts_clear) struct starts starts = { 0 };
	_cleanup_free_ struct process **order = NULL;
	_cleanup_(table__freep) struct table *table = NULL;
	const struct table_look look = view_look(view, 2);
	size_t cnt;
	int err = has_served(view->model) ? walk_processes(view->model, &order, &cnt) : -ENODATA;

	if (err)
		return err == -ENODATA ? 0 : err;
	err = table__new(&table, cols, sizeof(cols) / sizeof(cols[0]));
	if (!err)
		err = starts_find(view, &starts);
	for (size_t i = 0; i < starts.cnt && !err; i++)
		if (starts.starts[i].is_shown)
			err = add_start(view, &starts, i, order, table);
	if (err || !table__row_cnt(table))
		return err;
	put_para(view, 0, TABLE_BOLD,
		 "Time to ready, counted from the begin of each container, or of each program");
	err = table__print(table, &look, view->out);
	for (size_t i = 0; i < starts.cnt; i++)
		if (starts.starts[i].first->start_ns > first_container_ns(&starts) &&
		    starts.starts[i].first->container.id && starts.starts[i].is_shown) {
			put_para(view, 2, TABLE_DIM,
				 "+: from the begin of the first container to that of this one.");
			break;
		}
	put_held(view, &starts);
	fputc('\n', view->out);
	return err;
}
