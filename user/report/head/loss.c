// SPDX-License-Identifier: BSD-2-Clause
/* Loss in words: one line per counter that is not zero, what it means and what helps. */
#include "report/view.h"
#include "model/unexamined.h"
#include "report/head/lines.h"
#include "report/head/loss.h"
#include "report/text/wording.h"

#include <stdint.h>

#define COUNTER(field, one, many) { #field, offsetof(struct pyi_stats, field), NULL, one, many }

static __u64 unprobed(const struct model *model)
{
	return model__unprobed_cnt(model);
}

static __u64 unexamined(const struct model *model)
{
	return model__unexamined(model)->cnt;
}

/* The names are part of the JSON contract. */
const struct loss_counter loss_counters[] = {
	COUNTER(ring_full,
		"record found no room in the ring buffer: imports are missing; try --ring 64mb",
		"records found no room in the ring buffer: imports are missing; try --ring 64mb"),
	COUNTER(thread_state,
		"probe hit found no memory for its thread's state: imports are missing",
		"probe hits found no memory for their thread's state: imports are missing"),
	COUNTER(proc_full,
		"process was not followed, the table of processes is full: its imports are missing",
		"processes were not followed, the table of processes is full: their imports are missing"),
	COUNTER(edges_full,
		"run of an import statement was not counted: the table of statements is full",
		"runs of import statements were not counted: the table of statements is full"),
	COUNTER(codes_full,
		"code object found no room in its table: its file and lines are unknown",
		"code objects found no room in their table: their files and lines are unknown"),
	COUNTER(depth_overflow,
		"import was nested deeper than can be followed: its parent is the deepest one known",
		"imports were nested deeper than can be followed: their parent is the deepest one known"),
	COUNTER(names_truncated, "name was cut", "names were cut"),
	COUNTER(tables_truncated,
		"line table was too long to be sent whole: some lines of its file are unknown",
		"line tables were too long to be sent whole: some lines of their files are unknown"),
	COUNTER(unreadable,
		"read of the target's memory failed: a name, a file or a line is unknown",
		"reads of the target's memory failed: names, files or lines are unknown"),
	COUNTER(ends_unobserved,
		"import ended unseen: its time is an upper bound",
		"imports ended unseen: their times are upper bounds"),
	COUNTER(frames_cut,
		"importer stood deeper in the stack than is read: its file and line are unknown",
		"importers stood deeper in the stack than is read: their files and lines are unknown"),
	COUNTER(no_thread,
		"probe hit met a thread the interpreter does not list: file and line are unknown",
		"probe hits met threads the interpreter does not list: files and lines are unknown"),
	COUNTER(charges_full,
		"time a cause found no room in the table of charges: figures of causes are too small",
		"times a cause found no room in the table of charges: figures of causes are too small"),
	COUNTER(files_full,
		"file operation was not counted: the table of files is full",
		"file operations were not counted: the table of files is full"),
	COUNTER(net_full,
		"connection was not kept: the table of connections is full",
		"connections were not kept: the table of connections is full"),
	COUNTER(paths_full,
		"file could not be told from others: the table of their names is full",
		"files could not be told from others: the table of their names is full"),
	{ "unprobed", SIZE_MAX, unprobed,
	 "interpreter ran that could not be probed: its imports are missing",
	 "interpreters ran that could not be probed: their imports are missing" },
	{ "late_starts", SIZE_MAX, model__late_starts,
	 "process was running before its interpreter was probed: its first imports may be missing",
	 "processes were running before their interpreters were probed: their first imports may be missing" },
	{ "unknown_starts", SIZE_MAX, model__unknown_starts,
	 "program ran, and it is not known whether it holds a Python",
	 "programs ran, and it is not known whether they hold a Python" },
	{ "unexamined", SIZE_MAX, unexamined,
	 "file that ran was not examined, as it is larger or more complex than any Python: if it contains one, its imports are missing",
	 "files that ran were not examined, as they are larger or more complex than any Python: if one contains a Python, its imports are missing" },
	{ "malformed", SIZE_MAX, model__malformed,
	 "record could not be understood and was left out",
	 "records could not be understood and were left out" },
	{ 0 },
};

__u64 loss_value(const struct model *model, const struct loss_counter *counter)
{
	const struct pyi_stats *stats = model__stats(model);

	if (counter->get)
		return counter->get(model);
	return stats ? *(const __u64 *)((const char *)stats + counter->off) : 0;
}

int loss_write_text(const struct view *view)
{
	bool has_any = false;
	char num[TEXT_NUM_SZ];

	for (const struct loss_counter *counter = loss_counters; counter->name; counter++) {
		__u64 value = loss_value(view->model, counter);
		struct text_buf buf = { 0 };

		if (!value)
			continue;
		if (!has_any)
			fputc('\n', view->out);
		if (!has_any)
			put_para(view, 0, TABLE_BOLD, "Lost");
		has_any = true;
		text_buf__printf(&buf, "%s %s", text_count(num, value),
				 value == 1 ? counter->one : counter->many);
		put_para(view, 2, TABLE_RED, text_buf__str(&buf));
		text_buf__free(&buf);
		if (counter->get == unprobed)
			unprobed_write_text(view);
		if (counter->get == unexamined)
			unexamined_write_text(view);
	}
	if (model__is_cut(view->model))
		put_para(view, 0, TABLE_RED, "Incomplete: the capture ends before the trace did.");
	if (model__is_complete(view->model))
		put_para(view, 0, TABLE_PLAIN, "Complete: nothing was lost.");
	else if (has_any)
		put_para(view, 0, TABLE_RED, "Incomplete: see what was lost above.");
	else if (!model__is_cut(view->model))
		put_para(view, 0, TABLE_RED, "Incomplete: not everything could be seen.");
	return 0;
}
