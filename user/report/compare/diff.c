// SPDX-License-Identifier: BSD-2-Clause
/* `diff A B` for people: first what speaks against comparing, then what changed, largest first. */
#include "model/compare/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/compare/diff_out.h"
#include "report/text/ranking.h"
#include "report/text/wording.h"

#define PHASE_NAME_SZ 32

const char *const diff_doubt_words[DIFF_DOUBT_CNT] = {
	"traced on different hosts", "different kernels", "different architectures",
	"different numbers of CPUs", "different Pythons",
	"one read its files from disk, the other had them in memory",
	"one compiled its sources, the other had .pyc files", "data was lost in one of them",
	"one was running already when its trace began",
	"one is a log of -X importtime, the other a trace",
};

static const char *model_name(const struct model *model)
{
	const struct host_info *host = model__host(model);

	return host && host->hostname ? host->hostname : "unknown host";
}

static void put_doubts(const struct view *view, __u32 doubts, size_t indent)
{
	for (int i = 0; i < DIFF_DOUBT_CNT; i++) {
		struct text_buf buf = { 0 };

		if (!(doubts >> i & 1))
			continue;
		text_buf__printf(&buf, "Compare with care: %s.", diff_doubt_words[i]);
		put_para(view, indent, TABLE_RED, text_buf__str(&buf));
		text_buf__free(&buf);
	}
}

static void put_lacks(const struct view *view, const char *sentence)
{
	put_para(view, 0, TABLE_DIM, sentence);
}

/* "+12.3 ms", "-0.4 ms". */
static void add_change(struct text_buf *buf, __s64 ns)
{
	char num[TEXT_NUM_SZ];

	text_buf__printf(buf, "%s%s", ns < 0 ? "-" : "+", text_ns(num, (__u64)llabs(ns)));
}

/* A figure of both sides on one line; nothing when one is unknown. */
static void put_times(const struct view *view, const char *name, __u64 before_ns, __u64 after_ns)
{
	char a[TEXT_NUM_SZ], b[TEXT_NUM_SZ];

	if (before_ns == NS_UNKNOWN || after_ns == NS_UNKNOWN)
		return;
	fprintf(view->out, "  %-14s %9s -> %9s   ", name, text_ns(a, before_ns),
		text_ns(b, after_ns));
	fprintf(view->out, "%s%s", after_ns < before_ns ? "-" : "+",
		text_ns(a, after_ns < before_ns ? before_ns - after_ns : after_ns - before_ns));
	if (before_ns)
		fprintf(view->out, "  %+.0f%%", ((double)after_ns / (double)before_ns - 1) * 100);
	fputc('\n', view->out);
}

static void put_counts(const struct view *view, const char *name, __s64 before, __s64 after)
{
	fprintf(view->out, "  %-14s %9lld -> %9lld   %+lld\n", name, before, after,
		after - before);
}

static void put_bytes(const struct view *view, const char *name, __u64 before, __u64 after)
{
	char a[TEXT_NUM_SZ], b[TEXT_NUM_SZ];

	fprintf(view->out, "  %-14s %9s -> %9s   ", name, view_bytes(a, before), view_bytes(b, after));
	fprintf(view->out, "%s%s\n", after < before ? "-" : "+",
		view_bytes(a, after < before ? before - after : after - before));
}

/* Memory can be given back. */
static __u64 grown(const struct pyi_charge *charge)
{
	__s64 bytes = (__s64)(charge->rss_anon + charge->rss_file);

	return bytes > 0 ? (__u64)bytes : 0;
}

static void put_charges(const struct view *view, const struct diff_pair *pair)
{
	const struct pyi_charge *a = &pair->before->total, *b = &pair->after->total;
	__u32 both = pair->before->measured & pair->after->measured;

	if (both & PYI_GROUP_CPU)
		put_times(view, "CPU", a->cpu_ns, b->cpu_ns);
	if (both & PYI_GROUP_MEMORY)
		put_bytes(view, "memory", grown(a), grown(b));
	if (both & PYI_GROUP_FILES) {
		put_counts(view, "files opened", (__s64)(a->opens - a->open_misses),
			   (__s64)(b->opens - b->open_misses));
		put_counts(view, "not found", (__s64)(a->open_misses + a->stat_misses),
			   (__s64)(b->open_misses + b->stat_misses));
	}
	if (both & PYI_GROUP_DISK)
		put_bytes(view, "from disk", a->bytes_from_disk, b->bytes_from_disk);
}

/* What the totals do not say. */
static void put_phases(const struct view *view, const struct diff_pair *pair)
{
	struct diff_phase phases[DIFF_PHASES_MAX];
	size_t cnt = diff_phases(pair, phases);

	for (size_t i = 0; i < cnt; i++) {
		char name[PHASE_NAME_SZ];

		if (!strcmp(phases[i].name, "startup") || !strcmp(phases[i].name, "interpreter"))
			continue;
		snprintf(name, sizeof(name), "%s%s", phases[i].is_moment ? "until " : "",
			 phases[i].name);
		put_times(view, name, phases[i].before_ns, phases[i].after_ns);
	}
}

/* Of a program that replaced itself while it started: a part of its start-up. */
static __u64 images_ns(const struct process *process)
{
	return process->startup.by == STARTUP_UNKNOWN ? 0 : process->startup.images_ns;
}

static int put_totals(const struct view *view, const struct diff_pair *pair)
{
	struct headline a, b;
	int err = headline_find(pair->before, &a) ?: headline_find(pair->after, &b);

	if (err)
		return err;
	put_times(view, "start-up", a.startup_ns, b.startup_ns);
	if (images_ns(pair->before) || images_ns(pair->after))
		put_times(view, "earlier images", images_ns(pair->before), images_ns(pair->after));
	put_times(view, "interpreter", a.interpreter_ns, b.interpreter_ns);
	put_times(view, "imports", a.imports_ns, b.imports_ns);
	put_phases(view, pair);
	put_counts(view, "modules", pair->before->loaded_cnt, pair->after->loaded_cnt);
	put_charges(view, pair);
	return 0;
}

static const struct table_col tree_cols[] = {
	{ "total", true, TABLE_WHOLE, 0, 0 },
	{ "modules", true, TABLE_WHOLE, 0, 0 },
	{ "below", false, TABLE_CUT_MIDDLE, 16, 0 },
	{ "imported by", false, TABLE_CUT_HEAD, 16, 0 },
	{ "", false, TABLE_WHOLE, 0, 0 },
};

static int put_trees(const struct view *view, const char *title, const char *apart,
		     const struct diff_tree *trees, size_t cnt)
{
	_cleanup_(table__freep) struct table *table = NULL;
	const struct table_look look = view_look(view, 2);
	size_t shown = cnt < view_top(view) ? cnt : view_top(view);
	char num[TEXT_NUM_SZ];
	int err;

	if (!cnt)
		return 0;
	err = table__new(&table, tree_cols, sizeof(tree_cols) / sizeof(tree_cols[0]));
	if (err)
		return err;
	for (size_t i = 0; i < shown; i++) {
		const struct load *top = trees[i].top;
		struct text_buf buf = { 0 };

		table__add(table, text_ns(num, top->wall_ns), TABLE_PLAIN);
		table__add(table, text_count(num, trees[i].cnt), TABLE_PLAIN);
		phrase_module(view, top, &buf);
		table__add(table, text_buf__str(&buf), style_of(top));
		text_buf__reset(&buf);
		phrase_importer(view, top, &buf);
		table__add(table, text_buf__str(&buf), TABLE_PLAIN);
		table__add(table, trees[i].is_statement_apart ? apart : "", TABLE_DIM);
		text_buf__free(&buf);
	}
	fprintf(view->out, "\n  %s\n", title);
	err = table__print(table, &look, view->out);
	if (shown < cnt)
		fprintf(view->out, "  and %zu more\n", cnt - shown);
	return err;
}

static const struct table_col module_cols[] = {
	{ "change", true, TABLE_WHOLE, 0, 0 },
	{ "before", true, TABLE_WHOLE, 0, 0 },
	{ "after", true, TABLE_WHOLE, 0, 0 },
	{ "module", false, TABLE_CUT_MIDDLE, 16, 0 },
	{ "imported by", false, TABLE_CUT_HEAD, 16, 0 },
};

static void add_module(const struct view *view, struct table *table,
		       const struct diff_module *module)
{
	const struct load *load = module->after;
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	add_change(&buf, module->delta_ns);
	table__add(table, text_buf__str(&buf), TABLE_PLAIN);
	table__add(table, text_ns(num, module->before_ns), TABLE_PLAIN);
	table__add(table, text_ns(num, module->after_ns), TABLE_PLAIN);
	text_buf__reset(&buf);
	phrase_module(view, load, &buf);
	table__add(table, text_buf__str(&buf), style_of(load));
	text_buf__reset(&buf);
	phrase_importer(view, load, &buf);
	table__add(table, text_buf__str(&buf), TABLE_PLAIN);
	text_buf__free(&buf);
}

static int put_modules(const struct view *view, const char *title, const struct diff_pair *pair,
		       enum diff_change change)
{
	_cleanup_(table__freep) struct table *table = NULL;
	const struct table_look look = view_look(view, 2);
	size_t cnt = 0;
	int err = table__new(&table, module_cols, sizeof(module_cols) / sizeof(module_cols[0]));

	if (err)
		return err;
	for (size_t i = 0; i < pair->module_cnt; i++)
		if (pair->modules[i].change == change && cnt++ < view_top(view))
			add_module(view, table, &pair->modules[i]);
	if (!cnt)
		return 0;
	fprintf(view->out, "\n  %s\n", title);
	err = table__print(table, &look, view->out);
	if (cnt > view_top(view))
		fprintf(view->out, "  and %zu more\n", cnt - view_top(view));
	return err;
}

static void put_paths(const struct view *view, const char *what, const struct diff_path *paths,
		      size_t cnt)
{
	size_t top = view_top(view);

	if (cnt)
		fprintf(view->out, "\n  %s (%zu)\n", what, cnt);
	for (size_t i = 0; i < cnt && i < top; i++) {
		struct text_buf buf = { 0 };

		text_buf__add(&buf, paths[i].change == DIFF_NEW ? "+ " : "- ");
		text_buf__escape(&buf, paths[i].path, view_escape_flags(view));
		put_para(view, 4, TABLE_PLAIN, text_buf__str(&buf));
		text_buf__free(&buf);
	}
	if (cnt > top)
		fprintf(view->out, "    and %zu more\n", cnt - top);
}

/* One line of at most the width: programs given with -c have long ones. */
static void put_line(const struct view *view, size_t indent, enum table_style style,
		     const char *text)
{
	size_t width = (view->is_whole ? SIZE_MAX : (size_t)view->opts.width) - indent, cols;
	size_t head = text_head(text, width, &cols);
	const char *dots = view->opts.use_ascii ? "..." : "\u2026";
	struct text_buf buf = { 0 };

	if (text[head])
		head = text_head(text, width - text_width(dots), &cols);
	text_buf__add_sz(&buf, text, head);
	text_buf__add(&buf, text[head] ? dots : "");
	fprintf(view->out, "%*s%s%s%s\n", (int)indent, "",
		view->opts.use_color ? table_style_code(style) : "", text_buf__str(&buf),
		view->opts.use_color ? "\033[0m" : "");
	text_buf__free(&buf);
}

static int put_pair(const struct view *view, const struct diff_pair *pair)
{
	struct text_buf buf = { 0 };
	int err;

	phrase_command(view, pair->after, &buf);
	fputc('\n', view->out);
	put_line(view, 0, TABLE_BOLD, text_buf__str(&buf));
	text_buf__free(&buf);
	put_doubts(view, pair->doubts, 2);
	err = put_totals(view, pair);
	err = err ?: put_trees(view, "Added, by the import that brought them in", "a new statement", pair->came,
			       pair->came_cnt);
	err = err ?: put_trees(view, "Removed, by the import that had brought them in", "the statement is gone",
			       pair->went, pair->went_cnt);
	err = err ?: put_modules(view, "Failing now", pair, DIFF_BROKEN);
	err = err ?: put_modules(view, "Failing no more", pair, DIFF_REPAIRED);
	err = err ?: put_modules(view, "Slower by themselves", pair, DIFF_SLOWER);
	err = err ?: put_modules(view, "Faster by themselves", pair, DIFF_FASTER);
	if (err)
		return err;
	put_paths(view, "Shared objects", pair->libs, pair->lib_cnt);
	put_paths(view, "Files", pair->files, pair->file_cnt);
	return 0;
}

static void put_single(const struct view *view, const char *what,
		       const struct process *const *processes, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		struct text_buf buf = { 0 };

		if (!i)
			fprintf(view->out, "\n%s\n", what);
		text_buf__printf(&buf, "pid %u: ", processes[i]->tgid);
		phrase_command(view, processes[i], &buf);
		put_line(view, 2, TABLE_PLAIN, text_buf__str(&buf));
		text_buf__free(&buf);
	}
}

static void put_hosts(const struct view *view, const struct diff *diff)
{
	const char *before = model_name(diff->before), *after = model_name(diff->after);
	bool is_one = !strcmp(before, after);
	struct text_buf buf = { 0 };

	text_buf__printf(&buf, "From the first trace%s", is_one ? "" : ", of host ");
	text_buf__escape(&buf, is_one ? "" : before, view_escape_flags(view));
	text_buf__printf(&buf, "%s to the second, %s ", is_one ? "" : ",",
			 is_one ? "both of host" : "of host");
	text_buf__escape(&buf, after, view_escape_flags(view));
	put_para(view, 0, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

int diff_write(const struct view *view)
{
	_cleanup_(diff__freep) struct diff *diff = NULL;
	int err = diff__new(view->input.before, view->model, &diff);

	if (err)
		return err;
	put_hosts(view, diff);
	put_doubts(view, diff->doubts, 0);
	diff_lacks(view, diff, put_lacks);
	for (size_t i = 0; i < diff->pair_cnt && !err; i++)
		err = put_pair(view, &diff->pairs[i]);
	put_single(view, "Only in the first trace", diff->only_before, diff->only_before_cnt);
	put_single(view, "Only in the second trace", diff->only_after, diff->only_after_cnt);
	fprintf(view->out, "\nSelf times that differ by less than %d ms or %d%% are taken for noise.\n",
		DIFF_NOISE_NS / 1000000, DIFF_NOISE_PCT);
	return err;
}
