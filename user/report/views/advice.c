// SPDX-License-Identifier: BSD-2-Clause
/*
 * --view advice: what could be deferred and what that would save, what would not help, packages
 * as a whole, and the savings of a set that --defer names.
 */
#include "model/advice/advice.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/text/finding.h"
#include "report/view.h"
#include "report/head/groups.h"
#include "report/head/head.h"
#include "report/text/sections.h"
#include "report/text/walk.h"
#include "report/text/wording.h"

#define SAME_SHOWN 4
#define RISKS_SHOWN 4
#define SURE_PCT 90 /* of a saving; with less it is told what is sure */
#define MEMORY_MIN_SZ 100000 /* less is not worth a word */

static void add_share(const struct gains *gains, __u64 ns, struct text_buf *buf)
{
	char num[TEXT_NUM_SZ];

	text_buf__add(buf, text_ns(num, ns));
	if (gains->imports_ns)
		text_buf__printf(buf, " (%.0f%%)", (double)ns * 100 / (double)gains->imports_ns);
}

/* " and 31 MB", where that is something. */
static void add_memory(const struct gain *gain, struct text_buf *buf)
{
	char num[TEXT_NUM_SZ];

	if (gain->bytes >= MEMORY_MIN_SZ)
		text_buf__printf(buf, " and %s of memory", view_bytes(num, (__u64)gain->bytes));
}

static void put_title(const struct view *view, const char *title)
{
	fputc('\n', view->out);
	put_para(view, 2, TABLE_BOLD, title);
}

/* What the figure may be instead, where that is much. */
static void add_doubt(const struct advice *advice, const struct gain *gain, struct text_buf *buf)
{
	char num[TEXT_NUM_SZ];

	if (!advice->gains->has_edges)
		text_buf__add(buf, ": cached imports were not traced");
	else if (gain->is_cut)
		text_buf__printf(buf, ": at least %s, for some of these imports did not end",
				 text_ns(num, gain->least_ns));
	else if (gain->least_ns < gain->ns / 100 * SURE_PCT)
		text_buf__printf(buf, ": at least %s, for not all was seen that may import the rest",
				 text_ns(num, gain->least_ns));
	else if (gain->most_ns == NS_UNKNOWN)
		text_buf__add(buf, ": there was no time to tell who else calls for the rest");
	else if (gain->most_ns / 100 * SURE_PCT > gain->ns)
		text_buf__printf(buf, ": at most %s, for functions import the rest, and who called "
				 "them is not known", text_ns(num, gain->most_ns));
}

static void add_evidence(const struct advice *advice, const struct finding *finding,
			 struct text_buf *buf)
{
	char num[TEXT_NUM_SZ];

	text_buf__printf(buf, "%s module%s with it; confidence %s", text_count(num,
			 finding->gain.modules), finding->gain.modules == 1 ? "" : "s",
			 word_confidence(finding->confidence));
	add_doubt(advice, &finding->gain, buf);
}

static void put_same(const struct view *view, const struct process *process,
		     const struct finding *finding)
{
	struct text_buf buf = { 0 };

	if (!finding->same_cnt)
		return;
	text_buf__add(&buf, "the same would be saved at: ");
	for (__u32 i = 0; i < finding->same_cnt && i < SAME_SHOWN; i++) {
		text_buf__add(&buf, i ? ", " : "");
		phrase_place(view, process, &finding->same[i]->site, &buf);
	}
	if (finding->same_cnt > SAME_SHOWN)
		text_buf__printf(&buf, " and %u more", finding->same_cnt - SAME_SHOWN);
	put_para(view, 7, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

/* Imports inside its functions are what shows use: nothing seen is no proof that there was none. */
static void put_used(const struct view *view, const struct process *process,
		     const struct finding *finding)
{
	struct text_buf buf = { 0 };

	if (!finding->used)
		return;
	text_buf__add(&buf, "this run used it ");
	if (finding->caller_site) {
		text_buf__add(&buf, "at ");
		phrase_use(view, process, finding->caller_site, &buf);
		text_buf__add(&buf, " (which came to ");
	} else {
		text_buf__add(&buf, "(it came to ");
	}
	phrase_use(view, process, &finding->used->site, &buf);
	text_buf__add(&buf, "): deferring moves the cost there, unless that call goes as well");
	put_para(view, 7, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

static void put_risks(const struct view *view, const struct process *process,
		      const struct finding *finding)
{
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	if (!finding->risk_cnt)
		return;
	text_buf__add(&buf, "caution, loading it also had these effects: ");
	for (__u32 i = 0; i < finding->risk_cnt && i < RISKS_SHOWN; i++) {
		text_buf__add(&buf, i ? "; " : "");
		phrase_risk(view, process, finding->risks[i], &buf);
	}
	if (finding->risk_cnt > RISKS_SHOWN)
		text_buf__printf(&buf, "; and %s more in the JSON",
				 text_count(num, finding->risk_cnt - RISKS_SHOWN));
	put_para(view, 7, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

static void put_defer(const struct view *view, const struct process *process,
		      const struct advice *advice, const struct finding *finding, size_t number)
{
	struct text_buf buf = { 0 };

	text_buf__printf(&buf, "%2zu. save ", number);
	add_share(advice->gains, finding->gain.ns, &buf);
	add_memory(&finding->gain, &buf);
	text_buf__add(&buf, ": ");
	phrase_finding(view, process, finding, &buf);
	put_para(view, 3, TABLE_BOLD, text_buf__str(&buf));
	text_buf__reset(&buf);
	if (finding->is_group)
		text_buf__add(&buf, "a group: most of it is what the findings above would save; ");
	add_evidence(advice, finding, &buf);
	put_para(view, 7, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__reset(&buf);
	text_buf__add(&buf, "do: ");
	phrase_remedy(view, process, finding, &buf);
	put_para(view, 7, TABLE_PLAIN, text_buf__str(&buf));
	put_same(view, process, finding);
	put_used(view, process, finding);
	put_risks(view, process, finding);
	text_buf__free(&buf);
}

static void put_other(const struct view *view, const struct process *process,
		      const struct finding *finding)
{
	struct text_buf buf = { 0 };

	text_buf__add(&buf, "- ");
	phrase_finding(view, process, finding, &buf);
	put_para(view, 4, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__reset(&buf);
	text_buf__add(&buf, "do: ");
	phrase_remedy(view, process, finding, &buf);
	put_para(view, 7, TABLE_DIM, text_buf__str(&buf));
	text_buf__free(&buf);
}

/* All findings of one rule below a title; DEFER with numbers. */
static void put_rule(const struct view *view, const struct process *process,
		     const struct advice *advice, enum finding_rule rule, const char *title)
{
	size_t cnt = 0, top = view_top(view);
	struct text_buf buf = { 0 };

	for (size_t i = 0; i < advice->finding_cnt; i++) {
		const struct finding *finding = &advice->findings[i];

		bool is_wanted = finding->rule == rule || (rule == FINDING_DEFER &&
				 finding->rule == FINDING_TOGETHER);

		if (!is_wanted || cnt++ >= top)
			continue;
		if (cnt == 1)
			put_title(view, title);
		if (rule == FINDING_DEFER)
			put_defer(view, process, advice, finding, cnt);
		else
			put_other(view, process, finding);
	}
	if (cnt > top) {
		text_buf__printf(&buf, "and %zu more", cnt - top);
		put_para(view, 4, TABLE_DIM, text_buf__str(&buf));
	}
	text_buf__free(&buf);
}

static void put_deferrals(const struct view *view, const struct process *process,
			  const struct advice *advice)
{
	char num[TEXT_NUM_SZ], title[160];

	snprintf(title, sizeof(title), "Imports to defer: shares of %s, which all imports took, Python's own "
		 "included; savings overlap", text_ns(num, advice->gains->imports_ns));
	put_rule(view, process, advice, FINDING_DEFER, title);
}

static int put_packages(const struct view *view, const struct advice *advice)
{
	static const struct table_col cols[] = {
		{ "saving", true, TABLE_WHOLE, 0, 0 }, { "share", true, TABLE_WHOLE, 0, 0 },
		{ "memory", true, TABLE_WHOLE, 0, 0 }, { "modules", true, TABLE_WHOLE, 0, 0 },
		{ "statements", true, TABLE_WHOLE, 0, 0 },
		{ "package", false, TABLE_CUT_MIDDLE, 14, 0 },
	};
	const struct table_look look = view_look(view, 2);
	_cleanup_(table__freep) struct table *table = NULL;
	int err = table__new(&table, cols, sizeof(cols) / sizeof(cols[0]));

	if (err || !advice->package_cnt)
		return err;
	put_title(view, "Packages: what vanishes if none of the statements outside that lead into it is run");
	for (size_t i = 0; i < advice->package_cnt && i < view_top(view); i++) {
		const struct package_gain *it = &advice->packages[i];
		struct text_buf buf = { 0 };
		char num[TEXT_NUM_SZ];

		table__add(table, text_ns(num, it->gain.ns), TABLE_PLAIN);
		text_buf__printf(&buf, "%.0f%%", advice->gains->imports_ns ? (double)it->gain.ns *
				 100 / (double)advice->gains->imports_ns : 0.0);
		table__add(table, text_buf__str(&buf), TABLE_PLAIN);
		table__add(table, advice->gains->has_memory && it->gain.bytes >= 0 ?
			   view_bytes(num, (__u64)it->gain.bytes) : "-", TABLE_PLAIN);
		table__add(table, text_count(num, it->gain.modules), TABLE_PLAIN);
		table__add(table, text_count(num, it->stmt_cnt), TABLE_PLAIN);
		text_buf__reset(&buf);
		text_buf__escape(&buf, it->name, view_escape_flags(view));
		table__add(table, text_buf__str(&buf), TABLE_BOLD);
		text_buf__free(&buf);
	}
	return table__print(table, &look, view->out);
}

static void put_gain(const struct view *view, const struct advice *advice, const char *what,
		     __u32 stmt_cnt, const struct gain *gain)
{
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	text_buf__escape(&buf, what, view_escape_flags(view));
	text_buf__add(&buf, ": ");
	if (!stmt_cnt) {
		text_buf__add(&buf, "nothing of that name was imported");
	} else {
		text_buf__add(&buf, "saves ");
		add_share(advice->gains, gain->ns, &buf);
		add_memory(gain, &buf);
		if (gain->least_ns < gain->ns)
			text_buf__printf(&buf, ", at least %s", text_ns(num, gain->least_ns));
		text_buf__printf(&buf, ", %s module%s", text_count(num, gain->modules),
				 gain->modules == 1 ? "" : "s");
		text_buf__printf(&buf, "; %u statement%s", stmt_cnt, stmt_cnt == 1 ? "" : "s");
	}
	put_para(view, 4, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

/* Each item of --defer by itself, then all of them together. */
static int put_joint(const struct view *view, const struct advice *advice)
{
	__u32 node_cnt = advice->gains->graph->node_cnt, all_cnt = 0;
	_cleanup_free_ bool *all = calloc(node_cnt, sizeof(*all)), *one = NULL;
	_cleanup_free_ char *list = strdup(view->opts.defer);
	char *next = list, *item;
	size_t items = 0;
	struct gain gain;
	int err = 0;

	one = calloc(node_cnt, sizeof(*one));
	if (!all || !one || !list)
		return -ENOMEM;
	put_title(view, "Deferring the imports named by --defer");
	while (!err && (item = strsep(&next, ","))) {
		__u32 cnt;

		if (!*item)
			continue;
		memset(one, 0, node_cnt * sizeof(*one));
		cnt = gains__mark(advice->gains, item, one);
		gains__mark(advice->gains, item, all);
		err = gains__of_set(advice->gains, one, &gain);
		if (!err)
			put_gain(view, advice, item, cnt, &gain);
		all_cnt += cnt;
		items++;
	}
	if (!err)
		err = gains__of_set(advice->gains, all, &gain);
	if (!err && items > 1)
		put_gain(view, advice, "together", all_cnt, &gain);
	return err;
}

static int write_process(const struct view *view, const struct process *process)
{
	_cleanup_(advice__freep) struct advice *advice = NULL;
	int err = advice__new(process, &advice);

	if (!err)
		err = head_write(view, process);
	if (err)
		return err;
	if (process->is_log)
		put_para(view, 2, TABLE_PLAIN, "A log of -X importtime says neither which statement "
			 "asked for a module nor who else did: what deferring one would save is not known. "
			 "A trace of the program tells.");
	else if (!advice->gains->has_edges && process->load_cnt)
		put_para(view, 2, TABLE_RED, "Cached imports were not traced: what else leads to a "
			 "module is not known, and savings are upper bounds.");
	if (view->opts.defer)
		err = put_joint(view, advice);
	if (advice->is_cut)
		put_para(view, 2, TABLE_RED, "There are so many statements that only the most expensive were "
			 "tried.");
	put_deferrals(view, process, advice);
	put_rule(view, process, advice, FINDING_NO_GAIN, "No gain from these alone");
	if (!err)
		err = put_packages(view, advice);
	put_rule(view, process, advice, FINDING_COMPILED, "Compiled at import");
	put_rule(view, process, advice, FINDING_FAILED, "Imports that fail");
	put_rule(view, process, advice, FINDING_CIRCULAR, "Circular imports");
	put_rule(view, process, advice, FINDING_NETWORK, "Network used by imports");
	put_rule(view, process, advice, FINDING_CHILD, "Child processes started by imports");
	put_rule(view, process, advice, FINDING_THREADS, "Threads started by imports");
	put_rule(view, process, advice, FINDING_LATE, "Imports made when it was ready");
	put_rule(view, process, advice, FINDING_LAZY,
		 "Lazy imports that were loaded during the start-up all the same");
	if (!err)
		err = lazy_write(view, process);
	put_rule(view, process, advice, FINDING_SAME, "Files of the same content");
	if (!advice->finding_cnt && !advice->package_cnt && !process->is_log)
		put_para(view, 2, TABLE_PLAIN, "Nothing to gain from deferring imports.");
	fputc('\n', view->out);
	return err;
}

int advice_write(const struct view *view)
{
	_cleanup_free_ struct process **processes = NULL;
	size_t cnt;
	int err = walk_processes(view->model, &processes, &cnt);

	for (size_t i = 0; !err && i < cnt && !ferror(view->out); i++)
		if (process_is_drawn(view, processes[i]) && !processes[i]->next)
			err = write_process(view, processes[i]);
	return err ? err : foot_write(view);
}
