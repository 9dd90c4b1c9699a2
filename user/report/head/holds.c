// SPDX-License-Identifier: BSD-2-Clause
/* What had to wait: starts until their interpreter was probed, and all others. */
#include "report/view.h"
#include "report/head/lines.h"
#include "report/text/wording.h"

/*
 * Above what a look at a file takes; in between nobody wants to know. The longest hold of all
 * counts from when it may have begun: it may be one of a Python, a little longer.
 */
#define TELL_NS 100000000ULL

static void write_others(const struct view *view, __u64 told_ns)
{
	const struct held_info *held = model__held(view->model);
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	if (!held)
		return;
	if (held->exec_max_ns > told_ns + TELL_NS)
		text_buf__printf(&buf, "Of other programs, the start of one was held for %s at most.",
				 text_ns(num, held->exec_max_ns));
	if (held->refused_cnt)
		text_buf__printf(&buf, "%s%s start%s refused by the kernel: the file could not be opened while it was held.",
				 *text_buf__str(&buf) ? " " : "", text_count(num, held->refused_cnt),
				 held->refused_cnt == 1 ? " was" : "s were");
	if (*text_buf__str(&buf))
		put_para(view, 0, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

/* One start can be held twice: when it execs, in vain, and when it maps the interpreter. */
static __u64 held_of(const struct view *view, __u32 tgid, bool *is_first, size_t index)
{
	const struct hold_info *hold;
	__u64 sum_ns = 0;

	*is_first = true;
	for (size_t i = 0; (hold = model__hold(view->model, i)); i++) {
		if (hold->tgid != tgid)
			continue;
		*is_first &= i >= index;
		sum_ns += hold->wall_ns;
	}
	return sum_ns;
}

static __u64 write_pythons(const struct view *view)
{
	const struct hold_info *hold;
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];
	__u64 max_ns = 0;
	size_t cnt = 0;

	for (size_t i = 0; (hold = model__hold(view->model, i)); i++) {
		bool is_first;
		__u64 held_ns = held_of(view, hold->tgid, &is_first, i);

		cnt += is_first;
		max_ns = held_ns > max_ns ? held_ns : max_ns;
	}
	if (!cnt)
		return 0;
	text_buf__printf(&buf, "%s start%s held until the interpreter was probed: ",
			 text_count(num, cnt), cnt == 1 ? " was" : "s were");
	text_buf__printf(&buf, "%s%s.", text_ns(num, max_ns), cnt == 1 ? "" : " at most");
	put_para(view, 0, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
	return max_ns;
}

void holds_write_text(const struct view *view)
{
	write_others(view, write_pythons(view));
}
