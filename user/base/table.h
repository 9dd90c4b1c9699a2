/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of cells in aligned columns that fit a width. Cells must be harmless text already
 * (text_buf__escape); the table only measures, cuts and pads.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What to leave out when a column must shrink. */
enum table_cut {
	TABLE_WHOLE = 0, /* never shrinks */
	TABLE_CUT_HEAD,  /* paths: the end tells most */
	TABLE_CUT_MIDDLE,
	TABLE_CUT_TAIL,
};

enum table_style { TABLE_PLAIN = 0, TABLE_DIM, TABLE_BOLD, TABLE_RED };

/* Escape sequence that switches a style on; "\033[0m" ends it. */
const char *table_style_code(enum table_style style);

struct table_col {
	const char *title; /* NULL in all columns: no header row */
	bool is_right;
	enum table_cut cut;
	size_t min;        /* columns it keeps while others can still shrink */
	size_t bonus;      /* columns it may be wider than others before it must shrink */
};

struct table_look {
	size_t width, indent;
	bool use_color, use_ascii;
	bool is_whole; /* longer cells stand out of their column instead of being cut */
};

struct table;

/* @cols must outlive the table. */
int table__new(struct table **out, const struct table_col *cols, size_t col_cnt);
void table__free(struct table *table);
void table__freep(struct table **table);

/* Next cell, row after row. -ENOMEM sticks and is returned by table__print. */
void table__add(struct table *table, const char *cell, enum table_style style);

/* The same; the first @keep columns of the cell are never cut (indentation of a tree). */
void table__add_kept(struct table *table, const char *cell, enum table_style style, size_t keep);

size_t table__row_cnt(const struct table *table);

/* Writes header (when titles are given) and rows. Errors of @out are the caller's to look at. */
int table__print(const struct table *table, const struct table_look *look, FILE *out);

#endif
