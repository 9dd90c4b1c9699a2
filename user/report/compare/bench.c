// SPDX-License-Identifier: BSD-2-Clause
/* `bench`: medians with their intervals, runs that stand out, and what the comparison comes to. */
#include "model/compare/sample.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/json/json_out.h"
#include "report/view.h"
#include "report/text/wording.h"

#define RUNS_TO_TELL 6 /* the least of which all hold the median with 95 % */

struct figures {
	__u64 median, low, high, least, most, low_fence, high_fence;
};

static int find_figures(const __u64 *values, size_t cnt, struct figures *out)
{
	_cleanup_free_ __u64 *sorted = calloc(cnt + 1, sizeof(*sorted));

	if (!sorted || !cnt)
		return sorted ? -EINVAL : -ENOMEM;
	memcpy(sorted, values, cnt * sizeof(*sorted));
	median_of(sorted, cnt, &out->median, &out->low, &out->high);
	fences_of(sorted, cnt, &out->low_fence, &out->high_fence);
	out->least = sorted[0];
	out->most = sorted[cnt - 1];
	return 0;
}

/* Differences of runs that stood next to each other: what slows both down is in neither. */
static int find_difference(const struct bench *bench, __s64 *median, __s64 *low, __s64 *high)
{
	size_t cnt = bench->sides[0].cnt < bench->sides[1].cnt ? bench->sides[0].cnt :
								bench->sides[1].cnt;
	_cleanup_free_ __s64 *values = calloc(cnt + 1, sizeof(*values));

	if (!values || !cnt)
		return values ? -EINVAL : -ENOMEM;
	for (size_t i = 0; i < cnt; i++)
		values[i] = (__s64)(bench->sides[1].wall_ns[i] - bench->sides[0].wall_ns[i]);
	median_of_signed(values, cnt, median, low, high);
	return 0;
}

/* How many times as fast the second ran as the first. */
struct bench_ratio { double median, low, high; size_t cnt; };

static int bench_ratio_find(const struct bench *bench, struct bench_ratio *out)
{
	const struct bench_side *a = &bench->sides[0], *b = &bench->sides[1];
	size_t cnt = a->cnt < b->cnt ? a->cnt : b->cnt;
	_cleanup_free_ __u64 *millionths = calloc(cnt + 1, sizeof(*millionths));
	__u64 median, low, high;

	if (!millionths || !cnt)
		return millionths ? -EINVAL : -ENOMEM;
	for (size_t i = 0; i < cnt; i++)
		millionths[i] = (__u64)((double)a->wall_ns[i] * 1e6 / (double)(b->wall_ns[i] ?: 1));
	median_of(millionths, cnt, &median, &low, &high);
	*out = (struct bench_ratio){ (double)median / 1e6, (double)low / 1e6, (double)high / 1e6,
				     cnt };
	return 0;
}

static bool stands_out(const struct figures *figures, __u64 value)
{
	return value < figures->low_fence || value > figures->high_fence;
}

static void put_outliers(const struct view *view, const struct bench_side *side,
			 const struct figures *figures)
{
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];
	size_t cnt = 0;

	for (size_t i = 0; i < side->cnt; i++) {
		if (!stands_out(figures, side->wall_ns[i]))
			continue;
		text_buf__printf(&buf, "%s run %zu took %s", cnt++ ? "," : "stands out:", i + 1,
				 text_ns(num, side->wall_ns[i]));
	}
	if (cnt)
		put_para(view, 4, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

static int put_side(const struct view *view, const struct bench *bench,
		    const struct bench_side *side)
{
	struct text_buf buf = { 0 };
	struct figures wall, cpu;
	char a[TEXT_NUM_SZ], b[TEXT_NUM_SZ], c[TEXT_NUM_SZ], d[TEXT_NUM_SZ];
	int err = find_figures(side->wall_ns, side->cnt, &wall);

	if (!err)
		err = find_figures(side->cpu_ns, side->cnt, &cpu);
	if (err)
		return err;
	if (bench->side_cnt == 2)
		text_buf__add(&buf, side == &bench->sides[0] ? "A: " : "B: ");
	text_buf__escape(&buf, side->command, view_escape_flags(view));
	put_para(view, 0, TABLE_BOLD, text_buf__str(&buf));
	text_buf__reset(&buf);
	text_buf__printf(&buf, "%s, %zu runs: median %s", bench->is_cold ? "cold" : "warm", side->cnt,
			 text_ns(a, wall.median));
	text_buf__printf(&buf, " (95%%: %s to %s); least %s, most %s", text_ns(a, wall.low),
			 text_ns(b, wall.high), text_ns(c, wall.least), text_ns(d, wall.most));
	text_buf__printf(&buf, "; CPU median %s (%s to %s)", text_ns(a, cpu.median),
			 text_ns(b, cpu.low), text_ns(c, cpu.high));
	put_para(view, 2, TABLE_PLAIN, text_buf__str(&buf));
	put_outliers(view, side, &wall);
	text_buf__free(&buf);
	return 0;
}

static void put_cold(const struct view *view, const struct bench *bench)
{
	struct text_buf buf = { 0 };
	char num[TEXT_NUM_SZ];

	text_buf__printf(&buf, "Before each run %zu files (%s) were dropped from the page cache",
			 bench->file_cnt, view_bytes(num, bench->file_bytes));
	if (bench->held_cnt)
		text_buf__printf(&buf, ", of which %zu (%s) stayed, in use by other programs",
				 bench->held_cnt, view_bytes(num, bench->held_bytes));
	text_buf__add(&buf, bench->held_cnt ? "." : "; none stayed.");
	put_para(view, 0, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

static void add_ratio(double ratio, struct text_buf *buf)
{
	text_buf__printf(buf, ratio < 9.95 ? "%.2f" : "%.0f", ratio);
}

/* A is the command behind --, B that of --versus. Ratios of runs that stood next to each other. */
static int put_difference(const struct view *view, const struct bench *bench)
{
	struct bench_ratio ratio;
	struct text_buf buf = { 0 };
	bool is_b_faster;
	int err = bench_ratio_find(bench, &ratio);

	if (err)
		return err;
	if (ratio.cnt < RUNS_TO_TELL) {
		text_buf__add(&buf, "B ran ");
		add_ratio(ratio.median, &buf);
		text_buf__printf(&buf, " times as fast as A, but %zu runs are too few to say how sure that is: -n %d or more.",
				 ratio.cnt, RUNS_TO_TELL);
	} else if (ratio.high < 1 || ratio.low > 1) {
		is_b_faster = ratio.median > 1;
		text_buf__printf(&buf, "%s ran ", is_b_faster ? "B" : "A");
		add_ratio(is_b_faster ? ratio.median : 1 / ratio.median, &buf);
		text_buf__printf(&buf, " times as fast as %s (95%% between ", is_b_faster ? "A" : "B");
		add_ratio(is_b_faster ? ratio.low : 1 / ratio.high, &buf);
		text_buf__add(&buf, " and ");
		add_ratio(is_b_faster ? ratio.high : 1 / ratio.low, &buf);
		text_buf__add(&buf, ").");
	} else {
		text_buf__add(&buf, "No difference can be told: B ran between ");
		add_ratio(ratio.low, &buf);
		text_buf__add(&buf, " and ");
		add_ratio(ratio.high, &buf);
		text_buf__add(&buf, " times as fast as A (95%); more runs (-n) may tell.");
	}
	put_para(view, 0, TABLE_BOLD, text_buf__str(&buf));
	text_buf__free(&buf);
	return 0;
}

static void put_machine(const struct view *view, const struct bench *bench)
{
	struct text_buf buf = { 0 };

	text_buf__printf(&buf, "Here a system call takes %llu ns", bench->syscall_ns);
	if (bench->probe_ns)
		text_buf__printf(&buf, ", an empty probe %llu ns", bench->probe_ns);
	text_buf__add(&buf, ".");
	put_para(view, 0, TABLE_PLAIN, text_buf__str(&buf));
	text_buf__free(&buf);
}

int bench_write(const struct view *view)
{
	const struct bench *bench = view->input.bench;
	int err = bench ? 0 : -EINVAL;

	for (size_t i = 0; !err && i < bench->side_cnt; i++)
		err = put_side(view, bench, &bench->sides[i]);
	if (!err && bench->is_cold)
		put_cold(view, bench);
	if (!err && bench->side_cnt == 2)
		err = put_difference(view, bench);
	if (!err)
		put_machine(view, bench);
	return err;
}

static json_t *new_values(struct json_out *jo, const __u64 *values, size_t cnt)
{
	json_t *array = json_array();

	for (size_t i = 0; i < cnt; i++)
		if (json_array_append_new(array, json_integer((json_int_t)values[i])))
			jo->err = -ENOMEM;
	return array;
}

static void set_figures(struct json_out *jo, json_t *obj, const char *key, const __u64 *values,
			size_t cnt)
{
	struct figures figures;
	json_t *of, *out = json_array();

	if (find_figures(values, cnt, &figures)) {
		jo->err = -ENOMEM;
		json_decref(out);
		return;
	}
	of = json_object();
	for (size_t i = 0; i < cnt; i++)
		if (stands_out(&figures, values[i]) &&
		    json_array_append_new(out, json_integer((json_int_t)i + 1)))
			jo->err = -ENOMEM;
	json_set_ns(jo, of, "median", figures.median);
	json_set_ns(jo, of, "low", figures.low);
	json_set_ns(jo, of, "high", figures.high);
	json_set(jo, of, "outliers", out);
	json_set(jo, of, "runs", new_values(jo, values, cnt));
	json_set(jo, obj, key, of);
}

int bench_write_json(const struct view *view)
{
	const struct bench *bench = view->input.bench;
	struct json_out jo = { .out = view->out, .view = view };
	json_t *obj = json_object(), *sides = json_array();
	__s64 median, low, high;
	struct bench_ratio ratio;

	for (size_t i = 0; bench && i < bench->side_cnt; i++) {
		const struct bench_side *side = &bench->sides[i];
		json_t *it = json_object();

		json_set_str(&jo, it, "command", side->command);
		set_figures(&jo, it, "wall_ns", side->wall_ns, side->cnt);
		set_figures(&jo, it, "cpu_ns", side->cpu_ns, side->cnt);
		json_set_int(&jo, it, "status", side->status);
		if (json_array_append_new(sides, it))
			jo.err = -ENOMEM;
	}
	json_set_int(&jo, obj, "schema_version", 1);
	json_set_str(&jo, obj, "cache", bench && bench->is_cold ? "cold" : "warm");
	json_set(&jo, obj, "commands", sides);
	json_set_ns(&jo, obj, "syscall_ns", bench ? bench->syscall_ns : NS_UNKNOWN);
	json_set_ns(&jo, obj, "probe_ns", bench && bench->probe_ns ? bench->probe_ns : NS_UNKNOWN);
	if (bench && bench->is_cold) {
		json_set_int(&jo, obj, "files", (long long)bench->file_cnt);
		json_set_int(&jo, obj, "file_bytes", (long long)bench->file_bytes);
		json_set_int(&jo, obj, "still_cached_bytes", (long long)bench->held_bytes);
	}
	if (bench && bench->side_cnt == 2 && !find_difference(bench, &median, &low, &high)) {
		json_set_int(&jo, obj, "difference_ns", median);
		json_set_int(&jo, obj, "difference_low_ns", low);
		json_set_int(&jo, obj, "difference_high_ns", high);
	}
	if (bench && bench->side_cnt == 2 && !bench_ratio_find(bench, &ratio)) {
		json_set(&jo, obj, "speed_ratio", json_real(ratio.median));
		json_set(&jo, obj, "speed_ratio_low", json_real(ratio.low));
		json_set(&jo, obj, "speed_ratio_high", json_real(ratio.high));
	}
	json_put(&jo, obj, false);
	fputc('\n', view->out);
	return jo.err;
}
