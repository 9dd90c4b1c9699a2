// SPDX-License-Identifier: BSD-2-Clause
/* The interpreters that ran without probes, each with the reasons, and what was not examined. */
#include "report/view.h"
#include "model/unexamined.h"
#include "report/head/lines.h"
#include "report/text/wording.h"

static void put_text(const struct view *view, unsigned int indent, const char *lead,
		     const char *text)
{
	struct text_buf buf = { 0 };

	text_buf__add(&buf, lead);
	text_buf__escape(&buf, text, view_escape_flags(view));
	put_para(view, indent, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

void unexamined_write_text(const struct view *view)
{
	const struct unexamined_info *info = model__unexamined(view->model);

	for (size_t i = 0; i < info->path_cnt; i++)
		put_text(view, 4, "", info->paths[i] ? info->paths[i] : "an unknown file");
	if (info->cnt > info->path_cnt)
		put_text(view, 4, "", "and others");
}

void unprobed_write_text(const struct view *view)
{
	const struct python_info *info;

	for (size_t i = 0; (info = model__unprobed(view->model, i)); i++) {
		put_text(view, 4, "", info->binary ? info->binary : "an unknown file");
		for (size_t j = 0; j < info->note_cnt; j++)
			put_text(view, 6, "", info->notes[j]);
	}
}
