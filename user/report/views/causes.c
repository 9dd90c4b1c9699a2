// SPDX-License-Identifier: BSD-2-Clause
/*
 * --view causes: where the time of each module went, one stacked bar per module, and its memory.
 */
#include <string.h>

#include "base/cleanup.h"
#include "report/head/causes.h"
#include "report/head/head.h"
#include "report/head/lines.h"
#include "report/text/ranking.h"
#include "report/text/wording.h"

#define BAR_WIDTH 30
#define BAR_NARROW 12

/* Marks in proportion, at least none: @whole_ns takes @width of them. */
static void add_bar(struct text_buf *buf, const __u64 parts[CAUSE_CNT], __u64 whole_ns,
		    size_t width)
{
	double sum = 0;
	size_t put = 0, until;

	for (int i = 0; whole_ns && i < CAUSE_CNT; i++) {
		sum += (double)parts[i];
		until = (size_t)(sum * (double)width / (double)whole_ns + 0.5);
		for (; put < until && put < width; put++)
			text_buf__add_sz(buf, &causes[i].mark, 1);
	}
	if (!put)
		text_buf__add(buf, ".");
}

/* The causes that matter, largest first: "sleep 200 ms, CPU 1.4 ms". */
static void add_words(struct text_buf *buf, const __u64 parts[CAUSE_CNT], __u64 whole_ns)
{
	bool is_told[CAUSE_CNT] = { 0 };
	char num[TEXT_NUM_SZ];

	for (int n = 0; n < 3; n++) {
		int top = -1;

		for (int i = 0; i < CAUSE_CNT; i++)
			if (!is_told[i] && (top < 0 || parts[i] > parts[top]))
				top = i;
		if (!parts[top] || parts[top] * 50 < whole_ns)
			break;
		is_told[top] = true;
		text_buf__printf(buf, "%s%s %s", n ? ", " : "", causes[top].word,
				 text_ns(num, parts[top]));
	}
}

static void add_memory(const struct view *view, struct table *table, const struct load *load)
{
	__s64 bytes = (__s64)(load->charge->rss_anon + load->charge->rss_file);
	char num[TEXT_NUM_SZ], text[TEXT_NUM_SZ + 2];

	(void)view;
	if (!(load->process->measured & PYI_GROUP_MEMORY)) {
		table__add(table, "-", TABLE_PLAIN);
		return;
	}
	view_bytes(num, (__u64)(bytes < 0 ? -bytes : bytes));
	snprintf(text, sizeof(text), "%s%s", bytes < 0 ? "-" : "+", num);
	table__add(table, text, TABLE_PLAIN);
}

static void add_row(const struct view *view, const struct load *load, __u64 most_ns,
		    struct table *table)
{
	struct text_buf buf = { 0 };
	__u64 parts[CAUSE_CNT];
	char num[TEXT_NUM_SZ];

	causes_split(load->charge, load->self_cpu_ns, parts);
	table__add(table, text_ns(num, load->self_ns), TABLE_PLAIN);
	add_memory(view, table, load);
	add_bar(&buf, parts, most_ns, view_is_narrow(view) ? BAR_NARROW : BAR_WIDTH);
	table__add(table, text_buf__str(&buf), TABLE_PLAIN);
	text_buf__reset(&buf);
	phrase_module(view, load, &buf);
	table__add(table, text_buf__str(&buf), style_of(load));
	text_buf__reset(&buf);
	add_words(&buf, parts, load->self_ns);
	table__add(table, text_buf__str(&buf), TABLE_DIM);
	text_buf__free(&buf);
}

static void put_outside(const struct view *view, const struct process *process)
{
	const struct pyi_charge *total = &process->total;
	struct text_buf buf = { 0 };
	__u64 parts[CAUSE_CNT];
	char num[TEXT_NUM_SZ];

	if (process->outside_cpu_ns != NS_UNKNOWN) {
		causes_split(&process->outside, process->outside_cpu_ns, parts);
		text_buf__printf(&buf, "Outside imports, on the main thread: %s (",
				 text_ns(num, process->outside_ns));
		add_words(&buf, parts, process->outside_ns);
		text_buf__add(&buf, ").");
		put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
		text_buf__reset(&buf);
	}
	if (process->measured & PYI_GROUP_MEMORY && total->rss_peak) {
		text_buf__printf(&buf, "Resident memory: %s at the peak.",
				 view_bytes(num, total->rss_peak));
		put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	}
	text_buf__free(&buf);
}

/* Which causes are unknown, so that their absence is not read as zero. */
static void put_unmeasured(const struct view *view, const struct process *process)
{
	static const struct { __u32 group; const char *word; } groups[] = {
		{ PYI_GROUP_CPU, "CPU time and waits" },
		{ PYI_GROUP_WAKE, "waiting for a CPU after a wake-up" },
		{ PYI_GROUP_FILES, "files" }, { PYI_GROUP_DISK, "bytes from disk" },
		{ PYI_GROUP_MEMORY, "memory" }, { PYI_GROUP_NET, "network and side effects" },
	};
	struct text_buf buf = { 0 };

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (!(process->measured & groups[i].group))
			text_buf__printf(&buf, "%s%s", buf.sz ? ", " : "Not measured: ",
					 groups[i].word);
	text_buf__add(&buf, " (switched off, or this kernel lacks a tracepoint).");
	if (!process->is_log && text_buf__str(&buf)[0] == 'N')
		put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

static int write_process(const struct view *view, const struct process *process)
{
	static const struct table_col cols[] = {
		{ "self", true, TABLE_WHOLE, 0, 0 }, { "memory", true, TABLE_WHOLE, 0, 0 },
		{ "where it went", false, TABLE_WHOLE, 0, 0 },
		{ "module", false, TABLE_CUT_MIDDLE, 14, 0 }, { "", false, TABLE_CUT_TAIL, 10, 0 },
	};
	const struct table_look look = view_look(view, 2);
	_cleanup_(table__freep) struct table *table = NULL;
	_cleanup_free_ struct load **loads = NULL;
	int err = head_write(view, process);

	if (!err)
		put_unmeasured(view, process);
	if (!err)
		err = rank_loads(process, RANK_SELF, &loads);
	if (!err)
		err = table__new(&table, cols, sizeof(cols) / sizeof(cols[0]));
	if (err)
		return err;
	for (size_t i = 0; i < process->load_cnt && table__row_cnt(table) < view_top(view); i++) {
		if (loads[i]->self_ns == NS_UNKNOWN)
			break;
		add_row(view, loads[i], loads[0]->self_ns, table);
	}
	fputc('\n', view->out);
	throttle_write(view, process);
	put_outside(view, process);
	if (table__row_cnt(table)) {
		put_para(view, 2, TABLE_BOLD, "Own time of modules, without what they import");
		err = table__print(table, &look, view->out);
	}
	fputc('\n', view->out);
	return err;
}

int causes_write(const struct view *view)
{
	struct text_buf buf = { 0 };

	for (int i = 0; i < CAUSE_CNT; i++)
		text_buf__printf(&buf, "%s%c %s", i ? "  " : "", causes[i].mark, causes[i].word);
	put_para(view, 0, TABLE_DIM, text_buf__str(&buf));
	text_buf__free(&buf);
	fputc('\n', view->out);
	return view_each_process(view, write_process);
}
