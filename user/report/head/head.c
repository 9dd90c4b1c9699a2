// SPDX-License-Identifier: BSD-2-Clause
/* What each text view says about a process before its table, and about the trace at the end. */
#include "report/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/unexamined.h"
#include "report/head/causes.h"
#include "report/head/groups.h"
#include "report/head/head.h"
#include "report/head/lines.h"
#include "report/text/ranking.h"
#include "report/text/walk.h"
#include "report/text/wording.h"

#define OWN_SHARE 20           /* a cause of own work that has more than 1/20 of it is named */
#define OWN_LEAST_NS 10000000ULL

static void add_python(const struct view *view, const struct process *process,
		       struct text_buf *buf)
{
	const struct python_info *python = process->python;
	const char *name = python ? python->implementation : NULL;

	if (!name)
		text_buf__add(buf, "Python");
	else if (!strcmp(name, "cpython"))
		text_buf__add(buf, "CPython");
	else if (!strcmp(name, "pypy"))
		text_buf__add(buf, "PyPy");
	else
		text_buf__escape(buf, name, view_escape_flags(view));
	text_buf__add(buf, " ");
	if (python && python->version && *python->version)
		text_buf__escape(buf, python->version, view_escape_flags(view));
	else
		text_buf__add(buf, "of unknown version");
	if (python && python->free_threaded)
		text_buf__add(buf, " free-threaded");
}

/* "(1.9 s sleeping, 0.2 s on the CPU)": what it went to, as far as that is worth telling. */
static void add_own(const struct startup *startup, struct text_buf *buf)
{
	__u64 parts[CAUSE_CNT] = { startup->own_ns - startup->program_ns }, least_ns;
	const char *between = " (";
	char num[TEXT_NUM_SZ];

	text_buf__printf(buf, "own work %s", text_ns(num, startup->own_ns));
	least_ns = startup->own_ns / OWN_SHARE > OWN_LEAST_NS ? startup->own_ns / OWN_SHARE :
		   OWN_LEAST_NS;
	if (startup->program_ns > least_ns) {
		text_buf__printf(buf, "%s%s reading and compiling the program", between,
				 text_ns(num, startup->program_ns));
		between = ", ";
	}
	for (int i = CAUSE_WAITS; i < CAUSE_CNT; i++) {
		if (startup->own_wait_ns[0] == NS_UNKNOWN)
			break;
		parts[i] = startup->own_wait_ns[i - CAUSE_WAITS];
		parts[CAUSE_CPU] -= parts[i];
	}
	for (int i = 0; i < CAUSE_CNT && startup->own_wait_ns[0] != NS_UNKNOWN; i++) {
		if (parts[i] <= least_ns)
			continue;
		text_buf__printf(buf, "%s%s %s", between, text_ns(num, parts[i]),
				 causes[i].doing);
		between = ", ";
	}
	if (*between == ',')
		text_buf__add(buf, ")");
}

static void add_times(const struct startup *startup, const struct headline *headline,
		      struct text_buf *buf)
{
	char num[TEXT_NUM_SZ];

	if (startup->by == STARTUP_UNKNOWN) {
		if (headline->imports_ns != NS_UNKNOWN)
			text_buf__printf(buf, "  (imports %s)", text_ns(num, headline->imports_ns));
		return;
	}
	text_buf__printf(buf, "  start-up %s%s%s = ", startup->by == STARTUP_CUT ? "at least " : "",
			 text_ns(num, startup->wall_ns),
			 startup->by == STARTUP_READY ? " until ready" : "");
	if (startup->images_ns)
		text_buf__printf(buf, "earlier images %s + ",
				 text_ns(num, startup->images_ns));
	if (startup->interpreter_ns)
		text_buf__printf(buf, "interpreter %s", text_ns(num, startup->interpreter_ns));
	if (startup->site_ns)
		text_buf__printf(buf, " (site %s)", text_ns(num, startup->site_ns));
	text_buf__printf(buf, "%simports %s + ", startup->interpreter_ns ? " + " : "",
			 text_ns(num, startup->imports_ns));
	add_own(startup, buf);
}

/* What the target would not have waited for without us. */
static void put_held(const struct view *view, const struct startup *startup)
{
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	if (startup->by == STARTUP_UNKNOWN || !startup->held_ns)
		return;
	text_buf__printf(&buf, "Held for %s until its interpreter was probed: not counted.",
			 text_ns(num, startup->held_ns));
	put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

/* The command in bold and the figures: on one line if they fit, else on two. */
static void put_headline(const struct view *view, const struct process *process,
			 const struct headline *headline)
{
	struct text_buf command = { 0 }, rest = { 0 }, pid = { 0 };
	size_t width = (size_t)view->opts.width, cols, head, room;
	const char *bold = view->opts.use_color ? table_style_code(TABLE_BOLD) : "";
	const char *plain = view->opts.use_color ? "\033[0m" : "";

	phrase_command(view, process, &command);
	if (process->tgid)
		text_buf__printf(&pid, " (pid %u", process->tgid);
	else
		text_buf__add(&pid, " (pid unknown");
	if (process->nspid && process->nspid != process->tgid)
		text_buf__printf(&pid, ", %u in its container", process->nspid);
	if (process->parent && process_is_shown(process->parent))
		text_buf__printf(&pid, ", child of %u", process->parent->tgid);
	text_buf__add(&pid, ")");
	add_python(view, process, &rest);
	add_times(&process->startup, headline, &rest);

	cols = text_width(text_buf__str(&command)) + text_width(text_buf__str(&pid));
	if (view->is_whole && cols > width)
		width = cols;
	if (cols + 2 + text_width(text_buf__str(&rest)) <= width) {
		fprintf(view->out, "%s%s%s%s  %s\n", bold, text_buf__str(&command),
			text_buf__str(&pid), plain, text_buf__str(&rest));
	} else {
		const char *text = text_buf__str(&command);
		const char *dots = view->opts.use_ascii ? "..." : "\u2026";

		room = text_width(text_buf__str(&pid)) + text_width(dots);
		head = cols <= width ? strlen(text) :
		       text_head(text, width > room ? width - room : 1, &cols);
		fprintf(view->out, "%s%.*s%s%s%s\n", bold, (int)head, text,
			text[head] ? dots : "", text_buf__str(&pid), plain);
		put_para(view, 2, TABLE_PLAIN, text_buf__str(&rest));
	}
	text_buf__free(&command);
	text_buf__free(&pid);
	text_buf__free(&rest);
}

/* Where it belongs: its container, else its unit. */
static void put_home(const struct view *view, const struct process *process)
{
	const struct container_info *container = &process->container;
	unsigned int flags = view_escape_flags(view);
	struct text_buf buf = { 0 };

	if (container->id) {
		text_buf__add(&buf, "In container ");
		text_buf__escape(&buf, container->name ? container->name : container->id, flags);
		text_buf__add(&buf, container->runtime || container->name ? " (" : "");
		text_buf__escape(&buf, container->runtime, flags);
		text_buf__add(&buf, container->runtime && container->name ? ", " : "");
		if (container->name)
			text_buf__printf(&buf, "%.12s", container->id);
		text_buf__add(&buf, container->runtime || container->name ? ")." : ".");
	} else if (process->unit) {
		text_buf__add(&buf, "Of unit ");
		text_buf__escape(&buf, process->unit, flags);
		text_buf__add(&buf, ".");
	}
	if (buf.sz)
		put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

static void put_counts(const struct view *view, const struct process *process,
		       const struct headline *headline)
{
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	text_buf__printf(&buf, "%s module%s loaded", text_count(num, process->loaded_cnt),
			 process->loaded_cnt == 1 ? "" : "s");
	if (process_cached_cnt(process) != NS_UNKNOWN)
		text_buf__printf(&buf, ", %s import%s found in sys.modules",
				 text_count(num, process->cached_cnt),
				 process->cached_cnt == 1 ? "" : "s");
	if (process->failed_cnt)
		text_buf__printf(&buf, ", %s failed", text_count(num, process->failed_cnt));
	if (process->unfinished_cnt)
		text_buf__printf(&buf, ", %s unfinished",
				 text_count(num, process->unfinished_cnt));
	if (headline->thread_cnt > 1)
		text_buf__printf(&buf, ", on %s threads", text_count(num, headline->thread_cnt));
	if (headline->heavy && headline->heavy->module) {
		text_buf__printf(&buf, "; %u%% of the import time is under ", headline->heavy_pct);
		text_buf__escape(&buf, headline->heavy->module, view_escape_flags(view));
		if (headline->heavy->importer.file) {
			text_buf__add(&buf, " (");
			phrase_place(view, process, &headline->heavy->importer, &buf);
			text_buf__add(&buf, ")");
		}
	}
	put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

/* A daemon: its parent has ended, and nothing says that it has. */
static bool is_left_behind(const struct process *process)
{
	return process->parent && process->parent->has_exit && !process->has_exit &&
	       process->end_ns == NS_UNKNOWN && process->exec_ns == NS_UNKNOWN;
}

static void put_exit(const struct view *view, const struct process *process)
{
	struct text_buf buf = { 0 };
	const char *name;

	if (process->has_exit && process->exit_signal) {
		name = sigabbrev_np(process->exit_signal);
		text_buf__printf(&buf, "Killed by signal %d%s%s.", process->exit_signal,
				 name ? ", SIG" : "", name ? name : "");
	} else if (process->has_exit && process->exit_code) {
		text_buf__printf(&buf, "Ended with status %d.", process->exit_code);
	} else if (is_left_behind(process)) {
		text_buf__add(&buf,
			      "It ran on when tracing ended: what it imported later was not seen.");
	}
	if (buf.sz)
		put_para(view, 2, TABLE_RED, text_buf__str(&buf));
	text_buf__free(&buf);
}

/* The notes of one interpreter, with the first shown process that runs it. */
static void put_notes(const struct view *view, const struct process *process)
{
	const struct python_info *python = process->python;
	size_t cnt = model__process_cnt(view->model);

	if (!python || !python->note_cnt)
		return;
	for (size_t i = 0; i < cnt; i++) {
		const struct process *other = model__process(view->model, i);

		if (other == process)
			break;
		if (other->python == python && process_is_shown(other))
			return;
	}
	for (size_t i = 0; i < python->note_cnt; i++) {
		struct text_buf buf = { 0 };

		text_buf__add(&buf, "Note: ");
		text_buf__escape(&buf, python->notes[i], view_escape_flags(view));
		put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
		text_buf__free(&buf);
	}
}

int head_write(const struct view *view, const struct process *process)
{
	struct headline headline;
	int err = headline_find(process, &headline);

	if (err)
		return err;
	put_headline(view, process, &headline);
	put_held(view, &process->startup);
	overhead_head(view, process);
	workers_head(view, process);
	if (process->is_late && !process->is_log)
		inventory_head(view, process);
	put_home(view, process);
	put_counts(view, process, &headline);
	causes_head(view, process, &headline);
	throttle_head(view, process);
	late_head(view, process);
	put_exit(view, process);
	if (process->is_switching)
		put_para(view, 2, TABLE_PLAIN,
			 "It switches stacks (greenlets): nesting is told from Python frames.");
	if (process->has_uring)
		put_para(view, 2, TABLE_PLAIN, "It uses io_uring: files, connections and waits "
			 "that go through it are not seen.");
	put_notes(view, process);
	return 0;
}

/* Whether a Python may have run of which no import was recorded. */
static bool may_miss_python(const struct model *model)
{
	const struct pyi_stats *stats = model__stats(model);

	return model__is_cut(model) || model__malformed(model) || model__unprobed_cnt(model) ||
	       model__late_starts(model) || model__unknown_starts(model) ||
	       model__unexamined(model)->cnt ||
	       (stats && (stats->ring_full || stats->thread_state || stats->proc_full));
}

static void put_skipped(const struct view *view, size_t shown, size_t skipped)
{
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];
	bool has_missed = model__unprobed_cnt(view->model) || model__late_starts(view->model);

	if (!shown)
		put_para(view, 0, TABLE_PLAIN, has_missed ? "No Python program could be traced." :
							    "No Python program was seen.");
	if (skipped && may_miss_python(view->model)) {
		text_buf__printf(&buf, "Of %s %sprocess%s it is not known whether %s ran Python.",
				 text_count(num, skipped), shown ? "other " : "",
				 skipped == 1 ? "" : "es", skipped == 1 ? "it" : "they");
	} else if (skipped) {
		text_buf__printf(&buf, "%s %sprocess%s ran no Python.", text_count(num, skipped),
				 shown ? "other " : "", skipped == 1 ? "" : "es");
	}
	if (skipped)
		put_para(view, 0, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

int foot_write(const struct view *view)
{
	size_t cnt = model__process_cnt(view->model), shown = 0;

	for (size_t i = 0; i < cnt; i++)
		shown += process_is_shown(model__process(view->model, i));
	if (view->marks->has_approx)
		put_para(view, 0, TABLE_DIM,
			 "~ approximate: its place in the tree or one of its ends was not observed");
	if (view->marks->has_odd)
		put_para(view, 0, TABLE_DIM, "! failed, or had not ended");
	put_skipped(view, shown, cnt - shown);
	holds_write_text(view);
	overhead_foot(view);
	recorded_foot(view);
	return loss_write_text(view);
}

int view_each_process(const struct view *view,
		      int (*write)(const struct view *view, const struct process *process))
{
	_cleanup_free_ struct process **processes = NULL;
	size_t cnt;
	int err = walk_processes(view->model, &processes, &cnt);

	for (size_t i = 0; !err && i < cnt && !ferror(view->out); i++)
		if (process_is_drawn(view, processes[i]))
			err = write(view, processes[i]);
	return err ? err : foot_write(view);
}
