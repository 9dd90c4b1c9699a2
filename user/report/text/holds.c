// SPDX-License-Identifier: BSD-2-Clause
/* The starts that had to wait until their interpreter was probed: one line of text, and JSON. */
#include "report/json/json_out.h"
#include "report/view.h"

void holds_write_text(const struct view *view)
{
	size_t cnt = model__hold_cnt(view->model);
	const struct hold_info *hold;
	struct text_buf buf = {0};
	char num[TEXT_NUM_SZ];
	__u64 max_ns = 0;

	if (!cnt)
		return;
	for (size_t i = 0; (hold = model__hold(view->model, i)); i++)
		max_ns = hold->wall_ns > max_ns ? hold->wall_ns : max_ns;
	text_buf__printf(&buf, "%s start%s held until the interpreter was probed: ",
			 text_count(num, cnt), cnt == 1 ? " was" : "s were");
	text_buf__printf(&buf, "%s%s.", text_ns(num, max_ns), cnt == 1 ? "" : " at most");
	put_para(view, 0, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

json_t *holds_new_json(struct json_out *jo, const struct model *model)
{
	json_t *list = json_array();
	const struct hold_info *hold;

	for (size_t i = 0; (hold = model__hold(model, i)); i++) {
		json_t *obj = json_object();

		json_set_int(jo, obj, "pid", hold->tgid);
		json_set_str(jo, obj, "file", hold->path);
		json_set_str(jo, obj, "at", hold->is_exec ? "exec" : "mapping");
		json_set_ns(jo, obj, "wall_ns", hold->wall_ns);
		json_array_append_new(list, obj);
	}
	return list;
}
