// SPDX-License-Identifier: BSD-2-Clause
/*
 * See table.h. Cells lie one behind the other in one buffer: a tree of 20,000 rows costs a few
 * megabytes, not a hundred thousand allocations.
 */
#include "base/table.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define GAP 2 /* blanks between columns */

struct cell {
	size_t off;
	size_t link_sz; /* of what begins a link, which lies before the text; 0: it is none */
	uint32_t width;
	uint16_t keep;
	uint16_t style;
};

struct table {
	const struct table_col *cols;
	size_t col_cnt;
	struct text_buf text;
	struct cell *cells;
	size_t cnt, cap;
	int err;
};

const char *table_style_code(enum table_style style)
{
	static const char *const codes[] = {
		[TABLE_PLAIN] = "", [TABLE_DIM] = "\033[2m", [TABLE_BOLD] = "\033[1m",
		[TABLE_RED] = "\033[31m",
	};

	return codes[style];
}

int table__new(struct table **out, const struct table_col *cols, size_t col_cnt)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	table->cols = cols;
	table->col_cnt = col_cnt;
	*out = table;
	return 0;
}

void table__free(struct table *table)
{
	if (!table)
		return;
	text_buf__free(&table->text);
	free(table->cells);
	free(table);
}

void table__freep(struct table **table)
{
	table__free(*table);
}

/* What makes links is left out: the first of them goes before the cell's text. */
static size_t add_text(struct table *table, const char *cell)
{
	const char *mark = strchr(cell, '\033');
	size_t first = 0, sz;

	if (mark)
		first = text_link_sz(mark);
	if (first)
		text_buf__add_sz(&table->text, mark, first);
	for (; mark && (sz = text_link_sz(mark)); mark = strchr(cell, '\033')) {
		text_buf__add_sz(&table->text, cell, (size_t)(mark - cell));
		cell = mark + sz;
	}
	text_buf__add_sz(&table->text, cell, strlen(cell) + 1);
	return first;
}

void table__add_kept(struct table *table, const char *cell, enum table_style style, size_t keep)
{
	size_t width = text_width(cell), off, link_sz;

	if (table->cnt == table->cap) {
		size_t cap = table->cap ? table->cap * 2 : 64;
		struct cell *cells = reallocarray(table->cells, cap, sizeof(*cells));

		if (!cells) {
			table->err = -ENOMEM;
			return;
		}
		table->cells = cells;
		table->cap = cap;
	}
	off = table->text.sz;
	link_sz = add_text(table, cell);
	table->cells[table->cnt++] = (struct cell){
		.off = off + link_sz,
		.link_sz = link_sz,
		.width = width > UINT32_MAX ? UINT32_MAX : (uint32_t)width,
		.keep = keep > UINT16_MAX ? UINT16_MAX : (uint16_t)keep,
		.style = (uint16_t)style,
	};
}

void table__add(struct table *table, const char *cell, enum table_style style)
{
	table__add_kept(table, cell, style, 0);
}

size_t table__row_cnt(const struct table *table)
{
	return table->cnt / table->col_cnt;
}

/* Natural widths, titles included. Returns the columns of a whole row. */
static size_t measure(const struct table *table, const struct table_look *look, size_t *widths)
{
	size_t total = look->indent + GAP * (table->col_cnt - 1);

	for (size_t col = 0; col < table->col_cnt; col++) {
		const char *title = table->cols[col].title;

		widths[col] = title ? text_width(title) : 0;
		for (size_t i = col; i < table->cnt; i += table->col_cnt)
			if (table->cells[i].width > widths[col])
				widths[col] = table->cells[i].width;
		total += widths[col];
	}
	return total;
}

/* What counts when it is asked which column is the widest: 0 = it cannot shrink. */
static size_t claim(const struct table_col *col, size_t width)
{
	if (col->cut == TABLE_WHOLE || width <= col->min)
		return 0;
	return width > col->bonus ? width - col->bonus : 1;
}

/*
 * The widest column that may shrink gives way first, so that long outliers pay, not all.
 * A terminal too narrow for the minimal widths gets lines that wrap; nothing is hidden.
 */
static void fit(const struct table *table, const struct table_look *look, size_t *widths)
{
	size_t total = measure(table, look, widths);

	while (total > look->width) {
		size_t widest = 0, best = 0, second = 0, step;

		for (size_t col = 0; col < table->col_cnt; col++) {
			size_t claimed = claim(&table->cols[col], widths[col]);

			if (claimed > best) {
				second = best;
				best = claimed;
				widest = col;
			} else if (claimed > second) {
				second = claimed;
			}
		}
		if (!best)
			return;
		step = best > second ? best - second : 1;
		if (step > widths[widest] - table->cols[widest].min)
			step = widths[widest] - table->cols[widest].min;
		if (step > total - look->width)
			step = total - look->width;
		widths[widest] -= step;
		total -= step;
	}
}

/* Writes @text cut to @width columns. Returns the columns written. */
static size_t put_cut(FILE *out, const char *text, size_t width, enum table_cut cut, size_t keep,
		      const char *dots)
{
	size_t dots_cols = text_width(dots), cols, head, tail, head_cols, tail_cols;

	if (keep + dots_cols >= width) /* no room to be clever */
		cut = TABLE_CUT_TAIL, keep = 0;
	if (width <= dots_cols) {
		head = text_head(text, width, &cols);
		fwrite(text, 1, head, out);
		return cols;
	}
	width -= dots_cols;
	head = cut == TABLE_CUT_TAIL ? width :
	       cut == TABLE_CUT_HEAD ? keep : keep + (width - keep) / 3;
	head = text_head(text, head, &head_cols);
	fwrite(text, 1, head, out);
	fputs(dots, out);
	if (cut == TABLE_CUT_TAIL)
		return head_cols + dots_cols;
	tail = text_tail(text + head, width - head_cols, &tail_cols);
	fputs(text + head + tail, out);
	return head_cols + dots_cols + tail_cols;
}

static void put_cell(const struct table *table, const struct table_look *look, size_t col,
		     size_t width, bool is_last, const struct cell *cell, FILE *out)
{
	const struct table_col *spec = &table->cols[col];
	const char *text = table->text.data + cell->off;
	bool has_style = look->use_color && cell->style != TABLE_PLAIN && cell->width;
	size_t cols = cell->width;

	if (spec->is_right && cols < width)
		fprintf(out, "%*s", (int)(width - cols), "");
	if (has_style)
		fputs(table_style_code(cell->style), out);
	if (cell->link_sz)
		fwrite(text - cell->link_sz, 1, cell->link_sz, out);
	if (cols <= width || look->is_whole)
		fputs(text, out);
	else
		cols = put_cut(out, text, width, spec->cut, cell->keep,
			       look->use_ascii ? "..." : "\u2026");
	if (cell->link_sz)
		fputs("\033]8;;\033\\", out);
	if (has_style)
		fputs("\033[0m", out);
	if (!is_last && !spec->is_right && cols < width)
		fprintf(out, "%*s", (int)(width - cols), "");
}

/* Cells behind the last one with text would only write blanks at the end of the line. */
static size_t used_cols(const struct table *table, const struct cell *row)
{
	size_t used = table->col_cnt;

	while (used > 1 && !row[used - 1].width)
		used--;
	return used;
}

static void put_header(const struct table *table, const struct table_look *look,
		       const size_t *widths, FILE *out)
{
	fprintf(out, "%*s%s", (int)look->indent, "",
		look->use_color ? table_style_code(TABLE_DIM) : "");
	for (size_t col = 0; col < table->col_cnt; col++) {
		const char *title = table->cols[col].title ? table->cols[col].title : "";
		size_t width = text_width(title);
		size_t pad = widths[col] > width ? widths[col] - width : 0;
		bool is_last = col + 1 == table->col_cnt;

		if (table->cols[col].is_right)
			fprintf(out, "%*s%s", (int)pad, "", title);
		else
			fprintf(out, "%s%*s", title, is_last ? 0 : (int)pad, "");
		fprintf(out, "%*s", is_last ? 0 : GAP, "");
	}
	fputs(look->use_color ? "\033[0m\n" : "\n", out);
}

int table__print(const struct table *table, const struct table_look *look, FILE *out)
{
	_cleanup_free_ size_t *widths = calloc(table->col_cnt, sizeof(*widths));
	bool has_header = false;

	if (!widths || table->err || table->text.err)
		return -ENOMEM;
	fit(table, look, widths);
	for (size_t col = 0; col < table->col_cnt; col++)
		has_header |= table->cols[col].title != NULL;
	if (has_header)
		put_header(table, look, widths, out);
	for (size_t i = 0; i + table->col_cnt <= table->cnt; i += table->col_cnt) {
		size_t used = used_cols(table, &table->cells[i]);

		fprintf(out, "%*s", (int)look->indent, "");
		for (size_t col = 0; col < used; col++) {
			put_cell(table, look, col, widths[col], col + 1 == used,
				 &table->cells[i + col], out);
			if (col + 1 < used)
				fprintf(out, "%*s", GAP, "");
		}
		fputc('\n', out);
	}
	return 0;
}
