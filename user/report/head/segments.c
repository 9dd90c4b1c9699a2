// SPDX-License-Identifier: BSD-2-Clause
/* See segments.h. */
#include "report/head/segments.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "report/head/causes.h"
#include "report/text/wording.h"

#define SHORT_SHARE 40 /* less than 1/40 of the whole is told together with its neighbours */
#define TINY_SHARE 400
#define NOTABLE_PCT 50

struct list {
	struct segment *segments;
	size_t cnt;
	__u64 short_ns;
};

/* Neighbours that are short become one. */
static void add(struct list *list, const struct load *load, __u64 start_ns, __u64 end_ns)
{
	bool is_short = end_ns - start_ns < list->short_ns;
	struct segment *last = list->cnt ? &list->segments[list->cnt - 1] : NULL;
	bool is_last_short = last && last->end_ns - last->start_ns < list->short_ns;

	if (end_ns <= start_ns || !list->segments)
		return;
	if (last && is_short && (is_last_short || (!last->load && last->import_cnt))) {
		last->load = NULL;
		last->end_ns = end_ns;
		last->import_cnt += load != NULL;
		return;
	}
	list->segments[list->cnt++] = (struct segment){ load, start_ns, end_ns, load != NULL };
}

/* Outermost ones, as the head counts them: one that never ended lasts to the end. */
static bool is_counted(const struct process *process, const struct load *load, __u64 from_ns,
		       __u64 to_ns)
{
	return load->tid == process->tgid && load_is_outermost(load) && load->start_ns < to_ns &&
	       load_end_ns(load) > from_ns;
}

static __u64 last_end(const struct process *process, __u64 from_ns)
{
	__u64 to_ns = from_ns;

	if (process->ready_ns != NS_UNKNOWN)
		return process->ready_ns;
	if (process->startup.by != STARTUP_UNKNOWN)
		return process->startup.end_ns;
	for (size_t i = 0; i < process->load_cnt; i++)
		if (is_counted(process, process->loads[i], from_ns, NS_UNKNOWN) &&
		    process->loads[i]->wall_ns != NS_UNKNOWN &&
		    load_end_ns(process->loads[i]) > to_ns)
			to_ns = load_end_ns(process->loads[i]);
	return to_ns;
}

/* Between two that are not short: nothing to look at. */
static size_t drop_tiny(struct segment *segments, size_t cnt, __u64 tiny_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < cnt; i++)
		if (segments[i].end_ns - segments[i].start_ns >= tiny_ns)
			segments[kept++] = segments[i];
	return kept;
}

int segments_find(const struct process *process, struct segment **out, size_t *cnt)
{
	__u64 from_ns = process->startup.by == STARTUP_UNKNOWN ? process->start_ns :
			process->startup.run_ns;
	__u64 to_ns = last_end(process, from_ns), at_ns = from_ns;
	struct list list = { .short_ns = (to_ns - from_ns) / SHORT_SHARE };

	*out = NULL;
	*cnt = 0;
	if (process->is_late || to_ns <= from_ns)
		return 0;
	list.segments = calloc(2 * process->load_cnt + 1, sizeof(*list.segments));
	if (!list.segments)
		return -ENOMEM;
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];
		__u64 start_ns, end_ns;

		if (!is_counted(process, load, from_ns, to_ns) || load_end_ns(load) <= at_ns)
			continue;
		start_ns = load->start_ns > at_ns ? load->start_ns : at_ns; /* greenlets overlap */
		end_ns = load_end_ns(load) < to_ns ? load_end_ns(load) : to_ns;
		add(&list, NULL, at_ns, start_ns);
		add(&list, load, start_ns, end_ns);
		at_ns = end_ns;
	}
	add(&list, NULL, at_ns, to_ns);
	*out = list.segments;
	*cnt = drop_tiny(list.segments, list.cnt, (to_ns - from_ns) / TINY_SHARE);
	return 0;
}

static void add_cause(const __u64 parts[CAUSE_CNT], __u64 whole_ns, struct text_buf *buf)
{
	for (int i = CAUSE_WAITS; i < CAUSE_CNT; i++)
		if (whole_ns && parts[i] <= whole_ns && parts[i] * 100 > whole_ns * NOTABLE_PCT)
			text_buf__printf(buf, ", %.0f%% of it %s", parts[i] * 100.0 / whole_ns,
					 causes[i].doing);
}

/* The waits of own work are known in sum: they belong to a piece that is nearly all of it. */
static void add_own_cause(const struct process *process, const struct segment *segment,
			  struct text_buf *buf)
{
	const struct startup *startup = &process->startup;
	__u64 wall_ns = process_time_ns(process, segment->start_ns, segment->end_ns);
	__u64 parts[CAUSE_CNT] = { 0 };

	if (startup->by == STARTUP_UNKNOWN || startup->own_wait_ns[0] == NS_UNKNOWN ||
	    wall_ns < startup->own_ns / 10 * 9)
		return;
	for (int i = CAUSE_WAITS; i < CAUSE_CNT; i++)
		parts[i] = startup->own_wait_ns[i - CAUSE_WAITS];
	add_cause(parts, wall_ns, buf);
}

void phrase_segment(const struct view *view, const struct process *process,
		    const struct segment *segment, struct text_buf *buf)
{
	const struct load *load = segment->load;
	__u64 parts[CAUSE_CNT];
	char num[TEXT_NUM_SZ];

	if (!load && !segment->import_cnt) {
		text_buf__add(buf, "own work");
		add_own_cause(process, segment, buf);
		return;
	}
	if (!load) {
		text_buf__printf(buf, "%s short import%s and own work",
				 text_count(num, segment->import_cnt),
				 segment->import_cnt == 1 ? "" : "s");
		return;
	}
	text_buf__add(buf, "imports ");
	phrase_name(view, load, buf);
	if (load->importer.file) {
		text_buf__add(buf, " (");
		phrase_place(view, process, &load->importer, buf);
		text_buf__add(buf, ")");
	}
	if (!(process->measured & PYI_GROUP_CPU))
		return;
	causes_split(load->charge_all, load->cpu_ns, parts);
	add_cause(parts, load->wall_ns, buf);
}
