// SPDX-License-Identifier: BSD-2-Clause
/* See diff_limits.h. A limit is METRIC>VALUE: of a time of start-up, or of a count of modules. */
#include "report/compare/diff_limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/compare/diff_out.h"
#include "report/text/ranking.h"

enum unit { UNIT_COUNT = 0, UNIT_PERCENT, UNIT_NS };

static const struct metric {
	const char *name, *what;
	bool is_time;
} metric_list[] = {
	{ "time", "start-up", true }, { "imports", "imports", true }, { "cpu", "CPU time", true },
	{ "modules", "modules", false }, { "failed", "failed imports", false },
};
#define METRIC_CNT (sizeof(metric_list) / sizeof(metric_list[0]))

struct limit {
	const struct metric *metric;
	enum unit unit;
	double value; /* in the unit; UNIT_NS in nanoseconds */
};

static int parse_unit(const struct metric *metric, const char *text, struct limit *limit)
{
	text += strspn(text, " ");
	if (!strncmp(text, "%", 1)) {
		limit->unit = UNIT_PERCENT;
		text++;
	} else if (metric->is_time && !strncmp(text, "ms", 2)) {
		limit->unit = UNIT_NS;
		limit->value *= 1e6;
		text += 2;
	} else if (metric->is_time && *text == 's') {
		limit->unit = UNIT_NS;
		limit->value *= 1e9;
		text++;
	} else if (metric->is_time) {
		return -EINVAL;
	}
	text += strspn(text, " ");
	return !*text || *text == ',' ? 0 : -EINVAL;
}

/* One limit at @text; *next is behind its comma, or NULL. */
static int parse_limit(const char *text, struct limit *limit, const char **next)
{
	size_t len;
	char *end;

	*limit = (struct limit){ 0 };
	text += strspn(text, " ");
	len = strcspn(text, "> ,");
	for (size_t i = 0; i < METRIC_CNT; i++)
		if (strlen(metric_list[i].name) == len && !strncmp(text, metric_list[i].name, len))
			limit->metric = &metric_list[i];
	text += len + strspn(text + len, " ");
	if (!limit->metric || *text != '>')
		return -EINVAL;
	text += 1 + strspn(text + 1, " ");
	if (*text < '0' || *text > '9')
		return -EINVAL;
	limit->value = strtod(text, &end);
	*next = strchr(end, ',');
	*next = *next ? *next + 1 : NULL;
	return parse_unit(limit->metric, end, limit);
}

int diff_limits_check(const char *text, const char **at)
{
	struct limit limit;

	do {
		*at = text;
		if (parse_limit(text, &limit, &text))
			return -EINVAL;
	} while (text);
	return 0;
}

static __u64 value_of(const struct metric *metric, const struct process *process,
		      const struct headline *headline)
{
	if (!strcmp(metric->name, "time"))
		return headline->startup_ns;
	if (!strcmp(metric->name, "imports"))
		return headline->imports_ns;
	if (!strcmp(metric->name, "cpu"))
		return process->measured & PYI_GROUP_CPU ? process->total.cpu_ns : NS_UNKNOWN;
	return !strcmp(metric->name, "failed") ? process->failed_cnt : process->loaded_cnt;
}

static bool is_exceeded(const struct limit *limit, __u64 before, __u64 after)
{
	double by = (double)after - (double)before;

	if (before == NS_UNKNOWN || after == NS_UNKNOWN || after <= before)
		return false;
	return limit->unit == UNIT_PERCENT ? !before || by * 100 / (double)before > limit->value :
					     by > limit->value;
}

static void put_value(const struct metric *metric, __u64 value, FILE *out)
{
	char num[TEXT_NUM_SZ];

	fputs(metric->is_time ? text_ns(num, value) : text_count(num, value), out);
}

/* The script of a command line, else what the kernel calls the process. */
static const char *script_of(const struct process *process)
{
	for (size_t i = 1; i < process->argc; i++)
		if (process->argv[i][0] != '-')
			return process->argv[i];
	return process->comm;
}

static void put_exceeded(const struct limit *limit, const struct diff_pair *pair, __u64 before,
			 __u64 after, FILE *out)
{
	struct text_buf name = { 0 };
	char num[TEXT_NUM_SZ];

	text_buf__escape(&name, script_of(pair->after), 0);
	fprintf(out, "%s (pid %u): %s grew from ", text_buf__str(&name), pair->after->tgid,
		limit->metric->what);
	put_value(limit->metric, before, out);
	fputs(" to ", out);
	put_value(limit->metric, after, out);
	fputs(", by ", out);
	put_value(limit->metric, after - before, out);
	if (limit->unit == UNIT_PERCENT)
		fprintf(out, "; %g%% allowed\n", limit->value);
	else if (limit->unit == UNIT_NS)
		fprintf(out, "; %s allowed\n", text_ns(num, (__u64)limit->value));
	else
		fprintf(out, "; %g allowed\n", limit->value);
	text_buf__free(&name);
}

static int apply_to(const struct limit *limit, const struct diff_pair *pair, FILE *out)
{
	struct headline a, b;
	int err = headline_find(pair->before, &a) ?: headline_find(pair->after, &b);
	__u64 before, after;

	if (err)
		return err;
	before = value_of(limit->metric, pair->before, &a);
	after = value_of(limit->metric, pair->after, &b);
	if (!is_exceeded(limit, before, after))
		return 0;
	put_exceeded(limit, pair, before, after, out);
	return 1;
}

int diff_limits_apply(const char *text, const struct model *before, const struct model *after,
		      FILE *out)
{
	_cleanup_(diff__freep) struct diff *diff = NULL;
	struct limit limit;
	int cnt = 0, got = diff__new(before, after, &diff);

	while (text && got >= 0) {
		got = parse_limit(text, &limit, &text);
		for (size_t i = 0; got >= 0 && i < diff->pair_cnt; i++) {
			got = apply_to(&limit, &diff->pairs[i], out);
			cnt += got > 0;
		}
	}
	return got < 0 ? got : cnt;
}
