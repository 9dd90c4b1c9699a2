// SPDX-License-Identifier: BSD-2-Clause
/* The starts that had to wait until their interpreter was probed: one line of text. */
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
