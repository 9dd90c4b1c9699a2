// SPDX-License-Identifier: BSD-2-Clause
/*
 * The text of CPython's -X importtime, one block per process and thread, for the viewers that
 * read it. Their parsers decide the details: the first line is skipped by some, lines they do
 * not know by all; a level must not be deeper than the next line allows; names must not contain
 * blanks or bars. So what CPython has no line for (the program itself, imports that never ended)
 * has none here, and what lies below moves up.
 */
#include "report/view.h"

#include <string.h>

#include "base/cleanup.h"
#include "report/text/walk.h"
#include "report/text/wording.h"

static bool has_line(const struct load *load)
{
	return load->via != VIA_MAIN && load->wall_ns != NS_UNKNOWN && load->self_ns != NS_UNKNOWN;
}

static long long us_up(__u64 ns)
{
	return (long long)(ns / 1000 + (ns % 1000 != 0));
}

static void put_line(const struct view *view, const struct walk *walk, const struct load *load,
		     struct text_buf *buf)
{
	int level = 0;

	for (size_t i = 0; i < walk->depth; i++)
		level += has_line(walk->steps[i].load);
	text_buf__reset(buf);
	text_buf__escape(buf, load->module ? load->module : "?",
			 view_escape_flags(view) | TEXT_SOLID);
	fprintf(view->out, "import time: %9lld | %10lld | %*s%s\n", us_up(load->self_ns),
		us_up(load->wall_ns), 2 * level, "", text_buf__str(buf));
}

static void put_thread_head(const struct view *view, const struct process *process, __u32 tid)
{
	const struct python_info *python = process->python;
	struct text_buf buf = { 0 }, name = { 0 };

	phrase_program(process, &name);
	text_buf__escape(&buf, text_buf__str(&name), view_escape_flags(view) | TEXT_SOLID);
	text_buf__free(&name);
	if (python && python->version) {
		text_buf__add(&buf, ", Python ");
		text_buf__escape(&buf, python->version, view_escape_flags(view) | TEXT_SOLID);
	}
	fprintf(view->out, "# pyimport-bpf: process %u, thread %u, %s\n", process->tgid, tid,
		text_buf__str(&buf));
	fputs("import time: self [us] | cumulative | imported package\n", view->out);
	text_buf__free(&buf);
}

static int write_process(const struct view *view, const struct process *process)
{
	_cleanup_free_ struct load **roots = NULL;
	_cleanup_(walk__free) struct walk walk = { 0 };
	_cleanup_(text_buf__free) struct text_buf buf = { 0 };
	size_t unfinished_cnt = 0;
	int err = walk_roots(process, &roots);

	for (size_t i = 0; !err && i < process->root_cnt; i++) {
		struct load *load;

		if (!i || roots[i]->tid != roots[i - 1]->tid)
			put_thread_head(view, process, roots[i]->tid);
		walk__start(&walk, roots[i]);
		while ((load = walk__post(&walk))) {
			if (has_line(load))
				put_line(view, &walk, load, &buf);
			else
				unfinished_cnt += load->via != VIA_MAIN;
		}
		err = walk.err ? walk.err : buf.err;
	}
	if (unfinished_cnt)
		fprintf(view->out, "# %zu unfinished left out: they have no time yet\n",
			unfinished_cnt);
	return err;
}

int importtime_write(const struct view *view)
{
	_cleanup_free_ struct process **processes = NULL;
	size_t cnt;
	int err = walk_processes(view->model, &processes, &cnt);

	for (size_t i = 0; !err && i < cnt && !ferror(view->out); i++)
		err = write_process(view, processes[i]);
	if (!model__is_complete(view->model))
		fputs("# incomplete: something was lost; the text and JSON formats say what\n",
		      view->out);
	return err;
}
