// SPDX-License-Identifier: BSD-2-Clause
/* The tree: every load in order of start, one block per thread, importers with file and line. */
#include "report/view.h"

#include "base/cleanup.h"
#include "report/head/head.h"
#include "report/text/ranking.h"
#include "report/text/walk.h"
#include "report/text/wording.h"

#define COLS_TIME { "start", true, TABLE_WHOLE, 0, 0 }, { "total", true, TABLE_WHOLE, 0, 0 }, \
	{ "self", true, TABLE_WHOLE, 0, 0 }
#define COL_MODULE { "module", false, TABLE_CUT_MIDDLE, 14, 20 } /* the tree needs room */
#define COL_KIND { "kind", false, TABLE_CUT_MIDDLE, 10, 0 }
#define COL_IMPORTER { "imported by", false, TABLE_CUT_HEAD, 12, 10 }

static const struct table_col wide[] = { COLS_TIME, COL_MODULE, COL_KIND, COL_IMPORTER };
static const struct table_col narrow[] = { COLS_TIME, COL_MODULE, COL_IMPORTER };

/* Levels drawn; deeper ones say their depth instead, or a deep chain leaves no room for names. */
static size_t max_drawn(const struct view *view)
{
	return view->opts.width < 57 ? 3 : ((size_t)view->opts.width - 45) / 4;
}

static bool is_shown(const struct load *load, __u64 least_ns)
{
	return load->wall_ns == NS_UNKNOWN || load->wall_ns >= least_ns;
}

/* Of those that are shown. */
static bool is_last_child(const struct walk *walk, size_t level, __u64 least_ns)
{
	const struct walk_step *above = &walk->steps[level - 1];

	for (size_t i = above->next; i < above->load->child_cnt; i++)
		if (is_shown(above->load->children[i], least_ns))
			return false;
	return true;
}

static void add_guides(const struct view *view, const struct walk *walk, __u64 least_ns,
		       struct text_buf *buf)
{
	bool is_ascii = view->opts.use_ascii;
	size_t drawn = walk->depth < max_drawn(view) ? walk->depth : max_drawn(view);

	for (size_t level = 1; level <= drawn; level++) {
		bool is_last = is_last_child(walk, level, least_ns);

		if (level < walk->depth)
			text_buf__add(buf, is_last ? "  " : is_ascii ? "| " : "\u2502 ");
		else if (is_last)
			text_buf__add(buf, is_ascii ? "`-" : "\u2514\u2500");
		else
			text_buf__add(buf, is_ascii ? "|-" : "\u251c\u2500");
	}
	if (walk->depth > drawn)
		text_buf__printf(buf, "[%zu] ", walk->depth);
}

static void add_start(const struct load *load, struct text_buf *buf)
{
	__u64 base_ns = process_base_ns(load->process);
	char num[TEXT_NUM_SZ];

	if (load->start_ns == NS_UNKNOWN)
		text_buf__add(buf, "-");
	else if (load->is_inherited || load->start_ns < base_ns)
		text_buf__add(buf, "before");
	else
		text_buf__printf(buf, "+%s", text_ns(num, load->start_ns - base_ns));
}

static void add_row(const struct view *view, const struct load *load, const struct walk *walk,
		    __u64 least_ns, struct text_buf *buf, struct table *table)
{
	char num[TEXT_NUM_SZ];
	size_t keep;

	text_buf__reset(buf);
	add_start(load, buf);
	table__add(table, text_buf__str(buf), TABLE_DIM);
	table__add(table, text_ns(num, load->wall_ns), TABLE_PLAIN);
	table__add(table, text_ns(num, load->self_ns), TABLE_PLAIN);
	text_buf__reset(buf);
	add_guides(view, walk, least_ns, buf);
	keep = text_width(text_buf__str(buf));
	if (view_is_narrow(view)) {
		phrase_module(view, load, buf);
		table__add_kept(table, text_buf__str(buf), style_of(load), keep);
	} else {
		phrase_name(view, load, buf);
		table__add_kept(table, text_buf__str(buf), style_of(load), keep);
		text_buf__reset(buf);
		phrase_kind(view, load, buf);
		table__add(table, text_buf__str(buf),
			   load->result == LOAD_LOADED ? TABLE_DIM : TABLE_RED);
	}
	text_buf__reset(buf);
	phrase_importer(view, load, buf);
	if (load->lock_wait_ns && load->lock_wait_ns != NS_UNKNOWN)
		text_buf__printf(buf, ", waited %s", text_ns(num, load->lock_wait_ns));
	table__add(table, text_buf__str(buf), TABLE_DIM);
}

/* Trees of one thread: roots[0] up to the first root of another one. *used = how many. */
static int write_thread(const struct view *view, const struct process *process,
			struct load **roots, size_t root_cnt, size_t *used, size_t *hidden_cnt)
{
	const struct table_look look = view_look(view, 2);
	_cleanup_(table__freep) struct table *table = NULL;
	_cleanup_(walk__free) struct walk walk = { 0 };
	_cleanup_(text_buf__free) struct text_buf buf = { 0 };
	__u32 tid = roots[0]->tid;
	__u64 least_ns = view_least_ns(view, process);
	size_t i;
	int err = view_is_narrow(view) ? table__new(&table, narrow, 5) :
					 table__new(&table, wide, 6);

	if (err)
		return err;
	for (i = 0; i < root_cnt && roots[i]->tid == tid; i++) {
		struct load *load;

		walk__start(&walk, roots[i]);
		while ((load = walk__pre(&walk))) {
			if (is_shown(load, least_ns))
				add_row(view, load, &walk, least_ns, &buf, table);
			else
				*hidden_cnt += 1;
		}
	}
	if (walk.err || buf.err)
		return walk.err ? walk.err : buf.err;
	*used = i;
	if (!table__row_cnt(table))
		return 0;
	fprintf(view->out, "\n  Thread %u%s\n", tid, tid == process->tgid ? " (main)" : "");
	return table__print(table, &look, view->out);
}

static int write_process(const struct view *view, const struct process *process)
{
	_cleanup_free_ struct load **roots = NULL;
	size_t used = 1, hidden_cnt = 0;
	int err = walk_roots(process, &roots);

	if (!err)
		err = head_write(view, process);
	for (size_t i = 0; !err && i < process->root_cnt && !ferror(view->out); i += used)
		err = write_thread(view, process, roots + i, process->root_cnt - i, &used,
				   &hidden_cnt);
	if (hidden_cnt)
		fprintf(view->out, "\n  %zu import%s that took less than %g%% not shown (--min).\n", hidden_cnt,
			hidden_cnt == 1 ? "" : "s", view->opts.min_share * 100);
	fputc('\n', view->out);
	return err;
}

int tree_write(const struct view *view)
{
	return view_each_process(view, write_process);
}
