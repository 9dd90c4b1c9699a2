// SPDX-License-Identifier: BSD-2-Clause
/*
 * `top`: what is starting now, on a terminal; lines of what started where there is none. Names come
 * from targets: only escaped ASCII reaches the screen.
 */

#include <errno.h>
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands/trace.h"
#include "cli/opts.h"
#include "model/model.h"
#include "trace/session.h"

#define DRAW_GAP_NS 250000000ULL
#define QUIET_NS 500000000ULL /* so long without a load: it has started */
#define HEAD_ROWS 2
#define SUMMARY_ROWS 10

struct row {
	const struct process *process;
	const struct load *now;     /* innermost load that runs, NULL = none */
	const struct load *slowest; /* of those that ended */
	__u64 took_ns, last_ns;     /* from its start to its last load's end, or to now */
	size_t cnt;
	bool is_loading;
};

/* What rows are sorted by, each with its key. */
enum sort { SORT_NEW = 0, SORT_TIME, SORT_MODULES, SORT_SLOWEST, SORT_CNT };
static const struct {
	int key;
	const char *name;
} sorts[SORT_CNT] = {
	[SORT_NEW] = { 'n', "newest" }, [SORT_TIME] = { 't', "time" },
	[SORT_MODULES] = { 'm', "modules" }, [SORT_SLOWEST] = { 's', "slowest module" },
};

struct top {
	SCREEN *screen;
	enum sort sort;
	bool wants_help;
	__u64 drawn_ns;
	unsigned char *told; /* by process: 1 it was said that it has started */
	size_t told_cap;
};

static __u64 begin_of(const struct process *process)
{
	return process->exec_ns != NS_UNKNOWN ? process->exec_ns : process->start_ns;
}

static struct row row_of(const struct process *process, __u64 now_ns)
{
	struct row row = { .process = process, .last_ns = begin_of(process) };

	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];
		__u64 at_ns = load->start_ns;

		if (load->via == VIA_MAIN || (load->module && !strcmp(load->module, "__main__")))
			continue;
		row.cnt++;
		if (load->wall_ns == NS_UNKNOWN) {
			row.now = load;
		} else {
			at_ns += load->wall_ns;
			if (!row.slowest || load->wall_ns > row.slowest->wall_ns)
				row.slowest = load;
		}
		row.last_ns = at_ns > row.last_ns ? at_ns : row.last_ns;
	}
	if (process->end_ns != NS_UNKNOWN)
		row.now = NULL;
	else
		row.is_loading = row.now || now_ns < row.last_ns + QUIET_NS;
	if (row.now)
		row.last_ns = now_ns;
	row.took_ns = row.last_ns > begin_of(process) ? row.last_ns - begin_of(process) : 0;
	return row;
}

/* Without the directories of the program: what tells one from another should be in sight. */
static void add_command(const struct process *process, struct text_buf *buf)
{
	const char *slash;

	char comm[sizeof(process->comm) + 1] = "";

	memcpy(comm, process->comm, sizeof(process->comm));
	if (!process->argc)
		text_buf__escape(buf, comm, TEXT_ASCII);
	for (size_t i = 0; i < process->argc && buf->sz < 400; i++) {
		text_buf__add(buf, i ? " " : "");
		slash = i ? NULL : strrchr(process->argv[i], '/');
		text_buf__escape(buf, slash && slash[1] ? slash + 1 : process->argv[i], TEXT_ASCII);
	}
}

static void add_module(const struct load *load, struct text_buf *buf)
{
	text_buf__escape(buf, load && load->module ? load->module : load ? "?" : "-", TEXT_ASCII);
}

static __u64 sort_value(const struct row *row, enum sort sort)
{
	switch (sort) {
	case SORT_TIME: return row->took_ns;
	case SORT_MODULES: return row->cnt;
	case SORT_SLOWEST: return row->slowest ? row->slowest->wall_ns : 0;
	default: return 0;
	}
}

/* The greatest first; else those that load now, then the latest to start. */
static int cmp_rows(const void *a, const void *b, void *ctx)
{
	const struct row *x = a, *y = b;
	enum sort sort = *(const enum sort *)ctx;
	__u64 left = sort_value(x, sort), right = sort_value(y, sort);

	if (left != right)
		return left > right ? -1 : 1;
	if (x->is_loading != y->is_loading)
		return x->is_loading ? -1 : 1;
	if (x->process->start_ns != y->process->start_ns)
		return x->process->start_ns > y->process->start_ns ? -1 : 1;
	return 0;
}

static size_t find_rows(const struct model *model, __u64 now_ns, struct row **out)
{
	size_t all = model__process_cnt(model), cnt = 0;

	*out = calloc(all + 1, sizeof(**out));
	for (size_t i = 0; *out && i < all; i++) {
		const struct process *process = model__process(model, i);

		if (process->is_python && process->load_cnt)
			(*out)[cnt++] = row_of(process, now_ns);
	}
	return cnt;
}

/* Who it is comes right behind the figures; modules have the room that is left over. */
#define FIGURES_COLS 37
#define MODULE_COLS 24
#define COMMAND_MIN 30
#define SLOW_COLS 8

struct widths { int command, now, slowest; };

static struct widths find_widths(void)
{
	int room = COLS - FIGURES_COLS;
	struct widths widths = {
		.now = room >= COMMAND_MIN + MODULE_COLS + 2 ? MODULE_COLS : 0,
		.slowest = room >= COMMAND_MIN + 2 * MODULE_COLS + SLOW_COLS + 6 ? MODULE_COLS : 0,
	};

	widths.command = room - (widths.now ? widths.now + 2 : 0) -
			 (widths.slowest ? widths.slowest + SLOW_COLS + 4 : 0);
	if (widths.command < 1)
		widths.command = 1;
	return widths;
}

static void draw_row(int y, const struct row *row)
{
	struct text_buf now = {}, slowest = {}, command = {};
	char took[TEXT_NUM_SZ], slow[TEXT_NUM_SZ];
	const struct widths widths = find_widths();

	add_module(row->now, &now);
	add_module(row->slowest, &slowest);
	add_command(row->process, &command);
	if (row->is_loading)
		attron(A_BOLD);
	mvprintw(y, 0, "%7u %8s %9s %7zu  %-*.*s", row->process->tgid,
		 row->is_loading ? "loading" : row->process->end_ns != NS_UNKNOWN ? "ended" : "started",
		 text_ns(took, row->took_ns), row->cnt, widths.command, widths.command,
		 text_buf__str(&command));
	if (widths.now)
		printw("  %-*.*s", widths.now, widths.now, text_buf__str(&now));
	if (widths.slowest)
		printw("  %*s  %-*.*s", SLOW_COLS,
		       row->slowest ? text_ns(slow, row->slowest->wall_ns) : "-", widths.slowest,
		       widths.slowest, text_buf__str(&slowest));
	attroff(A_BOLD);
	text_buf__free(&now);
	text_buf__free(&slowest);
	text_buf__free(&command);
}

static void draw_head(const struct top *top, size_t cnt, size_t loading)
{
	const struct widths widths = find_widths();

	mvprintw(0, 0, "%zu Python processes, %zu loading now, by %s. h: help, q quits", cnt, loading,
		 sorts[top->sort].name);
	attron(A_REVERSE);
	mvprintw(1, 0, "%7s %8s %9s %7s  %-*s", "PID", "STATE", "ELAPSED", "MODULES",
		 widths.command, "COMMAND");
	if (widths.now)
		printw("  %-*s", widths.now, "NOW");
	if (widths.slowest)
		printw("  %*s  %-*s", SLOW_COLS, "SLOWEST", widths.slowest, "MODULE");
	attroff(A_REVERSE);
}

static void draw_help(void)
{
	int y = HEAD_ROWS + 1;

	for (int i = 0; i < SORT_CNT; i++)
		mvprintw(y++, 2, "%c  sort by %s", sorts[i].key, sorts[i].name);
	mvprintw(y++, 2, "h  this help, and back");
	mvprintw(y, 2, "q  quit, with a summary");
}

static void draw(struct top *top, const struct model *model, __u64 now_ns)
{
	_cleanup_free_ struct row *rows = NULL;
	size_t cnt = find_rows(model, now_ns, &rows), loading = 0;

	for (size_t i = 0; i < cnt; i++)
		loading += rows[i].is_loading;
	if (cnt)
		qsort_r(rows, cnt, sizeof(*rows), cmp_rows, &top->sort);
	erase();
	draw_head(top, cnt, loading);
	if (top->wants_help)
		draw_help();
	for (size_t i = 0; !top->wants_help && i < cnt && (int)i + HEAD_ROWS < LINES; i++)
		draw_row((int)i + HEAD_ROWS, &rows[i]);
	refresh();
}

/* One line per process, when it has not loaded anything for a while or is gone. */
static void tell(const struct row *row)
{
	struct text_buf buf = {};
	char took[TEXT_NUM_SZ], slow[TEXT_NUM_SZ];

	add_command(row->process, &buf);
	text_buf__printf(&buf, " (pid %u): %s, %zu modules", row->process->tgid,
			 text_ns(took, row->took_ns), row->cnt);
	if (row->slowest) {
		text_buf__add(&buf, ", slowest ");
		add_module(row->slowest, &buf);
		text_buf__printf(&buf, " %s", text_ns(slow, row->slowest->wall_ns));
	}
	puts(text_buf__str(&buf));
	fflush(stdout);
	text_buf__free(&buf);
}

static void tell_all(struct top *top, const struct model *model, __u64 now_ns, bool is_last)
{
	size_t cnt = model__process_cnt(model);

	if (cnt > top->told_cap) {
		unsigned char *grown = realloc(top->told, 2 * cnt);

		if (!grown)
			return;
		memset(grown + top->told_cap, 0, 2 * cnt - top->told_cap);
		top->told = grown;
		top->told_cap = 2 * cnt;
	}
	for (size_t i = 0; i < cnt; i++) {
		const struct process *process = model__process(model, i);
		struct row row;

		if (top->told[i] || !process->is_python || !process->load_cnt)
			continue;
		row = row_of(process, now_ns);
		if (row.is_loading && !is_last)
			continue;
		top->told[i] = 1;
		tell(&row);
	}
}

/* Takes the terminal if standard input and output are one. */
static void top_start(void *ctx)
{
	struct top *top = ctx;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return;
	top->screen = newterm(NULL, stdout, stdin);
	if (!top->screen)
		return; /* a terminal that is not known: lines, then */
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	curs_set(0);
}

/* False: it is to end. */
static bool take_key(struct top *top, int key)
{
	for (int i = 0; i < SORT_CNT; i++)
		if (key == sorts[i].key)
			top->sort = (enum sort)i;
	if (key == 'h' || key == '?')
		top->wants_help = !top->wants_help;
	return key != 'q' && key != 'Q';
}

/* Redraws a few times a second. */
static bool top_update(void *ctx, const struct model *model, __u64 now_ns)
{
	struct top *top = ctx;
	int key = top->screen ? getch() : ERR;

	if (key != ERR && !take_key(top, key))
		return false;
	if (now_ns - top->drawn_ns < DRAW_GAP_NS && key == ERR)
		return true;
	top->drawn_ns = now_ns;
	if (top->screen)
		draw(top, model, now_ns);
	else
		tell_all(top, model, now_ns, false);
	return true;
}

/* Gives the terminal back, whatever happened. */
static void top_stop(struct top *top)
{
	if (top->screen) {
		endwin();
		delscreen(top->screen);
		top->screen = NULL;
	}
	free(top->told);
	top->told = NULL;
	top->told_cap = 0;
}

/* What stays on the terminal when the screen is gone: how many there were, and the slowest. */
static void summarize(const struct model *model, __u64 now_ns)
{
	_cleanup_free_ struct row *rows = NULL;
	enum sort sort = SORT_TIME;
	size_t cnt = find_rows(model, now_ns, &rows);

	printf("%zu Python process%s loaded modules%s\n", cnt, cnt == 1 ? "" : "es",
	       cnt > 1 ? ", the slowest first:" : cnt ? ":" : ".");
	if (cnt)
		qsort_r(rows, cnt, sizeof(*rows), cmp_rows, &sort);
	for (size_t i = 0; i < cnt && i < SUMMARY_ROWS; i++)
		tell(&rows[i]);
	if (cnt > SUMMARY_ROWS)
		printf("and %zu more\n", cnt - SUMMARY_ROWS);
}

/* Where there was no terminal, tells the rest. */
static void top_finish(void *ctx, const struct model *model, __u64 now_ns)
{
	struct top *top = ctx;
	bool had_screen = top->screen;

	if (!had_screen)
		tell_all(top, model, now_ns, true);
	top_stop(top);
	if (had_screen)
		summarize(model, now_ns);
}

int top_run(const struct opts *opts)
{
	static const struct trace_hooks hooks = {
		.start = top_start, .update = top_update, .finish = top_finish,
		.has_no_report = true,
	};
	struct top top = {};
	int status = trace_run_with(opts, &hooks, &top);

	top_stop(&top);
	return status;
}
