// SPDX-License-Identifier: BSD-2-Clause
/*
 * --view causes: where the time of each module went, one stacked bar per module, and its memory.
 * Also the sentence about it in every text view's head.
 */
#include <string.h>

#include "base/cleanup.h"
#include "report/view.h"

#define BAR_WIDTH 30
#define BAR_NARROW 12
#define HEAD_MIN_NS 1000000ULL
#define NOTABLE_PCT 10 /* a wait that gets more than this of the time is worth the sentence */

/* Time on a CPU stands before the waits. */
enum { CAUSE_CPU = 0, CAUSE_WAITS = 1, CAUSE_CNT = CAUSE_WAITS + PYI_WAIT_CNT };

static const struct {
	char mark;
	const char *word, *doing;
} causes[CAUSE_CNT] = {
	[CAUSE_CPU] = {'#', "CPU", "on the CPU"},
	[CAUSE_WAITS + PYI_WAIT_DISK] = {'d', "disk", "waiting for disk"},
	[CAUSE_WAITS + PYI_WAIT_LOCK] = {'l', "lock", "waiting for locks"},
	[CAUSE_WAITS + PYI_WAIT_RUNQUEUE] = {'r', "run queue", "waiting for a CPU"},
	[CAUSE_WAITS + PYI_WAIT_NETWORK] = {'n', "network", "waiting for the network"},
	[CAUSE_WAITS + PYI_WAIT_SLEEP] = {'s', "sleep", "sleeping"},
	[CAUSE_WAITS + PYI_WAIT_CHILD] = {'c', "child process", "waiting for child processes"},
	[CAUSE_WAITS + PYI_WAIT_OTHER] = {'o', "other", "waiting for something else"},
};

static void split(const struct pyi_charge *charge, __u64 cpu_ns, __u64 parts[CAUSE_CNT])
{
	parts[CAUSE_CPU] = cpu_ns == NS_UNKNOWN ? 0 : cpu_ns;
	memcpy(parts + CAUSE_WAITS, charge->wait_ns, sizeof(charge->wait_ns));
}

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
	bool is_told[CAUSE_CNT] = {0};
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
	struct text_buf buf = {0};
	__u64 parts[CAUSE_CNT];
	char num[TEXT_NUM_SZ];

	split(load->charge, load->self_cpu_ns, parts);
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
	struct text_buf buf = {0};
	__u64 parts[CAUSE_CNT];
	char num[TEXT_NUM_SZ];

	if (process->outside_cpu_ns != NS_UNKNOWN) {
		split(&process->outside, process->outside_cpu_ns, parts);
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
	struct text_buf buf = {0};

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
		{"self", true, TABLE_WHOLE, 0, 0}, {"memory", true, TABLE_WHOLE, 0, 0},
		{"where it went", false, TABLE_WHOLE, 0, 0},
		{"module", false, TABLE_CUT_MIDDLE, 14, 0}, {"", false, TABLE_CUT_TAIL, 10, 0},
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
	struct text_buf buf = {0};

	for (int i = 0; i < CAUSE_CNT; i++)
		text_buf__printf(&buf, "%s%c %s", i ? "  " : "", causes[i].mark, causes[i].word);
	put_para(view, 0, TABLE_DIM, text_buf__str(&buf));
	text_buf__free(&buf);
	fputc('\n', view->out);
	return view_each_process(view, write_process);
}

static __u64 part_of(const struct load *load, int cause)
{
	__u64 parts[CAUSE_CNT];

	split(load->charge_all, load->cpu_ns, parts);
	return parts[cause];
}

/* The deepest load that still holds half of what all imports spent on @cause. */
static const struct load *find_under(const struct process *process, int cause, __u64 half_ns)
{
	const struct load *found = NULL;

	/* A load stands behind those around it: the last one that holds enough is the deepest. */
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		if (load->via != VIA_MAIN && load_is_startup(process, load) &&
		    part_of(load, cause) >= half_ns)
			found = load;
	}
	return found;
}

/* "62% of the imports' 8.4 s waiting for disk, 71% of it under torch". */
void causes_head(const struct view *view, const struct process *process,
		 const struct facts *facts)
{
	__u64 sums[CAUSE_CNT] = {0}, whole_ns = 0;
	const struct load *under;
	struct text_buf buf = {0};
	char num[TEXT_NUM_SZ];
	int top = CAUSE_CPU;

	if (!(process->measured & PYI_GROUP_CPU) || facts->imports_ns == NS_UNKNOWN)
		return;
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		if (!load_is_outermost(load) || !load_is_startup(process, load))
			continue;
		whole_ns += load->wall_ns;
		for (int cause = 0; cause < CAUSE_CNT; cause++)
			sums[cause] += part_of(load, cause);
	}
	if (whole_ns < HEAD_MIN_NS)
		return;
	for (int i = CAUSE_WAITS; i < CAUSE_CNT; i++) /* a wait says more than that it computes */
		if (sums[i] * 100 > whole_ns * NOTABLE_PCT &&
		    (top == CAUSE_CPU || sums[i] > sums[top]))
			top = i;
	text_buf__printf(&buf, "%.0f%% of the imports' %s %s", sums[top] * 100.0 / whole_ns,
			 text_ns(num, whole_ns), causes[top].doing);
	under = find_under(process, top, sums[top] / 2 + 1);
	if (under && under->module) {
		text_buf__printf(&buf, ", %.0f%% of it under ",
				 part_of(under, top) * 100.0 / sums[top]);
		text_buf__escape(&buf, under->module, view_escape_flags(view));
	}
	put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}
