// SPDX-License-Identifier: BSD-2-Clause
/* Budgets: what is understood, what is refused, how runs are judged, how limits are rewritten. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/budget/budget.h"
#include "model/compare/sample.h"
#include "stream.h"

#define MS 1000000ULL

static int parse(const char *text, struct budget *out)
{
	_cleanup_fclose_ FILE *file = fmemopen((void *)text, strlen(text), "r");

	return budget_parse(file, "budget.yaml", out);
}

static void test_reads(void)
{
	struct budget budget;
	const struct budget_entry *entry;

	CHECK(!parse("version: 1\nentries:\n- name: help\n  match: '*app --help'\n  runs: 7\n"
		     "  command: [python3, app, --help]\n"
		     "  limits: {time: 1.5 s, modules: 1_000, memory: 64 mb, opens: 0}\n"
		     "  modules: {'services.*': 10 ms, db: {modules: 3, bytes: 4 kb}}\n"
		     "  forbid: [torch, 'cv2*']\n  network: false\n  circular: true\n"
		     "  allow: []\n", &budget));
	CHECK(budget.entry_cnt == 1);
	entry = &budget.entries[0];
	CHECK(!strcmp(entry->name, "help") && entry->runs == 7 && entry->argc == 3 && !entry->argv[3]);
	CHECK(entry->limits[METRIC_TIME].max == 1500 * MS);
	CHECK(entry->limits[METRIC_MODULES].max == 1000);
	CHECK(entry->limits[METRIC_MEMORY].max == 64000000 && !entry->limits[METRIC_CPU].is_set);
	CHECK(entry->limits[METRIC_OPENS].is_set && !entry->limits[METRIC_OPENS].max);
	CHECK(entry->module_cnt == 2 && entry->modules[0].limits[METRIC_TIME].max == 10 * MS);
	CHECK(entry->modules[1].limits[METRIC_BYTES].max == 4000);
	CHECK(entry->forbidden_cnt == 2 && entry->no_network && !entry->no_circular);
	CHECK(entry->has_allowed && !entry->allowed_cnt);
	CHECK(!entry->limits[METRIC_TIME].is_over_floor);
	budget_clear(&budget);
}

static void test_over_floor(void)
{
	struct budget budget;
	const struct limit *limits;

	CHECK(!parse("entries: [{limits: {time: +120 ms over python -c pass, ready: +2 s}}]", &budget));
	limits = budget.entries[0].limits;
	CHECK(limits[METRIC_TIME].is_over_floor && limits[METRIC_TIME].max == 120 * MS);
	CHECK(limits[METRIC_READY].is_over_floor && limits[METRIC_READY].max == 2000 * MS);
	budget_clear(&budget);
}

/* A file of @cnt times the same, refused before it is parsed: libyaml took minutes for these. */
static void test_too_much(void)
{
	static const struct {
		const char *head, *part;
		size_t cnt;
	} files[] = {
		{ "", "[", 500000 }, { "", "{a: ", 200000 }, { "entries: [", "&a x, ", 150000 },
		{ "entries:\n", "- a\n", 200000 }, { "", "? ", 400000 }, { "", "- ", 400000 },
		{ "entries: # ", "x", 2000000 }, { "{\"entries\":", "[", 900000 },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t head_sz = strlen(files[i].head), sz = strlen(files[i].part);
		_cleanup_free_ char *text = malloc(head_sz + files[i].cnt * sz + 1);
		struct budget budget;

		memcpy(text, files[i].head, head_sz + 1);
		for (size_t j = 0; j < files[i].cnt; j++)
			memcpy(text + head_sz + j * sz, files[i].part, sz + 1);
		CHECK(parse(text, &budget) == -EINVAL);
	}
}

static void test_refuses(void)
{
	static const char *const bad[] = {
		"", "[]", "x", "entries: []", "entries: {}", "version: 2\nentries: [{name: a}]",
		"entries: [{nmae: a}]", "entries: [{limits: {tiem: 1 s}}]", "entries: [{limits: 5}]",
		"entries: [{limits: {time: fast}}]", "entries: [{limits: {modules: -1}}]",
		"entries: [{limits: {modules: 1, modules: 2}}]", "entries: [{runs: 0}]",
		"entries: [{modules: {a: {ready: 1 s}}}]", "entries: [{network: maybe}]",
		"entries: [{forbid: [[a]]}]", "entries: [{name: [a]}]", "entries: [5]",
		"entries: [{name: a}]\nentries", "entries: [{name: \"a\\0b\"}]", "a: b: c",
		"entries: [{limits: {modules: +5}}]", "entries: [{limits: {time: +5 ms over me}}]",
		"entries: [{limits: {time: +}}]", "entries: [{modules: {a: {cpu: +5 ms}}}]",
		"entries: [{command: []}]", "entries: [{limits: {time: 99999999999999999999 s}}]",
		"entries: [{name: a, name: b}]", "&a [*a]", "entries: &a [*a]", "\xff\xfe", "{",
	};
	const char *accepted = NULL;
	struct budget budget;
	int saved = dup(STDERR_FILENO); /* what it has to say of each stands there */

	CHECK(saved >= 0 && freopen("/dev/null", "w", stderr));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (!parse(*bad[i] ? bad[i] : " ", &budget)) {
			accepted = bad[i];
			budget_clear(&budget);
		}
	}
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	if (accepted)
		FAIL("was accepted: %s", accepted);
}

static void test_globs(void)
{
	CHECK(glob_matches("a.*", "a.b.c") && !glob_matches("a.*", "a") && glob_matches("*", ""));
	CHECK(glob_matches("*.models", "app.db.models") && !glob_matches("*.models", "models"));
	CHECK(glob_matches("a?c", "abc") && !glob_matches("a?c", "ac") && glob_matches("a**", "a"));
	CHECK(glob_matches("*a*b*", "xxaxxbxx") && !glob_matches("*a*b*", "xxbxxaxx"));
	CHECK(!glob_matches("", "a") && glob_matches("", ""));
}

/* Ranks of the 95 % interval of a median, as tables of order statistics have them. */
static void test_median(void)
{
	static const struct { size_t cnt, low, high; } cases[] = {
		{ 1, 1, 1 }, { 2, 1, 2 }, { 5, 1, 5 }, { 6, 1, 6 }, { 8, 1, 8 }, { 9, 2, 8 },
		{ 10, 2, 9 }, { 15, 4, 12 }, { 20, 6, 15 }, { 25, 8, 18 }, { 100, 40, 61 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		__u64 values[100], median, low, high;

		for (size_t k = 0; k < cases[i].cnt; k++)
			values[k] = 10 * (cases[i].cnt - k);
		median_of(values, cases[i].cnt, &median, &low, &high);
		if (low != 10 * cases[i].low || high != 10 * cases[i].high)
			FAIL("%zu values: %llu to %llu", cases[i].cnt, low, high);
		CHECK(median == 5 * cases[i].cnt + 5);
	}
}

/* A program whose start-up takes @ms: main:1 imports heavy.sub, heavy is its package. */
static void run(struct stream *s, __u64 ms)
{
	stream_open(s);
	stream_exec(s, 0, 50, "python3\0app.py\0--help", 21);
	stream_code(s, 10, 0x10, "__main__", "", "/app/app.py", "<module>", 1, 40);
	stream_code(s, 11, 0x11, "heavy", "", "/app/heavy.py", "<module>", 1, 40);
	stream_body(s, 1 * MS, 1, 0, 10, 0x10, "__main__");
	stream_edge(s, 2 * MS - 5, 100, 1, 0, 0, 10, 0, "heavy");
	stream_open_load(s, 2 * MS, 20, 1, 100, 11, 0x11, "heavy");
	stream_close_load(s, ms * MS, 20);
	stream_end(s, (ms + 1) * MS, 1);
	stream_finish(s, (ms + 2) * MS);
}

static const struct verdict *verdict_of(const struct verdicts *result, enum verdict_kind kind,
					const char *what)
{
	for (size_t i = 0; i < result->cnt; i++)
		if (result->all[i].kind == kind &&
		    (!what || (result->all[i].what && !strcmp(result->all[i].what, what))))
			return &result->all[i];
	return NULL;
}

static void judge(const char *text, const __u64 *ms, size_t cnt, struct verdicts *result,
		  struct budget *budget, struct stream *streams)
{
	struct model *models[16];

	for (size_t i = 0; i < cnt; i++) {
		run(&streams[i], ms[i]);
		models[i] = streams[i].model;
	}
	*result = (struct verdicts){};
	CHECK(!parse(text, budget));
	CHECK(!check_entry(result, &budget->entries[0], models, cnt));
}

static void end(struct verdicts *result, struct budget *budget, struct stream *streams, size_t cnt)
{
	check_clear(result);
	budget_clear(budget);
	for (size_t i = 0; i < cnt; i++)
		stream_close(&streams[i]);
}

static void test_limits(void)
{
	static const __u64 ms[] = { 100 };
	struct verdicts result;
	struct budget budget;
	struct stream streams[16];
	const struct verdict *it;

	judge("entries: [{limits: {time: 50 ms, modules: 2, opens: 3}, forbid: [heavy, heav, torch],"
	      " modules: {'h*': 98 ms, heavy: 99 ms, other: 1 ms}, compile: false, circular: false}]",
	      ms, 1, &result, &budget, streams);
	it = &result.all[0];
	CHECK(it->metric == METRIC_TIME && it->result == VERDICT_BROKEN && it->value == 100 * MS);
	CHECK(it->load && !strcmp(it->load->module, "heavy"));
	CHECK(result.all[1].metric == METRIC_MODULES && result.all[1].result == VERDICT_OK);
	CHECK(result.all[2].metric == METRIC_OPENS && result.all[2].result == VERDICT_UNKNOWN);
	it = verdict_of(&result, VERDICT_FORBIDDEN, "heavy");
	CHECK(it && it->result == VERDICT_BROKEN && it->load);
	it = verdict_of(&result, VERDICT_FORBIDDEN, "heav");
	CHECK(it && it->result == VERDICT_OK);
	it = verdict_of(&result, VERDICT_MODULE, "h*");
	CHECK(it && it->result == VERDICT_OK && it->value == 98 * MS);
	it = verdict_of(&result, VERDICT_MODULE, "other");
	CHECK(it && it->result == VERDICT_OK);
	it = verdict_of(&result, VERDICT_COMPILE, NULL);
	CHECK(it && it->result == VERDICT_BROKEN && it->value == 1);
	it = verdict_of(&result, VERDICT_CIRCULAR, NULL);
	CHECK(it && it->result == VERDICT_OK);
	CHECK(result.broken_cnt == 4 && result.is_complete);
	end(&result, &budget, streams, 1);
}

/* One slow run in seven is noise; all of them are not. */
static void test_noise(void)
{
	static const __u64 quiet[] = { 40, 41, 42, 43, 90, 44, 45 };
	static const __u64 slow[] = { 60, 61, 62, 63, 90, 64, 65 };
	static const __u64 torn[] = { 40, 41, 42, 60, 61, 62, 63 };
	static const char text[] = "entries: [{limits: {time: 50 ms, modules: 2}}]";
	struct verdicts result;
	struct budget budget;
	struct stream streams[16];

	judge(text, quiet, 7, &result, &budget, streams);
	CHECK(result.all[0].result == VERDICT_OK && result.all[0].value == 43 * MS);
	end(&result, &budget, streams, 7);
	judge(text, slow, 7, &result, &budget, streams);
	CHECK(result.all[0].result == VERDICT_BROKEN && result.broken_cnt == 1);
	end(&result, &budget, streams, 7);
	judge(text, torn, 7, &result, &budget, streams);
	CHECK(result.all[0].result == VERDICT_NOISY && !result.broken_cnt && result.noisy_cnt == 1);
	end(&result, &budget, streams, 7);
}

static void test_match(void)
{
	static const __u64 ms[] = { 10 };
	struct verdicts result;
	struct budget budget;
	struct stream streams[16];

	judge("entries: [{match: '*app.py --help', limits: {modules: 9}}]", ms, 1, &result, &budget,
	      streams);
	CHECK(result.cnt == 1 && result.all[0].result == VERDICT_OK);
	end(&result, &budget, streams, 1);
	judge("entries: [{match: 'app.py', limits: {modules: 9}}]", ms, 1, &result, &budget, streams);
	CHECK(result.cnt == 1 && result.all[0].kind == VERDICT_MISSING && result.broken_cnt == 1);
	end(&result, &budget, streams, 1);
}

static void test_values(void)
{
	static const struct { enum metric metric; __u64 value; const char *text; } cases[] = {
		{ METRIC_TIME, 1, "0.1 ms" }, { METRIC_TIME, 99999999, "100.0 ms" },
		{ METRIC_TIME, 250000001, "251 ms" }, { METRIC_MODULES, 312, "312" },
		{ METRIC_MEMORY, 10000000, "10 mb" }, { METRIC_MEMORY, 10000001, "11 mb" },
		{ METRIC_BYTES, 20000, "20 kb" }, { METRIC_BYTES, 5, "5 b" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buf[BUDGET_VALUE_SZ];

		budget_value(buf, cases[i].metric, cases[i].value);
		if (strcmp(buf, cases[i].text))
			FAIL("%llu is %s, not %s", cases[i].value, buf, cases[i].text);
	}
}

static void test_write(void)
{
	static const char before[] = "# é: kept\nentries:\n- name: \"é\"   # too\n"
		"  limits: {time: 5 ms, modules: '3'} # and this\n  modules: {'é.*': 1 ms}\n";
	static const char after[] = "# é: kept\nentries:\n- name: \"é\"   # too\n"
		"  limits: {time: 250 ms, modules: 77} # and this\n  modules: {'é.*': 1.5 ms}\n";
	char path[] = "/tmp/pyimport-budget.XXXXXX", text[sizeof(after) + 1] = "";
	int fd = mkstemp(path);
	struct budget budget;
	FILE *file;

	CHECK(fd >= 0 && write(fd, before, strlen(before)) == (ssize_t)strlen(before));
	close(fd);
	CHECK(!budget_read(path, &budget));
	budget.entries[0].limits[METRIC_TIME].max = 250 * MS;
	budget.entries[0].limits[METRIC_MODULES].max = 77;
	budget.entries[0].modules[0].limits[METRIC_TIME].max = 1500000;
	CHECK(!budget_write(path, &budget));
	file = fopen(path, "r");
	CHECK(fread(text, 1, sizeof(text), file) == strlen(after) && !strcmp(text, after));
	fclose(file);
	unlink(path);
	budget_clear(&budget);
}

int main(void)
{
	RUN(test_reads);
	RUN(test_over_floor);
	RUN(test_refuses);
	RUN(test_too_much);
	RUN(test_globs);
	RUN(test_median);
	RUN(test_limits);
	RUN(test_noise);
	RUN(test_match);
	RUN(test_values);
	RUN(test_write);
	return unit_result();
}
