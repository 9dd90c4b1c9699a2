// SPDX-License-Identifier: BSD-2-Clause
/* What a process that ran already had loaded before tracing began, for the head of text views. */
#include "report/view.h"
#include "report/head/lines.h"
#include "report/text/wording.h"

void phrase_mb(struct text_buf *buf, __u64 bytes)
{
	text_buf__printf(buf, bytes < 10000000 ? "%.1f MB" : "%.0f MB", (double)bytes / 1e6);
}

static __u64 mapped_bytes(const struct inventory *inventory)
{
	__u64 sum = 0;

	for (size_t i = 0; i < inventory->lib_cnt; i++)
		sum += inventory->libs[i]->bytes;
	return sum;
}

static void add_libs(const struct inventory *inventory, struct text_buf *buf)
{
	char num[TEXT_NUM_SZ];

	text_buf__printf(buf, "%s shared object%s (", text_count(num, inventory->lib_cnt),
			 inventory->lib_cnt == 1 ? "" : "s");
	phrase_mb(buf, mapped_bytes(inventory));
	text_buf__add(buf, " mapped)");
}

void inventory_head(const struct view *view, const struct process *process)
{
	const struct inventory *inventory = process->inventory;
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	text_buf__add(&buf, process->is_carried ? "Its begin is in an earlier file of this capture" :
						  "It was already running when tracing began");
	if (!inventory) {
		text_buf__add(&buf, ": earlier imports are not listed.");
	} else if (!inventory->has_modules) {
		text_buf__add(&buf, ", with ");
		add_libs(inventory, &buf);
		text_buf__add(&buf, "; which modules it had loaded cannot be read.");
	} else {
		text_buf__printf(&buf, ", with %s%s modules and ",
				 inventory->is_cut ? "at least " : "",
				 text_count(num, inventory->module_cnt));
		add_libs(inventory, &buf);
		text_buf__add(&buf, " loaded before: no times (--view inventory lists them).");
	}
	put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}
