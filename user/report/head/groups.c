// SPDX-License-Identifier: BSD-2-Clause
/* Processes that did the same, in the head of each text view. */
#include "report/view.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "report/head/groups.h"
#include "report/head/lines.h"
#include "report/text/sections.h"
#include "report/text/walk.h"
#include "report/text/wording.h"

#define PIDS_MAX 8 /* listed by number */

static bool is_folded(const struct view *view, const struct process *process)
{
	return !view->opts.want_unfolded && process->group && process->group->member_cnt > 1;
}

bool process_is_drawn(const struct view *view, const struct process *process)
{
	return process_is_shown(process) &&
	       (!is_folded(view, process) || process->group->typical == process);
}

static __u64 own_of(const struct process *process, bool is_measured)
{
	return is_measured ? process->own_measured_ns : process->own_ns;
}

/* Members come by own_measured_ns, unknown times last. */
struct spread spread_of(const struct group *group, bool is_measured)
{
	struct spread spread = {
		.min_ns = own_of(group->members[0], is_measured),
		.median_ns = own_of(group->typical, is_measured),
		.max_ns = own_of(group->typical, is_measured),
	};

	for (size_t i = 0; i < group->member_cnt; i++)
		if (group->members[i]->own_ns != NS_UNKNOWN)
			spread.max_ns = own_of(group->members[i], is_measured);
	return spread;
}

static int cmp_pids(const void *a, const void *b)
{
	const __u32 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* "12, 13, 14 and 1,997 more" */
void group_add_pids(const struct group *group, struct text_buf *buf)
{
	_cleanup_free_ __u32 *pids = calloc(group->member_cnt, sizeof(*pids));
	size_t cnt = group->member_cnt < PIDS_MAX + 1 ? group->member_cnt : PIDS_MAX;
	char num[TEXT_NUM_SZ];

	if (!pids) {
		buf->err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < group->member_cnt; i++)
		pids[i] = group->members[i]->tgid;
	qsort(pids, group->member_cnt, sizeof(*pids), cmp_pids);
	for (size_t i = 0; i < cnt; i++)
		text_buf__printf(buf, "%s%u", i ? ", " : "", pids[i]);
	if (cnt < group->member_cnt)
		text_buf__printf(buf, " and %s more", text_count(num, group->member_cnt - cnt));
}

/* The figure of the headline. */
static __u64 imports_of(const struct process *process)
{
	return process->startup.by == STARTUP_UNKNOWN ? process->own_ns :
							process->startup.imports_ns;
}

static void add_spread(const struct group *group, struct text_buf *buf)
{
	__u64 min_ns = NS_UNKNOWN, max_ns = 0;
	char min[TEXT_NUM_SZ], max[TEXT_NUM_SZ];

	for (size_t i = 0; i < group->member_cnt; i++) {
		__u64 ns = imports_of(group->members[i]);

		if (ns == NS_UNKNOWN)
			continue;
		min_ns = ns < min_ns ? ns : min_ns;
		max_ns = ns > max_ns ? ns : max_ns;
	}
	if (!group->typical->load_cnt)
		text_buf__add(buf, "none of them imported anything new");
	else if (min_ns == NS_UNKNOWN)
		text_buf__add(buf, "the times of their imports are not known");
	else
		text_buf__printf(buf, "imports %s to %s", text_ns(min, min_ns), text_ns(max, max_ns));
}

void workers_head(const struct view *view, const struct process *process)
{
	__u64 ready_ns = ready_in_program_ns(view, process);
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	if (process->inherited_cnt != ~0u) {
		text_buf__printf(&buf, "Forked from %u with %s module%s loaded already.",
				 process->ppid, text_count(num, process->inherited_cnt),
				 process->inherited_cnt == 1 ? "" : "s");
	}
	if (ready_ns != NS_UNKNOWN)
		text_buf__printf(&buf, "%sReady %s after the program began.", buf.sz ? " " : "",
				 text_ns(num, ready_ns));
	if (buf.sz)
		put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__reset(&buf);
	if (is_folded(view, process)) {
		text_buf__printf(&buf, "Stands for %s processes that loaded the same (pids ",
				 text_count(num, process->group->member_cnt));
		group_add_pids(process->group, &buf);
		text_buf__add(&buf, "): ");
		add_spread(process->group, &buf);
		text_buf__add(&buf, ". --unfold shows each.");
		put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	}
	text_buf__free(&buf);
}
