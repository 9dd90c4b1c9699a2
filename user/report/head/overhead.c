// SPDX-License-Identifier: BSD-2-Clause
/* What tracing took of the times shown, or why that is not known. */
#include "report/view.h"
#include "report/head/lines.h"
#include "report/text/wording.h"

#define SHARE 1000 /* less of a start-up than one of these is not told */

void overhead_head(const struct view *view, const struct process *process)
{
	const struct overhead *overhead = &process->overhead;
	bool has_startup = process->startup.by != STARTUP_UNKNOWN;
	__u64 ns = has_startup ? process_startup_overhead_ns(process) : overhead->total_ns;
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	if (!overhead->is_known || !ns ||
	    (has_startup && ns < process->startup_measured.wall_ns / SHARE))
		return;
	text_buf__printf(&buf, "Tracing took about %s, %s.", text_ns(num, ns),
			 overhead->is_taken_off ? "not counted" : "which is in the times");
	put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

void overhead_foot(const struct view *view)
{
	const struct price_info *price = model__price(view->model);
	struct text_buf buf = { 0 };

	if (!price || !price_has_changed(price))
		return;
	text_buf__printf(&buf, "What tracing took is in the times: a probe cost %llu ns when it began and %llu ns when it ended.",
			 price->trap_ns, price->end_trap_ns);
	put_para(view, 0, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}
