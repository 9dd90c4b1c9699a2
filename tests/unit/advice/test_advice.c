// SPDX-License-Identifier: BSD-2-Clause
/* Savings and findings, on programs whose answer is known. */
#include "base/cleanup.h"
#include "advice_program.h"

/*
 * main:1 -> cli (10 ms) -> cli:5 big (100 ms), cli:6 -> both (20 ms); main:2 -> web (30 ms), which
 * finds both as well.
 */
static struct advice *command_line_tool(void)
{
	__u32 cli, web;

	open_program();
	cli = open_module(10, 20, "cli", "/app/cli.py", 10, 1, 1);
	open_module(20, 30, "big", "/usr/lib/python3/dist-packages/big.py", cli, 5, 21);
	stream_close_load(&s, 120 * MS, 30);
	open_module(120, 40, "both", "/app/both.py", cli, 6, 21);
	stream_close_load(&s, 140 * MS, 40);
	stream_close_load(&s, 150 * MS, 20); /* self: 10 before big, 10 after both */
	web = open_module(150, 50, "web", "/app/web.py", 10, 2, 1);
	found(160, 60, "both", web, 9, 51);
	stream_close_load(&s, 180 * MS, 50);
	return close_program(200);
}

static void test_defer(void)
{
	struct advice *advice = command_line_tool();
	const struct finding *big = finding_at(advice, FINDING_DEFER, "/app/cli.py", 5);
	const struct finding *cli = finding_at(advice, FINDING_DEFER, "/app/main.py", 1);
	const struct finding *web = finding_at(advice, FINDING_DEFER, "/app/main.py", 2);

	CHECK(big && is_near(big->gain.ns, 100) && big->gain.modules == 1 && !big->same_cnt);
	CHECK(big && big->confidence == CONFIDENCE_HIGH && !strcmp(big->load->module, "big"));
	CHECK(cli && is_near(cli->gain.ns, 120) && cli->gain.modules == 2);
	CHECK(web && is_near(web->gain.ns, 30));
	CHECK(cli && !cli->is_group && cli->gain.least_ns == cli->gain.ns);
	end(advice);
}

/* @kb of resident memory came while the span was on top. */
static void charge(__u32 span, __s64 kb)
{
	struct pyi_charge_record rec = { .span = span };

	rec.hdr = stream_hdr(&s, PYI_EV_CHARGE, sizeof(rec), 190 * MS);
	rec.charge.rss_anon = (__u64)(kb * 1000 - 4096); /* may be below zero */
	rec.charge.rss_file = 4096;
	stream_apply(&s, &rec, sizeof(rec));
}

static void charged(__u32 groups)
{
	struct pyi_charged rec = { .groups = groups };

	rec.hdr = stream_hdr(&s, PYI_EV_CHARGED, sizeof(rec), 191 * MS);
	stream_apply(&s, &rec, sizeof(rec));
}

/* cli:1 brings 100 kB, and by what it imports 2,000 more and 500 less; main itself 7,000. */
static void memory_of(__u32 groups)
{
	struct advice *advice;
	const struct finding *it;
	__u32 cli;

	open_program();
	cli = open_module(10, 20, "cli", "/app/cli.py", 10, 1, 1);
	open_module(20, 30, "big", "/usr/lib/python3/dist-packages/big.py", cli, 5, 21);
	stream_close_load(&s, 120 * MS, 30);
	open_module(120, 40, "less", "/app/less.py", cli, 6, 21);
	found(125, 60, "cli", cli, 9, 41);
	stream_close_load(&s, 140 * MS, 40);
	stream_close_load(&s, 150 * MS, 20);
	charge(1, 7000);
	charge(21, 100);
	charge(31, 2000);
	charge(41, -500);
	charged(groups);
	advice = close_program(200);
	it = finding_at(advice, FINDING_DEFER, "/app/main.py", 1);
	CHECK(it && it->gain.bytes == (groups & PYI_GROUP_MEMORY ? 1600000 : 0));
	CHECK(advice->gains->has_memory == !!(groups & PYI_GROUP_MEMORY));
	it = finding_at(advice, FINDING_DEFER, "/app/cli.py", 6);
	CHECK(it && it->gain.bytes == (groups & PYI_GROUP_MEMORY ? -500000 : 0));
	end(advice);
}

/* Killed while cli runs: what cli itself would have taken is not known, that of big is. */
static void test_cut(void)
{
	const struct finding *big, *cli;
	struct advice *advice = NULL;
	__u32 code;

	open_program();
	code = open_module(10, 20, "cli", "/app/cli.py", 10, 1, 1);
	open_module(20, 30, "big", "/app/big.py", code, 5, 21);
	stream_close_load(&s, 120 * MS, 30);
	stream_exit(&s, 130 * MS, 9);
	stream_finish(&s, 140 * MS);
	CHECK(!advice__new(stream_process(&s, 1), &advice));
	big = finding_at(advice, FINDING_DEFER, "/app/cli.py", 5);
	cli = finding_at(advice, FINDING_DEFER, "/app/main.py", 1);
	CHECK(big && is_near(big->gain.ns, 100) && !big->gain.is_cut);
	CHECK(big && is_near(big->gain.most_ns, 100));
	CHECK(cli && (cli->gain.is_cut && cli->gain.most_ns == NS_UNKNOWN &&
		       cli->confidence != CONFIDENCE_HIGH));
	end(advice);
}

static void test_memory(void)
{
	memory_of(PYI_GROUP_CPU | PYI_GROUP_MEMORY);
	memory_of(PYI_GROUP_CPU);
}

static void spawned(__u32 span, bool is_thread)
{
	struct pyi_spawn rec = { .span = span, .child_tid = 200, .is_thread = is_thread };

	rec.hdr = stream_hdr(&s, PYI_EV_SPAWN, sizeof(rec), 190 * MS);
	stream_apply(&s, &rec, sizeof(rec));
}

static void handled(__u32 span, __u64 signals)
{
	struct pyi_effect rec = { .span = span, .value = { .signals = signals } };

	rec.hdr = stream_hdr(&s, PYI_EV_EFFECT, sizeof(rec), 190 * MS);
	stream_apply(&s, &rec, sizeof(rec));
}

/* main:1 -> cli -> big, which starts threads; main:2 -> web, a function of which brings lazy. */
static void test_risks(void)
{
	struct advice *advice;
	const struct finding *it;
	__u32 cli, web;

	open_program();
	spawned(1, true); /* the program itself: nobody defers that */
	cli = open_module(10, 20, "cli", "/app/cli.py", 10, 1, 1);
	open_module(20, 30, "big", "/app/big.py", cli, 5, 21);
	spawned(31, true);
	spawned(31, true);
	handled(21, 1ULL << 14 | 1);
	stream_close_load(&s, 120 * MS, 30);
	found(125, 60, "cli", cli, 9, 21);
	stream_close_load(&s, 150 * MS, 20);
	web = open_module(150, 50, "web", "/app/web.py", 10, 2, 1);
	open_module(151, 70, "one", "/app/one.py", web, 8, 51);
	stream_close_load(&s, 160 * MS, 70);
	open_module(161, 80, "two", "/app/two.py", 10, 3, 51);
	spawned(81, false);
	open_module(162, 90, "three", "/app/three.py", web, 8, 81); /* the line once more */
	spawned(91, false);
	stream_close_load(&s, 168 * MS, 90);
	stream_close_load(&s, 170 * MS, 80);
	stream_close_load(&s, 180 * MS, 50);
	advice = close_program(200);
	it = finding_at(advice, FINDING_DEFER, "/app/cli.py", 5);
	CHECK(it && it->risk_cnt == 1 && it->risks[0]->kind == RISK_THREADS &&
	      it->risks[0]->cnt == 2 && it->confidence == CONFIDENCE_MEDIUM);
	it = finding_at(advice, FINDING_DEFER, "/app/main.py", 1);
	CHECK(it && it->risk_cnt == 2 && it->risks[0]->kind == RISK_SIGNALS &&
	      it->risks[0]->cnt == 2 && it->risks[0]->signals == (1ULL << 14 | 1));
	it = finding_at(advice, FINDING_DEFER, "/app/web.py", 8);
	CHECK(it && it->risk_cnt == 1 && it->risks[0]->kind == RISK_CHILDREN &&
	      !strcmp(it->risks[0]->load->module, "three"));
	CHECK(it && advice->gains->graph->stmts[it->stmts[0]].run_cnt == 2);
	end(advice);
}

/* Neither cli:6 nor web:9 alone saves what both bring. */
static void test_together(void)
{
	struct advice *advice = command_line_tool();
	const struct finding *both = finding_at(advice, FINDING_TOGETHER, "/app/cli.py", 6);

	CHECK(both && is_near(both->gain.ns, 20) && is_near(both->load->wall_ns, 20));
	CHECK(both && both->stmt_cnt == 2 && both->gain.modules == 1 && !both->used);
	CHECK(both && both->graph->stmts[both->stmts[1]].site.line == 9 &&
	      !strcmp(both->graph->stmts[both->stmts[1]].site.file, "/app/web.py"));
	CHECK(both && both->gain.least_ns == both->gain.ns && both->confidence == CONFIDENCE_HIGH);
	CHECK(!finding_at(advice, FINDING_DEFER, "/app/cli.py", 6));
	CHECK(!finding_at(advice, FINDING_NO_GAIN, "/app/cli.py", 6));
	end(advice);
}

/* What the interpreter's own start asks for, nobody can cut off. */
static void test_no_gain(void)
{
	struct advice *advice;
	const struct finding *both;

	open_program();
	stream_code(&s, 9, 9, "site", "", "/usr/lib/python3.11/site.py", "m", 1, 40);
	open_module(10, 20, "both", "/app/both.py", 10, 6, 1);
	stream_close_load(&s, 30 * MS, 20);
	found(29, 30, "both", 9, 4, 0); /* a later one would be behind the start-up */
	advice = close_program(200);
	both = finding_at(advice, FINDING_NO_GAIN, "/app/main.py", 6);
	CHECK(both && !both->gain.ns && is_near(both->load->wall_ns, 20));
	CHECK(both && both->other.line == 4 && !strcmp(both->other.file, "/usr/lib/python3.11/site.py"));
	CHECK(both && both->joint_cnt == 2 && is_near(both->joint.ns, 20));
	CHECK(!finding_at(advice, FINDING_TOGETHER, "/app/main.py", 6));
	end(advice);
}

/* `import common, mine` loads mine and finds common, whose load took longer: mine costs. */
static void test_names_what_costs(void)
{
	struct advice *advice;
	const struct finding *it;
	__u32 other;

	open_program();
	other = open_module(10, 20, "other", "/app/other.py", 10, 1, 1);
	open_module(11, 30, "common", "/app/common.py", other, 1, 21);
	stream_close_load(&s, 100 * MS, 30);
	stream_close_load(&s, 101 * MS, 20);
	found(102, 40, "common", 10, 2, 1);
	open_module(103, 50, "mine", "/app/mine.py", 10, 2, 1);
	stream_close_load(&s, 133 * MS, 50);
	advice = close_program(200);
	it = finding_at(advice, FINDING_DEFER, "/app/main.py", 2);
	CHECK(it && is_near(it->gain.ns, 30) && !strcmp(it->load->module, "mine"));
	end(advice);
}

static void test_joint(void)
{
	struct advice *advice = command_line_tool();
	const struct graph *graph = advice->gains->graph;
	_cleanup_free_ bool *gone = calloc(graph->node_cnt, sizeof(*gone));
	struct gain gain;

	CHECK(gains__mark(advice->gains, "cli.py:6", gone) == 1);
	CHECK(!gains__of_set(advice->gains, gone, &gain) && !gain.ns);
	memset(gone, 0, graph->node_cnt);
	CHECK(gains__mark(advice->gains, "app/cli.py:6", gone) == 1);
	CHECK(gains__mark(advice->gains, "/app/web.py:9", gone) == 1);
	CHECK(!gains__of_set(advice->gains, gone, &gain) && is_near(gain.ns, 20));
	memset(gone, 0, graph->node_cnt);
	CHECK(gains__mark(advice->gains, "both", gone) == 2);
	CHECK(!gains__of_set(advice->gains, gone, &gain) && is_near(gain.ns, 20));
	CHECK(!gains__mark(advice->gains, "i.py:6", gone) && !gains__mark(advice->gains, "bot", gone));
	CHECK(!gains__mark(advice->gains, "cli.py:99999999999999999999", gone));
	CHECK(!gains__mark(advice->gains, ":", gone) && !gains__mark(advice->gains, "", gone));
	end(advice);
}

static void test_packages(void)
{
	struct advice *advice = command_line_tool();

	CHECK(advice->package_cnt == 4);
	CHECK(advice->package_cnt && !strcmp(advice->packages[0].name, "cli") &&
	      is_near(advice->packages[0].gain.ns, 120));
	CHECK(advice->package_cnt > 1 && !strcmp(advice->packages[1].name, "big") &&
	      advice->packages[1].stmt_cnt == 1);
	end(advice);
}

/* A chain of the program's files that brings the same is one finding, at its end. */
static void test_same(void)
{
	struct advice *advice;
	const struct finding *it;
	__u32 a, b;

	open_program();
	a = open_module(10, 20, "a", "/app/a.py", 10, 1, 1);
	b = open_module(11, 30, "b", "/app/b.py", a, 2, 21);
	open_module(12, 40, "torch", "/site-packages/torch.py", b, 3, 31);
	stream_close_load(&s, 212 * MS, 40);
	stream_close_load(&s, 213 * MS, 30);
	stream_close_load(&s, 214 * MS, 20);
	found(214, 50, "a", 10, 7, 1);
	advice = close_program(220);
	it = finding_at(advice, FINDING_DEFER, "/app/b.py", 3);
	CHECK(it && is_near(it->gain.ns, 200) && it->same_cnt == 1 && it->same[0]->site.line == 2);
	CHECK(!finding_at(advice, FINDING_DEFER, "/app/main.py", 1)); /* main:7 asks for a, too */
	CHECK(finding_at(advice, FINDING_NO_GAIN, "/app/main.py", 1));
	end(advice);
}

/* `from pkg import …` with unseen names may be what keeps pkg.heavy alive. */
static void test_unseen(void)
{
	struct advice *advice;
	const struct finding *it;
	__u32 pkg;

	open_program();
	pkg = open_module(10, 20, "pkg", "/app/pkg/__init__.py", 10, 1, 1);
	open_module(11, 30, "pkg.heavy", "/app/pkg/heavy.py", pkg, 2, 21);
	stream_close_load(&s, 111 * MS, 30);
	stream_close_load(&s, 112 * MS, 20);
	stream_edge(&s, 113 * MS, 900, 1, 0, 1, 10, 2 * 8, "pkg");
	advice = close_program(220);
	it = finding_at(advice, FINDING_DEFER, "/app/pkg/__init__.py", 2);
	CHECK(it && is_near(it->gain.ns, 100) && !it->gain.least_ns &&
	      it->confidence == CONFIDENCE_MEDIUM);
	end(advice);
}

/* What an extension's body takes from a package, by names not seen, goes with the extension. */
static void test_unseen_by_c(void)
{
	struct advice *advice;
	const struct finding *it;
	__u32 lib, dep;

	open_program();
	lib = open_module(10, 20, "lib", "/app/lib.py", 10, 1, 1);
	dep = open_module(11, 30, "dep", "/app/dep/__init__.py", lib, 2, 21);
	open_module(12, 40, "dep.heavy", "/app/dep/heavy.py", dep, 3, 31);
	stream_close_load(&s, 52 * MS, 40);
	stream_close_load(&s, 53 * MS, 30);
	open_module(114, 50, "ext", "/app/ext.so", lib, 4, 21);
	stream_edge(&s, 115 * MS, 900, 51, 0, 1, 0, -1, "dep");
	stream_close_load(&s, 116 * MS, 50);
	stream_close_load(&s, 120 * MS, 20);
	open_module(130, 60, "web", "/app/web.py", 10, 2, 1);
	stream_close_load(&s, 380 * MS, 60);
	advice = close_program(400);
	it = finding_at(advice, FINDING_DEFER, "/app/main.py", 1);
	CHECK(it && is_near(it->gain.ns, 110) && it->gain.least_ns == it->gain.ns &&
	      it->confidence == CONFIDENCE_HIGH);
	end(advice);
}

static void test_own_files(void)
{
	CHECK(file_is_own("/app/x.py") && file_is_own("x.py") && file_is_own("<string>"));
	CHECK(file_is_own("/srv/lib/pythonic/x.py"));
	CHECK(!file_is_own("/usr/lib/python3.11/re.py") && !file_is_own("<frozen os>"));
	CHECK(!file_is_own("/v/lib/python3.12/site-packages/x.py") && !file_is_own(NULL));
	CHECK(!file_is_own("/usr/lib/python3/dist-packages/x.py"));
}

static void test_empty(void)
{
	struct advice *advice;

	open_program();
	advice = close_program(10);
	CHECK(!advice->finding_cnt && !advice->package_cnt && !advice->gains->has_edges);
	end(advice);
}

int main(void)
{
	RUN(test_defer);
	RUN(test_cut);
	RUN(test_memory);
	RUN(test_risks);
	RUN(test_together);
	RUN(test_no_gain);
	RUN(test_names_what_costs);
	RUN(test_joint);
	RUN(test_packages);
	RUN(test_same);
	RUN(test_unseen);
	RUN(test_unseen_by_c);
	RUN(test_own_files);
	RUN(test_empty);
	return unit_result();
}
