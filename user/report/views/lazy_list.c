// SPDX-License-Identifier: BSD-2-Clause
/* Lazy imports of 3.15: where they are declared, and what loaded them, if anything did. */
#include <errno.h>

#include "base/cleanup.h"
#include "report/view.h"
#include "report/text/sections.h"
#include "report/text/wording.h"

static bool is_startup(const struct load *load)
{
	return load->start_ns <= load->process->startup_end_ns;
}

static void add_loaded(const struct view *view, const struct process *process,
		       const struct lazy_name *lazy, struct text_buf *buf)
{
	if (lazy->is_never) {
		text_buf__add(buf, "never");
	} else if (!lazy->load) {
		text_buf__add(buf, "already loaded");
	} else {
		text_buf__add(buf, is_startup(lazy->load) ? "at start-up, by " : "later, by ");
		phrase_place(view, process, &lazy->load->importer, buf);
	}
}

static int put_lazy(const struct view *view, const struct process *process,
		    const struct lazy_name *lazy, struct table *table)
{
	struct text_buf buf = { 0 };
	int err;

	text_buf__escape(&buf, lazy->module, view_escape_flags(view));
	table__add(table, text_buf__str(&buf), TABLE_BOLD);
	text_buf__reset(&buf);
	phrase_place(view, process, &lazy->declared, &buf);
	table__add(table, text_buf__str(&buf), TABLE_PLAIN);
	text_buf__reset(&buf);
	add_loaded(view, process, lazy, &buf);
	table__add(table, text_buf__str(&buf), TABLE_PLAIN);
	err = buf.err;
	text_buf__free(&buf);
	return err;
}

int lazy_write(const struct view *view, const struct process *process)
{
	static const struct table_col cols[] = {
		{ "module", false, TABLE_CUT_MIDDLE, 14, 0 },
		{ "declared at", false, TABLE_CUT_HEAD, 14, 0 },
		{ "loaded", false, TABLE_CUT_TAIL, 14, 12 },
	};
	const struct table_look look = view_look(view, 2);
	_cleanup_(table__freep) struct table *table = NULL;
	size_t never_cnt = 0, startup_cnt = 0;
	char title[160];
	int err;

	if (!process->lazy_cnt)
		return 0;
	err = table__new(&table, cols, sizeof(cols) / sizeof(cols[0]));
	for (size_t i = 0; !err && i < process->lazy_cnt; i++) {
		const struct lazy_name *lazy = process->lazies[i];

		never_cnt += lazy->is_never;
		startup_cnt += lazy->load && is_startup(lazy->load);
	}
	/* The last ones first: the program's own come after those of the interpreter. */
	for (size_t i = process->lazy_cnt; !err && i-- > 0;)
		if (table__row_cnt(table) < view_top(view))
			err = put_lazy(view, process, process->lazies[i], table);
	if (err)
		return err;
	snprintf(title, sizeof(title), "Lazy imports: %zu declared, %zu never loaded, %zu loaded at start-up",
		 process->lazy_cnt, never_cnt, startup_cnt);
	fputc('\n', view->out);
	put_para(view, 2, TABLE_BOLD, title);
	return table__print(table, &look, view->out);
}
