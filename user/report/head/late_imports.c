// SPDX-License-Identifier: BSD-2-Clause
/* Late imports in words: who had to wait for them. */
#include "model/tree/late_imports.h"
#include "report/view.h"
#include "report/head/lines.h"
#include "report/text/wording.h"

static void add_longest(const struct view *view, const struct load *load, struct text_buf *buf)
{
	char num[TEXT_NUM_SZ];

	text_buf__add(buf, "; longest ");
	phrase_name(view, load, buf);
	text_buf__printf(buf, ", %s", text_ns(num, load->wall_ns));
	if (load->importer.file) {
		text_buf__add(buf, ", at ");
		phrase_place(view, load->process, &load->importer, buf);
	}
}

/* Of a service only: that a command imports something in its functions is as it should be. */
void late_head(const struct view *view, const struct process *process)
{
	struct text_buf buf = { 0 };
	struct late_imports late;
	char num[TEXT_NUM_SZ];

	if (!late_find(process, &late) || !late.is_service || !late.cnt)
		return;
	text_buf__printf(&buf, "When it was ready, %s late import%s loaded ",
			 text_count(num, late.cnt), late.cnt == 1 ? "" : "s");
	text_buf__printf(&buf, "%s module%s, ", text_count(num, late.module_cnt),
			 late.module_cnt == 1 ? "" : "s");
	text_buf__printf(&buf, "%s in all", text_ns(num, late.wall_ns));
	if (late.waiter_cnt)
		text_buf__printf(&buf, ": for %s of it the thread that waits for connections "
				 "(%s) was blocked", text_ns(num, late.waiter_ns),
				 process->ready_by ? process->ready_by : "?");
	if (late.longest)
		add_longest(view, late.longest, &buf);
	text_buf__add(&buf, ".");
	put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}
