// SPDX-License-Identifier: BSD-2-Clause
/*
 * New limits into the text of a budget, at the places where the old ones stand, so that the diff
 * shows limits and nothing else. What was written is read again before the file is replaced.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/budget/budget.h"


struct edit {
	struct budget_mark mark;
	enum metric metric;
	__u64 max;
	bool is_over_floor;
};

struct edits {
	struct edit *all;
	size_t cnt;
};

void budget_value(char buf[BUDGET_VALUE_SZ], enum metric metric, __u64 value)
{
	static const struct { __u64 factor; const char *name; } sizes[] = {
		{ 1000000, "mb" }, { 1000, "kb" }, { 1, "b" },
	};
	size_t i = 0;

	switch (metrics[metric].unit) {
	case UNIT_NS: /* up to the next tenth of a millisecond, or whole one */
		if (value >= 100000000)
			snprintf(buf, BUDGET_VALUE_SZ, "%" PRIu64 " ms",
				 (uint64_t)(value + 999999) / 1000000);
		else
			snprintf(buf, BUDGET_VALUE_SZ, "%" PRIu64 ".%" PRIu64 " ms",
				 (uint64_t)(value + 99999) / 1000000,
				 (uint64_t)(value + 99999) / 100000 % 10);
		return;
	case UNIT_BYTES:
		while (i < 2 && value < 10 * sizes[i].factor)
			i++;
		snprintf(buf, BUDGET_VALUE_SZ, "%" PRIu64 " %s",
			 (uint64_t)((value + sizes[i].factor - 1) / sizes[i].factor),
			 sizes[i].name);
		return;
	default:
		snprintf(buf, BUDGET_VALUE_SZ, "%" PRIu64, (uint64_t)value);
	}
}

static void collect(struct edits *edits, const struct limit *limits)
{
	for (int i = 0; i < METRIC_CNT; i++)
		if (limits[i].is_set)
			edits->all[edits->cnt++] =
				(struct edit){ limits[i].mark, i, limits[i].max,
					       limits[i].is_over_floor };
}

/* The same place twice (an alias): the larger one first. */
static int cmp_edits(const void *a, const void *b)
{
	const struct edit *x = a, *y = b;

	if (x->mark.line != y->mark.line)
		return x->mark.line < y->mark.line ? -1 : 1;
	if (x->mark.column != y->mark.column)
		return x->mark.column < y->mark.column ? -1 : 1;
	return x->max > y->max ? -1 : x->max < y->max;
}

static int collect_all(const struct budget *budget, struct edits *edits)
{
	size_t rules = 0;

	for (size_t i = 0; i < budget->entry_cnt; i++)
		rules += 1 + budget->entries[i].module_cnt;
	edits->all = calloc(rules * METRIC_CNT + 1, sizeof(*edits->all));
	if (!edits->all)
		return -ENOMEM;
	for (size_t i = 0; i < budget->entry_cnt; i++) {
		const struct budget_entry *entry = &budget->entries[i];

		collect(edits, entry->limits);
		for (size_t k = 0; k < entry->module_cnt; k++)
			collect(edits, entry->modules[k].limits);
	}
	qsort(edits->all, edits->cnt, sizeof(*edits->all), cmp_edits);
	return 0;
}

static const char *skip_chars(const char *at, const char *end, size_t cnt)
{
	for (; at < end && cnt; cnt--) {
		at++;
		while (at < end && ((unsigned char)*at & 0xc0) == 0x80)
			at++;
	}
	return at;
}

static const char *skip_lines(const char *at, const char *end, size_t cnt)
{
	for (; cnt && at < end; cnt--) {
		const char *next = memchr(at, '\n', (size_t)(end - at));

		at = next ? next + 1 : end;
	}
	return at;
}

static void write_edited(const char *text, const char *end, const struct edits *edits, FILE *out)
{
	const char *line = text, *done = text;
	size_t line_no = 0;

	for (size_t i = 0; i < edits->cnt; i++) {
		const struct edit *edit = &edits->all[i];
		char value[BUDGET_VALUE_SZ];
		const char *from, *to;

		if (i && edit->mark.line == edits->all[i - 1].mark.line &&
		    edit->mark.column == edits->all[i - 1].mark.column)
			continue;
		line = skip_lines(line, end, edit->mark.line - line_no);
		line_no = edit->mark.line;
		from = skip_chars(line, end, edit->mark.column);
		to = skip_chars(skip_lines(line, end, edit->mark.end_line - line_no), end,
				edit->mark.end_column);
		if (from < done || to < from)
			continue; /* the check that follows finds it missing */
		budget_value(value, edit->metric, edit->max);
		fwrite(done, 1, (size_t)(from - done), out);
		fprintf(out, "%s%s%s", edit->is_over_floor ? "+" : "", value,
			edit->is_over_floor ? " over python -c pass" : "");
		done = to;
	}
	fwrite(done, 1, (size_t)(end - done), out);
}

static bool holds(const struct limit *now, const struct limit *wanted)
{
	for (int i = 0; i < METRIC_CNT; i++)
		if (now[i].is_set != wanted[i].is_set ||
		    now[i].is_over_floor != wanted[i].is_over_floor ||
		    (now[i].is_set && now[i].max < wanted[i].max))
			return false;
	return true;
}

/* Does the new text say what it was meant to say? */
static bool is_right(char *text, size_t sz, const char *path, const struct budget *wanted)
{
	_cleanup_fclose_ FILE *file = fmemopen(text, sz, "r");
	struct budget now = {};
	bool is_same;

	if (!file || budget_parse(file, path, &now))
		return false;
	is_same = now.entry_cnt == wanted->entry_cnt;
	for (size_t i = 0; is_same && i < now.entry_cnt; i++) {
		const struct budget_entry *a = &now.entries[i], *b = &wanted->entries[i];

		is_same = holds(a->limits, b->limits) && a->module_cnt == b->module_cnt;
		for (size_t k = 0; is_same && k < a->module_cnt; k++)
			is_same = holds(a->modules[k].limits, b->modules[k].limits);
	}
	budget_clear(&now);
	return is_same;
}

static int replace_file(const char *path, const char *text, size_t sz)
{
	_cleanup_free_ char *temp = NULL;
	struct stat st;
	FILE *out;
	int err = 0;

	if (asprintf(&temp, "%s.new", path) < 0)
		return -ENOMEM;
	out = fopen(temp, "wxe");
	if (!out)
		return -errno;
	if (!stat(path, &st) && (fchmod(fileno(out), st.st_mode & 0777) ||
				 (!geteuid() && fchown(fileno(out), st.st_uid, st.st_gid))))
		log_debug("%s: %s", temp, strerror(errno));
	if (fwrite(text, 1, sz, out) != sz || fflush(out) || fsync(fileno(out)))
		err = errno ? -errno : -EIO;
	if (fclose(out) && !err)
		err = -errno;
	if (!err && rename(temp, path))
		err = -errno;
	if (err)
		unlink(temp);
	return err;
}

static int read_text(const char *path, char **text, size_t *sz)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");

	if (!file)
		return -errno;
	return budget_text(file, path, text, sz);
}

static int write_budget(const char *path, const struct budget *budget)
{
	_cleanup_free_ char *text = NULL, *edited = NULL;
	size_t sz = 0, edited_sz = 0;
	struct edits edits = {};
	FILE *out;
	int err = read_text(path, &text, &sz);

	if (!err)
		err = collect_all(budget, &edits);
	out = err ? NULL : open_memstream(&edited, &edited_sz);
	if (!err && !out)
		err = -ENOMEM;
	if (!err) {
		write_edited(text, text + sz, &edits, out);
		err = fclose(out) ? -ENOMEM : 0;
	}
	free(edits.all);
	if (!err && !is_right(edited, edited_sz, path, budget))
		err = -EINVAL;
	return err ? err : replace_file(path, edited, edited_sz);
}

int budget_write(const char *path, const struct budget *budget)
{
	int err = write_budget(path, budget);

	return err ? log_err(err, "cannot write new limits into %s; it is as it was", path) : 0;
}
