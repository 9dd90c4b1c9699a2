// SPDX-License-Identifier: BSD-2-Clause
/* The interpreters that ran without probes, each with the reasons: text and JSON. */
#include "report/json/json_out.h"
#include "report/view.h"

static void put_text(const struct view *view, unsigned int indent, const char *lead,
		     const char *text)
{
	struct text_buf buf = {0};

	text_buf__add(&buf, lead);
	text_buf__escape(&buf, text, view_escape_flags(view));
	put_para(view, indent, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
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

json_t *unprobed_new_json(struct json_out *jo, const struct model *model)
{
	json_t *list = json_array();
	const struct python_info *info;

	for (size_t i = 0; (info = model__unprobed(model, i)); i++) {
		json_t *obj = json_object(), *notes = json_array();

		json_set_str(jo, obj, "binary", info->binary);
		json_set_str(jo, obj, "implementation", info->implementation);
		json_set_str(jo, obj, "version", info->version);
		for (size_t j = 0; j < info->note_cnt; j++)
			json_array_append_new(notes, json_new_str(jo, info->notes[j]));
		json_set(jo, obj, "notes", notes);
		json_array_append_new(list, obj);
	}
	return list;
}
