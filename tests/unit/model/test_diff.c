// SPDX-License-Identifier: BSD-2-Clause
/* Two traces compared: what came, went, got slower; which process is which; what forbids it. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/compare/diff.h"
#include "report/compare/diff_out.h"
#include "report/report.h"
#include "stream.h"

#define MS 1000000ULL

struct program {
	const char *args;        /* NUL-separated */
	size_t args_sz;
	__u64 alpha_ms;          /* how long the body of alpha takes */
	const char *extra;       /* imported by alpha's line 2, with a module of its own below */
	bool is_beta_failing;
	const char *hostname, *version;
	__u32 cpu_cnt;
};

static void leaf(struct stream *s, __u64 at, __u32 id, __u32 parent, __u32 edge, const char *name)
{
	stream_find(s, at, id, parent, edge, name);
	stream_mark(s, at + 10, id, PYI_MARK_NEW_MODULE);
	stream_end(s, at + MS, id);
}

static void make(struct stream *s, const struct program *program)
{
	struct host_info host = { .hostname = program->hostname, .kernel = "6.1",
				  .cpu_cnt = program->cpu_cnt };
	struct python_info python = { .version = program->version, .implementation = "cpython" };
	struct pyi_python rec = { .layout = 3 };
	__u64 at = 10 * MS;

	stream_open(s);
	stream_exec(s, 1 * MS, 1, program->args, program->args_sz);
	rec.hdr = stream_hdr(s, PYI_EV_PYTHON, sizeof(rec), 2 * MS);
	stream_apply(s, &rec, sizeof(rec));
	leaf(s, 3 * MS, 50, 0, 0, "encodings");
	stream_code(s, 1, 0x1000, "__main__", "", "/srv/app.py", "<module>", 1, 9);
	stream_code(s, 2, 0x2000, "alpha", "", "/srv/alpha.py", "<module>", 1, 9);
	stream_body(s, at, 1, 0, 1, 0x1000, "__main__");
	stream_edge(s, at, 1, 1, 0, 0, 1, 2, "alpha");
	stream_find(s, at, 10, 1, 1, "alpha");
	stream_mark(s, at, 10, PYI_MARK_NEW_MODULE);
	stream_body(s, at, 11, 10, 2, 0x2000, "alpha");
	if (program->extra) {
		stream_edge(s, at, 2, 11, 0, 0, 2, 2, program->extra);
		stream_find(s, at, 20, 11, 2, program->extra);
		stream_mark(s, at, 20, PYI_MARK_NEW_MODULE);
		leaf(s, at + MS, 30, 20, 0, "below");
		at += 5 * MS;
		stream_end(s, at, 20);
	}
	at += program->alpha_ms * MS;
	stream_end(s, at, 11);
	stream_end(s, at, 10);
	stream_edge(s, at, 3, 1, 0, 0, 1, 6, "beta");
	stream_find(s, at, 40, 1, 3, "beta");
	stream_fail(s, at + MS, 40, program->is_beta_failing ? "ImportError" : NULL);
	stream_end(s, at + 2 * MS, 1);
	stream_exit(s, at + 3 * MS, 0);
	CHECK(!model__set_host(s->model, &host));
	CHECK(!model__set_python_info(s->model, 3, &python));
	stream_finish(s, at + 4 * MS);
}

static const struct program plain = { .args = "python3\0app.py", .args_sz = 15, .alpha_ms = 20,
				      .hostname = "a", .version = "3.11.2", .cpu_cnt = 4 };

static const struct diff_module *find(const struct diff_pair *pair, const char *name)
{
	for (size_t i = 0; i < pair->module_cnt; i++)
		if (!strcmp(pair->modules[i].name, name))
			return &pair->modules[i];
	return NULL;
}

static void test_same(void)
{
	_cleanup_(diff__freep) struct diff *diff = NULL;
	struct stream a, b;

	make(&a, &plain);
	make(&b, &plain);
	CHECK(!diff__new(a.model, b.model, &diff));
	CHECK(diff->pair_cnt == 1 && !diff->only_before_cnt && !diff->only_after_cnt);
	CHECK(!diff->doubts && !diff->pairs[0].doubts);
	CHECK(diff->pairs[0].module_cnt == 4 && !diff->pairs[0].came_cnt);
	for (size_t i = 0; i < diff->pairs[0].module_cnt; i++)
		CHECK(diff->pairs[0].modules[i].change == DIFF_SAME);
	stream_close(&a);
	stream_close(&b);
}

static void test_changes(void)
{
	_cleanup_(diff__freep) struct diff *diff = NULL, *back = NULL;
	struct program later = plain;
	struct diff_phase phases[DIFF_PHASES_MAX];
	const struct diff_pair *pair;
	struct stream a, b;
	size_t cnt, seen = 0;

	later.alpha_ms = 29;
	later.extra = "gamma";
	later.is_beta_failing = true;
	make(&a, &plain);
	make(&b, &later);
	CHECK(!diff__new(a.model, b.model, &diff));
	pair = &diff->pairs[0];
	CHECK(find(pair, "alpha")->change == DIFF_SLOWER);
	CHECK(find(pair, "alpha")->delta_ns == 9 * (__s64)MS);
	CHECK(find(pair, "beta")->change == DIFF_BROKEN);
	CHECK(find(pair, "gamma")->change == DIFF_NEW && find(pair, "below")->change == DIFF_NEW);
	CHECK(find(pair, "__main__")->change == DIFF_SAME);
	/* Both came by one statement of alpha, which was not there before. */
	CHECK(pair->came_cnt == 1 && !pair->went_cnt);
	CHECK(!strcmp(pair->came[0].top->module, "gamma") && pair->came[0].cnt == 2);
	CHECK(pair->came[0].is_statement_apart && pair->came[0].top->importer.line == 2);
	CHECK(!diff__new(b.model, a.model, &back));
	pair = &back->pairs[0];
	cnt = diff_phases(pair, phases);
	for (size_t i = 0; i < cnt; i++)
		seen += !strcmp(phases[i].name, "exec") && phases[i].before_ns == 2 * MS &&
			phases[i].after_ns == 2 * MS;
	/* 9 ms by alpha, 5 by gamma. */
	for (size_t i = 0; i < cnt; i++)
		seen += !strcmp(phases[i].name, "startup") &&
			phases[i].before_ns == phases[i].after_ns + 14 * MS;
	CHECK(seen == 2);
	CHECK(find(pair, "alpha")->change == DIFF_FASTER && pair->went_cnt == 1);
	CHECK(find(pair, "beta")->change == DIFF_REPAIRED);
	CHECK(find(pair, "below")->change == DIFF_GONE && !pair->came_cnt);
	stream_close(&a);
	stream_close(&b);
}

/* 9 % of 200 ms, 0.9 ms of 1 ms: neither is a change. */
static void test_noise(void)
{
	_cleanup_(diff__freep) struct diff *diff = NULL;
	struct program before = plain, after = plain;
	struct stream a, b;

	before.alpha_ms = 200;
	after.alpha_ms = 218;
	make(&a, &before);
	make(&b, &after);
	CHECK(!diff__new(a.model, b.model, &diff));
	CHECK(find(&diff->pairs[0], "alpha")->change == DIFF_SAME);
	CHECK(find(&diff->pairs[0], "alpha")->delta_ns == 18 * (__s64)MS);
	stream_close(&a);
	stream_close(&b);
}

static void test_doubts(void)
{
	_cleanup_(diff__freep) struct diff *diff = NULL;
	struct program other = plain;
	struct stream a, b;

	other.hostname = "b";
	other.version = "3.12.1";
	other.cpu_cnt = 2;
	make(&a, &plain);
	make(&b, &other);
	model__set_cut(b.model);
	CHECK(!diff__new(a.model, b.model, &diff));
	CHECK(diff->doubts == (DIFF_OTHER_HOST | DIFF_OTHER_CPUS | DIFF_INCOMPLETE));
	CHECK(diff->pairs[0].doubts == DIFF_OTHER_PYTHON);
	stream_close(&a);
	stream_close(&b);
}

/* Another program's arguments; then nothing but one program each: they are a pair all the same. */
static void test_pairs(void)
{
	_cleanup_(diff__freep) struct diff *diff = NULL, *empty = NULL;
	struct program other = plain;
	struct stream a, b, none;

	other.args = "python3.12\0other.py";
	other.args_sz = 20;
	make(&a, &plain);
	make(&b, &other);
	CHECK(!diff__new(a.model, b.model, &diff) && diff->pair_cnt == 1);
	CHECK(!diff->only_before_cnt && !diff->only_after_cnt);
	stream_open(&none);
	stream_finish(&none, 1);
	CHECK(!diff__new(a.model, none.model, &empty) && !empty->pair_cnt);
	CHECK(empty->only_before_cnt == 1 && !empty->only_after_cnt);
	stream_close(&a);
	stream_close(&b);
	stream_close(&none);
}

static void test_report(void)
{
	struct report_opts opts = { .width = 60 };
	struct program later = plain;
	struct report_input input = {};
	char *text = NULL;
	struct stream a, b;
	size_t size;
	FILE *out;

	later.extra = "evil\033[31m";
	later.alpha_ms = 29;
	make(&a, &plain);
	make(&b, &later);
	input.model = b.model;
	out = open_memstream(&text, &size);
	CHECK(report_write(&input, "diff", "text", &opts, out) == -EINVAL); /* from what? */
	input.before = a.model;
	CHECK(!report_write(&input, "diff", "text", &opts, out));
	CHECK(!report_write(&input, "diff", "json", &opts, out));
	CHECK(report_write(&input, "diff", "importtime", &opts, out) == -EINVAL);
	fclose(out);
	CHECK(!strchr(text, '\033') && strstr(text, "evil\\x1b[31m"));
	CHECK(strstr(text, "a new statement") && strstr(text, "+9.0 ms"));
	free(text);
	stream_close(&a);
	stream_close(&b);
}

int main(void)
{
	RUN(test_same);
	RUN(test_changes);
	RUN(test_noise);
	RUN(test_doubts);
	RUN(test_pairs);
	RUN(test_report);
	return unit_result();
}
