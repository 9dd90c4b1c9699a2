/* SPDX-License-Identifier: BSD-2-Clause */
/* Phrases, escaped, appended to a buffer. */
#ifndef REPORT_TEXT_WORDING_H
#define REPORT_TEXT_WORDING_H

#include "report/view.h"

/* "1.23 MB", decimal; returns @buf. */
char *view_bytes(char buf[TEXT_NUM_SZ], __u64 bytes);
/* "1.2 MB", appended. */
void phrase_mb(struct text_buf *buf, __u64 bytes);
unsigned int view_escape_flags(const struct view *view);
void phrase_place(const struct view *view, const struct process *process,
		  const struct site *site, struct text_buf *buf);
/* "app/views.py:88 in handler": a place in a function. */
void phrase_use(const struct view *view, const struct process *process, const struct site *site,
		struct text_buf *buf);
void phrase_importer(const struct view *view, const struct load *load, struct text_buf *buf);
void phrase_name(const struct view *view, const struct load *load, struct text_buf *buf);
/* The name with what went wrong in brackets, or "!" where that is too long. */
void phrase_module(const struct view *view, const struct load *load, struct text_buf *buf);
/* The kind, or what went wrong in its place. */
void phrase_kind(const struct view *view, const struct load *load, struct text_buf *buf);
/* What people call it: the script's name or "-m module", else the command; as it is, not escaped. */
void phrase_program(const struct process *process, struct text_buf *buf);
/* The same, escaped: what exports call a process. */
void phrase_label(const struct view *view, const struct process *process, struct text_buf *buf);
void phrase_command(const struct view *view, const struct process *process, struct text_buf *buf);
/* Writes @text wrapped to the width: @indent blanks first, two more on later lines. */
void put_para(const struct view *view, size_t indent, enum table_style style, const char *text);

#endif
