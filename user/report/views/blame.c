// SPDX-License-Identifier: BSD-2-Clause
/*
 * Blame, in the manner of systemd-analyze: one line per load, dearest by self time first. What one
 * place reloads again and again is one line.
 */
#include "report/view.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "report/head/head.h"
#include "report/text/wording.h"

static const struct table_col cols[] = {
	{ "self", true, TABLE_WHOLE, 0, 0 },
	{ "total", true, TABLE_WHOLE, 0, 0 },
	{ "module", false, TABLE_CUT_MIDDLE, 14, 0 },
	{ "imported by", false, TABLE_CUT_HEAD, 12, 0 },
};

struct row {
	const struct load *load; /* the first of them */
	__u64 self_ns, wall_ns;  /* of all */
	size_t cnt;
};

static void add_row(const struct view *view, const struct row *row, struct text_buf *buf,
		    struct table *table)
{
	char num[TEXT_NUM_SZ];

	table__add(table, text_ns(num, row->self_ns), TABLE_PLAIN);
	table__add(table, text_ns(num, row->wall_ns), TABLE_PLAIN);
	text_buf__reset(buf);
	phrase_module(view, row->load, buf);
	table__add(table, text_buf__str(buf), style_of(row->load));
	text_buf__reset(buf);
	phrase_importer(view, row->load, buf);
	if (row->cnt > 1)
		text_buf__printf(buf, ", %s times", text_count(num, row->cnt));
	table__add(table, text_buf__str(buf), TABLE_DIM);
}

#define CMP(x, y) ((x) < (y) ? -1 : (x) > (y))

/* By module and place, those of one in the order of time. Names and files are interned. */
static int cmp_place(const void *a, const void *b)
{
	const struct load *x = ((const struct row *)a)->load, *y = ((const struct row *)b)->load;

	return CMP(x->via, y->via) ?: CMP((uintptr_t)x->module, (uintptr_t)y->module) ?:
	       CMP((uintptr_t)x->importer.file, (uintptr_t)y->importer.file) ?:
	       CMP(x->importer.line, y->importer.line) ?: CMP(x->seq, y->seq);
}

/* Dearest first; what is unknown, which is the largest number there is, last. */
static int cmp_self(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return CMP(y->self_ns + 1, x->self_ns + 1) ?: CMP(x->load->seq, y->load->seq);
}

static void add_to(struct row *row, const struct row *other)
{
	if (row->self_ns != NS_UNKNOWN)
		row->self_ns = other->self_ns == NS_UNKNOWN ? NS_UNKNOWN :
							      row->self_ns + other->self_ns;
	if (row->wall_ns != NS_UNKNOWN)
		row->wall_ns = other->wall_ns == NS_UNKNOWN ? NS_UNKNOWN :
							      row->wall_ns + other->wall_ns;
	row->cnt++;
}

static bool is_same_reload(const struct load *a, const struct load *b)
{
	return a->via == VIA_RELOAD && b->via == VIA_RELOAD && a->module == b->module &&
	       a->importer.file && a->importer.file == b->importer.file &&
	       a->importer.line == b->importer.line;
}

static int make_rows(const struct process *process, struct row **out, size_t *cnt)
{
	struct row *rows = calloc(process->load_cnt + 1, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		rows[i] = (struct row){ load, load->self_ns, load->wall_ns, 1 };
	}
	qsort(rows, process->load_cnt, sizeof(*rows), cmp_place);
	*cnt = 0;
	for (size_t i = 0; i < process->load_cnt; i++) {
		if (*cnt && is_same_reload(rows[*cnt - 1].load, rows[i].load))
			add_to(&rows[*cnt - 1], &rows[i]);
		else
			rows[(*cnt)++] = rows[i];
	}
	qsort(rows, *cnt, sizeof(*rows), cmp_self);
	*out = rows;
	return 0;
}

static int write_process(const struct view *view, const struct process *process)
{
	_cleanup_free_ struct row *rows = NULL;
	_cleanup_(table__freep) struct table *table = NULL;
	_cleanup_(text_buf__free) struct text_buf buf = { 0 };
	const struct table_look look = view_look(view, 0);
	size_t cnt;
	int err = make_rows(process, &rows, &cnt);

	if (!err)
		err = table__new(&table, cols, sizeof(cols) / sizeof(cols[0]));
	if (!err)
		err = head_write(view, process);
	if (err)
		return err;
	if (view->opts.top && view->opts.top < cnt)
		cnt = view->opts.top;
	for (size_t i = 0; i < cnt; i++)
		add_row(view, &rows[i], &buf, table);
	if (buf.err)
		return buf.err;
	fputc('\n', view->out);
	if (cnt)
		err = table__print(table, &look, view->out);
	fputc('\n', view->out);
	return err;
}

int blame_write(const struct view *view)
{
	return view_each_process(view, write_process);
}
