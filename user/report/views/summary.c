// SPDX-License-Identifier: BSD-2-Clause
/*
 * The default view: the answer on one screen. The head, what could be saved where, the dearest
 * modules, what of the program's own code went wrong, and where to look next.
 */
#include "report/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/head/head.h"
#include "report/text/finding.h"
#include "report/text/ranking.h"
#include "report/text/wording.h"

#define SAVINGS_SHOWN 3
#define SCREEN_LINES 24
#define FOOT_LINES 3
#define MODULES_LEAST 3
#define MODULES_MOST 5
#define OWN_SHOWN 2 /* of each kind of trouble */
#define PLACES_SHOWN 3
#define FAILED_DEAR_NS 10000000
#define WORTH_SAVING_NS 50000000 /* imports that take less need no remedy */
#define DEAR_PCT 5   /* of all imports: a failed one is told, whoever tried it */

/* --top is for each list alike. */
static size_t shown(const struct view *view, size_t otherwise)
{
	return view->opts.top ? view->opts.top : otherwise;
}

/* Statements from @first on that stand in the same line. */
static __u32 cnt_in_line(const struct finding *finding, __u32 first)
{
	const struct graph_stmt *stmts = finding->graph->stmts;
	const struct site *site = &stmts[finding->stmts[first]].site;
	__u32 cnt = 1;

	for (; first + cnt < finding->stmt_cnt; cnt++) {
		const struct site *other = &stmts[finding->stmts[first + cnt]].site;

		if (other->line != site->line || !other->file || !site->file ||
		    strcmp(other->file, site->file) != 0)
			break;
	}
	return cnt;
}

static void add_places(const struct view *view, const struct process *process,
		       const struct finding *finding, struct text_buf *buf)
{
	__u32 cnt = finding->stmt_cnt, at = 0, same;

	for (int shown = 0; at < cnt && shown < PLACES_SHOWN; shown++, at += same) {
		same = cnt_in_line(finding, at);
		text_buf__add(buf, !at ? "" : at + same < cnt ? ", " : " and ");
		phrase_place(view, process, &finding->graph->stmts[finding->stmts[at]].site, buf);
		if (same > 1)
			text_buf__printf(buf, " (%u statements)", same);
	}
	if (at < cnt)
		text_buf__printf(buf, " and %u more", cnt - at);
	text_buf__add(buf, cnt > 1 ? " import " : " imports ");
}

static void put_saving(const struct view *view, const struct process *process,
		       const struct finding *finding)
{
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ], padded[TEXT_NUM_SZ];

	snprintf(padded, sizeof(padded), "%8.30s", text_ns(num, finding->gain.ns));
	text_buf__add(&buf, padded);
	text_buf__add(&buf, "  ");
	add_places(view, process, finding, &buf);
	if (finding->load && finding->load->module)
		text_buf__escape(&buf, finding->load->module, view_escape_flags(view));
	else
		text_buf__add(&buf, "a module");
	text_buf__add(&buf, finding->stmt_cnt > 1 ? " together (" : " (");
	if (finding->used) {
		text_buf__add(&buf, "used at ");
		phrase_use(view, process, finding->caller_site ?: &finding->used->site, &buf);
		text_buf__add(&buf, ")");
	} else {
		text_buf__printf(&buf, "%s)", word_confidence(finding->confidence));
	}
	put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

/*
 * Nothing to list is an answer, too, where imports take long. (Of what runs already the imports
 * before are not known.)
 */
static void put_no_savings(const struct view *view, const struct process *process)
{
	const struct startup *startup = &process->startup;

	if (startup->by == STARTUP_UNKNOWN || startup->imports_ns < WORTH_SAVING_NS)
		return;
	fputc('\n', view->out);
	put_para(view, 2, TABLE_PLAIN, "No import statement was found that could be deferred for a "
		 "saving: --view advice tells what else there is.");
}

static int put_savings(const struct view *view, const struct process *process)
{
	_cleanup_(advice__freep) struct advice *advice = NULL;
	int err = advice__new(process, &advice);
	bool is_used = false;
	size_t cnt = 0;

	if (err)
		return err;
	for (size_t i = 0; i < advice->finding_cnt && cnt < shown(view, SAVINGS_SHOWN); i++) {
		const struct finding *finding = &advice->findings[i];

		if ((finding->rule != FINDING_DEFER && finding->rule != FINDING_TOGETHER) ||
		    finding->is_group || finding->is_entry)
			continue;
		if (!cnt)
			fputc('\n', view->out);
		/* Those that the run did not use stand first. */
		if (!cnt || is_used != !!finding->used)
			put_para(view, 2, TABLE_BOLD, finding->used ?
				 "What deferring would only move (to where this run used it)" :
				 "What deferring would save (confidence)");
		is_used = finding->used;
		cnt++;
		put_saving(view, process, finding);
	}
	if (!cnt)
		put_no_savings(view, process);
	return 0;
}

static const struct table_col cols[] = {
	{ "self", true, TABLE_WHOLE, 0, 0 }, { "total", true, TABLE_WHOLE, 0, 0 },
	{ "slowest modules", false, TABLE_CUT_MIDDLE, 14, 0 },
	{ "imported by", false, TABLE_CUT_HEAD, 12, 0 },
};

static void add_row(const struct view *view, const struct load *load, struct table *table)
{
	enum table_style style = load->result == LOAD_LOADED ? TABLE_BOLD : TABLE_RED;
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	table__add(table, text_ns(num, load->self_ns), TABLE_PLAIN);
	table__add(table, text_ns(num, load->wall_ns), TABLE_PLAIN);
	phrase_module(view, load, &buf);
	table__add(table, text_buf__str(&buf), style);
	text_buf__reset(&buf);
	/* Where a lazy one was found or declared would take the room of where it was used. */
	if (load->via == VIA_LAZY && (load->importer.file || load->importer.module)) {
		phrase_place(view, load->process, &load->importer, &buf);
		text_buf__add(&buf, " (lazy)");
	} else {
		phrase_importer(view, load, &buf);
	}
	table__add(table, text_buf__str(&buf), TABLE_DIM);
	text_buf__free(&buf);
}

static int put_modules(const struct view *view, const struct process *process, size_t otherwise)
{
	size_t top = shown(view, otherwise);
	_cleanup_free_ struct load **loads = NULL;
	_cleanup_(table__freep) struct table *table = NULL;
	const struct table_look look = view_look(view, 2);
	int err = rank_loads(process, RANK_SELF, &loads);

	if (!err)
		err = table__new(&table, cols, sizeof(cols) / sizeof(cols[0]));
	if (err)
		return err;
	for (size_t i = 0; i < process->load_cnt && table__row_cnt(table) < top; i++)
		/* The program itself is no import; what never ended has no cost to rank. */
		if (loads[i]->via != VIA_MAIN && loads[i]->wall_ns != NS_UNKNOWN)
			add_row(view, loads[i], table);
	if (!table__row_cnt(table))
		return 0;
	fputc('\n', view->out);
	return table__print(table, &look, view->out);
}

/* Not what Python and installed packages try in vain: that is their habit, unless it is dear. */
static bool is_told(const struct process *process, const struct load *load)
{
	const struct startup *startup = &process->startup;

	if (!load_has_failed(load) || load->via == VIA_MAIN || load->is_inherited ||
	    !load_is_startup(load))
		return false;
	return file_is_own(load->importer.file) ||
	       (startup->by != STARTUP_UNKNOWN && load->importer.file &&
		load->wall_ns > startup->imports_ns / 100 * DEAR_PCT);
}

/* Inside one that failed the last that failed of the same: what is missing stands there. */
static const struct load *find_inner(const struct load *load)
{
	const struct load *found = NULL;

	for (size_t i = 0; load->error && i < load->child_cnt; i++) {
		const struct load *child = load->children[i];

		if (load_has_failed(child) && child->error && !strcmp(child->error, load->error))
			found = child;
	}
	return found;
}

static void put_one_failed(const struct view *view, const struct load *load)
{
	const struct load *inner = NULL;
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	text_buf__add(&buf, "Failed: ");
	phrase_name(view, load, &buf);
	text_buf__add(&buf, " (");
	phrase_kind(view, load, &buf);
	if (load->wall_ns != NS_UNKNOWN && load->wall_ns >= FAILED_DEAR_NS)
		text_buf__printf(&buf, " after %s", text_ns(num, load->wall_ns));
	text_buf__add(&buf, ") at ");
	phrase_importer(view, load, &buf);
	for (const struct load *at = load; (at = find_inner(at)); inner = at)
		;
	if (inner) {
		text_buf__add(&buf, ", as ");
		phrase_name(view, inner, &buf);
		text_buf__add(&buf, " failed at ");
		phrase_importer(view, inner, &buf);
	}
	put_para(view, 2, TABLE_RED, text_buf__str(&buf));
	text_buf__free(&buf);
}

/* The program's own first, the dearest first. Inside one that failed others did on its behalf. */
static int put_failed(const struct view *view, const struct process *process, size_t *cnt)
{
	_cleanup_free_ struct load **loads = NULL;
	int err = rank_loads(process, RANK_TOTAL, &loads);

	*cnt = 0;
	for (size_t i = 0; !err && i < 2 * process->load_cnt; i++) {
		bool is_own = i < process->load_cnt;
		const struct load *load = loads[is_own ? i : i - process->load_cnt];

		if (!is_told(process, load) || file_is_own(load->importer.file) != is_own ||
		    (load->parent && load->parent->result == LOAD_FAILED &&
		     is_told(process, load->parent)) ||
		    (*cnt)++ >= shown(view, OWN_SHOWN))
			continue;
		if (*cnt == 1)
			fputc('\n', view->out);
		put_one_failed(view, load);
	}
	return err;
}

static size_t put_circular(const struct view *view, const struct process *process, bool is_first)
{
	size_t cnt = 0;

	for (size_t i = 0; i < process->edge_cnt; i++) {
		const struct edge *edge = process->edges[i];
		struct text_buf buf = { 0 };

		if (!edge->is_circular || !file_is_own(edge->importer.file) ||
		    cnt++ >= shown(view, OWN_SHOWN))
			continue;
		if (is_first && cnt == 1)
			fputc('\n', view->out);
		text_buf__add(&buf, "Circular: ");
		phrase_place(view, process, &edge->importer, &buf);
		text_buf__add(&buf, " imports ");
		text_buf__escape(&buf, edge->module ? edge->module : "?", view_escape_flags(view));
		text_buf__add(&buf, ", which is still being loaded");
		put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
		text_buf__free(&buf);
	}
	return cnt;
}

/* What there is besides, and where it is shown. */
static void put_next(const struct view *view, const struct process *process, size_t failed_cnt,
		     size_t circular_cnt)
{
	size_t others = process->failed_cnt > failed_cnt ? process->failed_cnt - failed_cnt : 0;
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	if (failed_cnt > shown(view, OWN_SHOWN))
		text_buf__printf(&buf, "%s more like these failed. ",
				 text_count(num, failed_cnt - shown(view, OWN_SHOWN)));
	if (circular_cnt > shown(view, OWN_SHOWN))
		text_buf__printf(&buf, "%s more are circular. ",
				 text_count(num, circular_cnt - shown(view, OWN_SHOWN)));
	if (others)
		text_buf__printf(&buf, "%s import%s failed, as usual in packages. ",
				 text_count(num, others), others == 1 ? "" : "s");
	text_buf__add(&buf, "Next: --view advice, modules or tree.");
	if (!failed_cnt && !circular_cnt)
		fputc('\n', view->out);
	put_para(view, 2, TABLE_DIM, text_buf__str(&buf));
	text_buf__free(&buf);
}

static int write_above(const struct view *view, const struct process *process)
{
	int err = head_write(view, process);

	/* Who else leads to a module is not known without cached imports: nothing would be sure. */
	if (!err && process_cached_cnt(process) != NS_UNKNOWN)
		err = put_savings(view, process);
	return err;
}

static int write_below(const struct view *view, const struct process *process)
{
	size_t failed_cnt, circular_cnt;
	int err = put_failed(view, process, &failed_cnt);

	if (err)
		return err;
	circular_cnt = put_circular(view, process, !failed_cnt);
	if (process->load_cnt)
		put_next(view, process, failed_cnt, circular_cnt);
	fputc('\n', view->out);
	return 0;
}

struct part {
	char *text; /* malloc'd */
	size_t sz, lines;
};

static int write_part(const struct view *view, const struct process *process,
		      int (*write)(const struct view *view, const struct process *process),
		      struct part *part)
{
	struct view to = *view;
	int err;

	to.out = open_memstream(&part->text, &part->sz);
	if (!to.out)
		return -ENOMEM;
	err = write(&to, process);
	if (fclose(to.out) && !err)
		err = -ENOMEM;
	for (size_t i = 0; !err && i < part->sz; i++)
		part->lines += part->text[i] == '\n';
	return err;
}

/* As many modules as the screen has room for. */
static int write_process(const struct view *view, const struct process *process)
{
	struct part above = { 0 }, below = { 0 };
	size_t lines, room = MODULES_LEAST;
	int err;

	if (process->next) /* replaced while it started: a part of the next one */
		return 0;
	err = write_part(view, process, write_above, &above);
	if (!err)
		err = write_part(view, process, write_below, &below);
	lines = above.lines + below.lines + 2 + FOOT_LINES; /* 2: a blank line and the header */
	lines += model__hold(view->model, 0) != NULL; /* of which the foot tells, too */
	if (lines + room < SCREEN_LINES)
		room = SCREEN_LINES - lines;
	if (!err) {
		fwrite(above.text, 1, above.sz, view->out);
		err = put_modules(view, process, room < MODULES_MOST ? room : MODULES_MOST);
		fwrite(below.text, 1, below.sz, view->out);
	}
	free(above.text);
	free(below.text);
	return err;
}

int summary_write(const struct view *view)
{
	return view_each_process(view, write_process);
}
