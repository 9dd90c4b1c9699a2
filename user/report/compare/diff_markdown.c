// SPDX-License-Identifier: BSD-2-Clause
/*
 * `diff A B --format markdown`: a comment for a pull request. What changed and which statement did
 * it; one line for a program of which nothing changed.
 */
#include <stdlib.h>

#include "base/cleanup.h"
#include "report/compare/diff_out.h"
#include "report/text/markdown.h"
#include "report/text/ranking.h"
#include "report/text/wording.h"

#define ROWS_MAX 5 /* of each table, unless --top says otherwise */

static size_t rows_max(const struct view *view)
{
	return view->opts.top ? view->opts.top : ROWS_MAX;
}

static bool is_noise(__u64 before_ns, __u64 after_ns)
{
	__u64 by = after_ns > before_ns ? after_ns - before_ns : before_ns - after_ns;

	if (before_ns == NS_UNKNOWN || after_ns == NS_UNKNOWN)
		return before_ns == after_ns;
	return by < DIFF_NOISE_NS || by * 100 < before_ns * DIFF_NOISE_PCT;
}

static bool is_unchanged(const struct diff_pair *pair, const struct headline *a,
			 const struct headline *b)
{
	if (pair->came_cnt || pair->went_cnt || !is_noise(a->startup_ns, b->startup_ns))
		return false;
	for (size_t i = 0; i < pair->module_cnt; i++)
		if (pair->modules[i].change != DIFF_SAME)
			return false;
	return true;
}

/* "+41.1 ms, +87 %" */
static void put_change(FILE *out, __u64 before_ns, __u64 after_ns)
{
	bool is_less = after_ns < before_ns;
	char num[TEXT_NUM_SZ];

	fprintf(out, "%s%s", is_less ? "-" : "+",
		text_ns(num, is_less ? before_ns - after_ns : after_ns - before_ns));
	if (before_ns)
		fprintf(out, ", %+.0f%%", ((double)after_ns / (double)before_ns - 1) * 100);
}

static void put_time(FILE *out, const char *name, __u64 before_ns, __u64 after_ns)
{
	char a[TEXT_NUM_SZ], b[TEXT_NUM_SZ];

	if (before_ns == NS_UNKNOWN || after_ns == NS_UNKNOWN)
		return;
	fprintf(out, "| %s | %s | %s | ", name, text_ns(a, before_ns), text_ns(b, after_ns));
	put_change(out, before_ns, after_ns);
	fputs(" |\n", out);
}

static void put_totals(FILE *out, const struct diff_pair *pair, const struct headline *a,
		       const struct headline *b)
{
	fputs("\n| | before | after | change |\n|---|--:|--:|--:|\n", out);
	put_time(out, "start-up", a->startup_ns, b->startup_ns);
	put_time(out, "imports", a->imports_ns, b->imports_ns);
	if (pair->before->measured & pair->after->measured & PYI_GROUP_CPU)
		put_time(out, "CPU", pair->before->total.cpu_ns, pair->after->total.cpu_ns);
	fprintf(out, "| modules | %u | %u | %+lld |\n", pair->before->loaded_cnt,
		pair->after->loaded_cnt,
		(long long)pair->after->loaded_cnt - pair->before->loaded_cnt);
}

static void put_load(const struct view *view, const struct load *load)
{
	struct text_buf buf = { 0 };

	phrase_module(view, load, &buf);
	markdown_put_escaped(view->out, text_buf__str(&buf));
	fputs(" | ", view->out);
	text_buf__reset(&buf);
	phrase_importer(view, load, &buf);
	markdown_put_escaped(view->out, text_buf__str(&buf));
	text_buf__free(&buf);
}

static void put_more(const struct view *view, size_t cnt)
{
	if (cnt > rows_max(view))
		fprintf(view->out, "\nand %zu more\n", cnt - rows_max(view));
}

static void put_trees(const struct view *view, const char *title, const char *apart,
		      const struct diff_tree *trees, size_t cnt)
{
	char num[TEXT_NUM_SZ];

	if (!cnt)
		return;
	fprintf(view->out, "\n**%s**\n\n| total | modules | module | imported by |\n"
		"|--:|--:|---|---|\n", title);
	for (size_t i = 0; i < cnt && i < rows_max(view); i++) {
		fprintf(view->out, "| %s | %zu | ", text_ns(num, trees[i].top->wall_ns), trees[i].cnt);
		put_load(view, trees[i].top);
		fprintf(view->out, "%s%s |\n", trees[i].is_statement_apart ? ", " : "",
			trees[i].is_statement_apart ? apart : "");
	}
	put_more(view, cnt);
}

static void put_modules(const struct view *view, const char *title, const struct diff_pair *pair,
			enum diff_change change)
{
	char a[TEXT_NUM_SZ], b[TEXT_NUM_SZ];
	size_t cnt = 0;

	for (size_t i = 0; i < pair->module_cnt; i++) {
		const struct diff_module *module = &pair->modules[i];

		if (module->change != change)
			continue;
		if (!cnt++)
			fprintf(view->out, "\n**%s**\n\n| before | after | module | imported by |\n"
				"|--:|--:|---|---|\n", title);
		if (cnt > rows_max(view))
			continue;
		fprintf(view->out, "| %s | %s | ", text_ns(a, module->before_ns),
			text_ns(b, module->after_ns));
		put_load(view, module->after);
		fputs(" |\n", view->out);
	}
	put_more(view, cnt);
}

static void put_doubts(const struct view *view, __u32 doubts)
{
	for (int i = 0; i < DIFF_DOUBT_CNT; i++)
		if (doubts >> i & 1)
			fprintf(view->out, "\n> Compare with care: %s.\n", diff_doubt_words[i]);
}

static void put_lacks(const struct view *view, const char *sentence)
{
	fprintf(view->out, "\n> %s\n", sentence);
}

static int put_pair(const struct view *view, const struct diff_pair *pair)
{
	struct text_buf command = { 0 };
	char num[TEXT_NUM_SZ];
	struct headline a, b;
	int err = headline_find(pair->before, &a) ?: headline_find(pair->after, &b);

	if (err)
		return err;
	phrase_command(view, pair->after, &command);
	fputs("\n### ", view->out);
	markdown_put_escaped(view->out, text_buf__str(&command));
	text_buf__free(&command);
	if (is_unchanged(pair, &a, &b)) {
		fprintf(view->out, "\n\nNothing changed: %u modules", pair->after->loaded_cnt);
		if (b.startup_ns != NS_UNKNOWN)
			fprintf(view->out, ", start-up %s", text_ns(num, b.startup_ns));
		fputs(".\n", view->out);
		put_doubts(view, pair->doubts);
		return 0;
	}
	fputc('\n', view->out);
	put_doubts(view, pair->doubts);
	put_totals(view->out, pair, &a, &b);
	put_trees(view, "Added, by the import that brought them in", "a new statement", pair->came,
		  pair->came_cnt);
	put_trees(view, "Removed, by the import that had brought them in", "the statement is gone",
		  pair->went, pair->went_cnt);
	put_modules(view, "Failing now", pair, DIFF_BROKEN);
	put_modules(view, "Failing no more", pair, DIFF_REPAIRED);
	put_modules(view, "Slower by themselves", pair, DIFF_SLOWER);
	put_modules(view, "Faster by themselves", pair, DIFF_FASTER);
	return 0;
}

int diff_write_markdown(const struct view *view)
{
	_cleanup_(diff__freep) struct diff *diff = NULL;
	int err = diff__new(view->input.before, view->model, &diff);

	if (err)
		return err;
	fputs("## Imports, before and after\n", view->out);
	put_doubts(view, diff->doubts);
	diff_lacks(view, diff, put_lacks);
	for (size_t i = 0; i < diff->pair_cnt && !err; i++)
		err = put_pair(view, &diff->pairs[i]);
	if (diff->only_before_cnt || diff->only_after_cnt)
		fprintf(view->out, "\n%zu processes are only in the first trace, %zu only in the second.\n",
			diff->only_before_cnt, diff->only_after_cnt);
	return err;
}
