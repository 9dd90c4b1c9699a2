// SPDX-License-Identifier: BSD-2-Clause
/* Below the ranked tables: what failed, never ended, waited or closed a cycle. */
#include "report/view.h"

#include "base/cleanup.h"
#include "report/text/sections.h"
#include "report/text/ranking.h"
#include "report/text/wording.h"

/* "  … and 12 more" below a list that was cut. */
static void put_more(const struct view *view, size_t cnt, const char *where)
{
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];
	size_t top = view_top(view);

	if (cnt > top) {
		text_buf__printf(&buf, "and %s more%s", text_count(num, cnt - top), where);
		put_para(view, 4, TABLE_DIM, text_buf__str(&buf));
	}
	text_buf__free(&buf);
}

static void put_title(const struct view *view, const char *title, size_t cnt)
{
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	fputc('\n', view->out);
	text_buf__printf(&buf, "%s (%s)", title, text_count(num, cnt));
	put_para(view, 2, TABLE_BOLD, text_buf__str(&buf));
	text_buf__free(&buf);
}

/* "began at +12.3 ms": what else is known of an import that did not end. */
static void add_began(const struct load *load, struct text_buf *buf)
{
	__u64 base_ns = process_base_ns(load->process);
	char num[TEXT_NUM_SZ];

	if (load->is_inherited || load->start_ns == NS_UNKNOWN || load->start_ns < base_ns)
		text_buf__add(buf, "began before");
	else
		text_buf__printf(buf, "began at +%s", text_ns(num, load->start_ns - base_ns));
}

static int write_results(const struct view *view, const struct process *process,
			 enum load_result result, const char *title)
{
	static const struct table_col cols[] = {
		{ NULL, false, TABLE_CUT_MIDDLE, 14, 0 }, { NULL, false, TABLE_CUT_TAIL, 20, 0 },
		{ NULL, false, TABLE_CUT_HEAD, 12, 0 },
	};
	const struct table_look look = view_look(view, 4);
	_cleanup_(table__freep) struct table *table = NULL;
	size_t cnt = 0;
	int err = table__new(&table, cols, 3);

	if (err)
		return err;
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];
		struct text_buf buf = { 0 };

		if (load->result != result || (result == LOAD_FAILED && !load_has_failed(load)) ||
		    load->via == VIA_MAIN || cnt++ >= view_top(view))
			continue;
		phrase_name(view, load, &buf);
		table__add(table, text_buf__str(&buf), TABLE_RED);
		text_buf__reset(&buf);
		if (result == LOAD_UNFINISHED)
			add_began(load, &buf);
		else if (load->error)
			text_buf__escape(&buf, load->error, view_escape_flags(view));
		table__add(table, text_buf__str(&buf), TABLE_PLAIN);
		text_buf__reset(&buf);
		phrase_importer(view, load, &buf);
		table__add(table, text_buf__str(&buf), TABLE_DIM);
		text_buf__free(&buf);
	}
	if (!cnt)
		return 0;
	put_title(view, title, cnt);
	err = table__print(table, &look, view->out);
	put_more(view, cnt, "");
	return err;
}

static void add_importer_name(const struct view *view, const struct edge *edge,
			      struct text_buf *buf)
{
	if (edge->importer.module)
		text_buf__escape(buf, edge->importer.module, view_escape_flags(view));
	else
		text_buf__add(buf, "?");
}

static void write_circular(const struct view *view, const struct process *process)
{
	size_t cnt = 0, done = 0;

	for (size_t i = 0; i < process->edge_cnt; i++)
		cnt += process->edges[i]->is_circular;
	if (!cnt)
		return;
	put_title(view, "Circular imports", cnt);
	for (size_t i = 0; i < process->edge_cnt && done < view_top(view); i++) {
		const struct edge *edge = process->edges[i];
		struct text_buf buf = { 0 };

		if (!edge->is_circular)
			continue;
		done++;
		add_importer_name(view, edge, &buf);
		text_buf__add(&buf, " -> ");
		text_buf__escape(&buf, edge->module ? edge->module : "?", view_escape_flags(view));
		if (edge->importer.file) {
			text_buf__add(&buf, " at ");
			phrase_place(view, process, &edge->importer, &buf);
		}
		text_buf__add(&buf, " closes a cycle");
		put_para(view, 4, TABLE_PLAIN, text_buf__str(&buf));
		text_buf__free(&buf);
	}
	put_more(view, cnt, "");
}

static void write_waits(const struct view *view, const struct headline *headline)
{
	const struct load *load = headline->longest_wait;
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	if (!load)
		return;
	fputc('\n', view->out);
	text_buf__printf(&buf, "%s import%s waited", text_count(num, headline->wait_cnt),
			 headline->wait_cnt == 1 ? "" : "s");
	text_buf__printf(&buf, " %s for another thread that was loading the same module",
			 text_ns(num, headline->wait_ns));
	if (headline->wait_cnt > 1)
		text_buf__printf(&buf, "; longest %s", text_ns(num, load->lock_wait_ns));
	text_buf__add(&buf, ": ");
	phrase_module(view, load, &buf);
	text_buf__add(&buf, " from ");
	phrase_importer(view, load, &buf);
	put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

int problems_write(const struct view *view, const struct process *process,
		const struct headline *headline)
{
	int err = write_results(view, process, LOAD_FAILED, "Failed");

	if (!err)
		err = write_results(view, process, LOAD_UNFINISHED, "Unfinished");
	write_circular(view, process);
	write_waits(view, headline);
	return err;
}
