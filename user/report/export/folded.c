// SPDX-License-Identifier: BSD-2-Clause
/*
 * Folded stacks, for flamegraph.pl and its kin: a line per load with its own cost (--by) behind
 * the names of all that led to it. The sum of all lines is the sum of all self costs. Names keep
 * to one field: ';', blanks and controls are escaped.
 */
#include "report/text/measure.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/text/walk.h"
#include "report/text/wording.h"

struct folded {
	const struct view *view;
	enum measure measure;
	struct text_buf stack; /* of the load at hand, frames joined by ';' */
	struct text_buf name;
	bool has_lines;
};

/* Appends one frame to the stack. */
static void push(struct folded *folded, const char *text)
{
	const char *at;

	text_buf__reset(&folded->name);
	text_buf__escape(&folded->name, text, view_escape_flags(folded->view) | TEXT_SOLID);
	if (folded->stack.sz)
		text_buf__add(&folded->stack, ";");
	for (at = text_buf__str(&folded->name); *at; at++) {
		if (*at == ';')
			text_buf__add(&folded->stack, "\\x3b");
		else
			text_buf__add_sz(&folded->stack, at, 1);
	}
}

static void put_line(struct folded *folded, const struct load *load)
{
	long long cost;

	/* Zero is a fact, but a frame of no width; less than that no viewer takes. */
	if (!measure_self(folded->measure, load, &cost))
		return;
	folded->has_lines = true;
	if (cost > 0)
		fprintf(folded->view->out, "%s %lld\n", text_buf__str(&folded->stack), cost);
}

/* @ends: where the stack of each depth ends in the buffer. */
static int write_tree(struct folded *folded, struct load *root, size_t *ends)
{
	_cleanup_(walk__free) struct walk walk = { 0 };
	const struct load *load;

	ends[0] = folded->stack.sz;
	walk__start(&walk, root);
	while ((load = walk__pre(&walk)) && !ferror(folded->view->out)) {
		folded->stack.sz = ends[walk.depth];
		folded->stack.data[folded->stack.sz] = '\0';
		push(folded, load->module ? load->module : "?");
		ends[walk.depth + 1] = folded->stack.sz;
		put_line(folded, load);
	}
	return walk.err ? walk.err : folded->stack.err ? folded->stack.err : folded->name.err;
}

/* The first frame: the program, and the thread if it is not the main one. */
static void push_head(struct folded *folded, const struct process *process, __u32 tid)
{
	struct text_buf buf = { 0 };

	if (process->is_log) {
		text_buf__add(&buf, "log");
	} else {
		phrase_program(process, &buf);
		text_buf__printf(&buf, "(%u)", process->tgid);
	}
	if (tid != process->tgid)
		text_buf__printf(&buf, ",thread_%u", tid);
	text_buf__reset(&folded->stack);
	push(folded, text_buf__str(&buf));
	text_buf__free(&buf);
}

static int write_process(struct folded *folded, const struct process *process)
{
	_cleanup_free_ struct load **roots = NULL;
	_cleanup_free_ size_t *ends = calloc(process->load_cnt + 2, sizeof(*ends));
	int err = walk_roots(process, &roots);

	if (err || !ends)
		return -ENOMEM;
	for (size_t i = 0; !err && i < process->root_cnt; i++) {
		push_head(folded, process, roots[i]->tid);
		err = folded->stack.err ? folded->stack.err : write_tree(folded, roots[i], ends);
	}
	return err;
}

int folded_write(const struct view *view)
{
	struct folded folded = { .view = view };
	_cleanup_free_ struct process **processes = NULL;
	size_t cnt;
	int err = measure_find(view->opts.by, &folded.measure);

	if (!err)
		err = walk_processes(view->model, &processes, &cnt);
	for (size_t i = 0; !err && i < cnt && !ferror(view->out); i++)
		err = write_process(&folded, processes[i]);
	text_buf__free(&folded.stack);
	text_buf__free(&folded.name);
	/* An empty file would say that nothing cost anything. */
	return !err && !folded.has_lines && folded.measure != MEASURE_TIME ? -ENODATA : err;
}
