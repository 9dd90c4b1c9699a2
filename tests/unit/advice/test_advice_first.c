// SPDX-License-Identifier: BSD-2-Clause
/* What stands first, and what is nothing to defer. */
#include "advice_program.h"

static const struct finding *deferral(const struct advice *advice, __u32 at)
{
	const struct finding *it = at < advice->finding_cnt ? &advice->findings[at] : NULL;

	return it && it->rule == FINDING_DEFER ? it : NULL;
}

/*
 * main calls a function of big's, which imports: without main:1 the cost moves to that call. Who
 * calls for it is main, not what stands between.
 */
static void test_used_last(void)
{
	static const struct pyi_frame callers[] = { { 9, 16 }, { 8, 4 }, { 11, 2 }, { 10, 8 } };
	const struct site *caller = NULL;
	struct advice *advice;
	__u32 big;

	open_program();
	big = open_module(10, 20, "big", "/app/big.py", 10, 1, 1);
	stream_close_load(&s, 110 * MS, 20);
	open_module(110, 30, "small", "/app/small.py", 10, 2, 1);
	stream_close_load(&s, 140 * MS, 30);
	stream_code(&s, 9, big, "big", "", "/app/big.py", "work", 1, 40);
	stream_code(&s, 8, 8, "lib", "", "/usr/lib/python3/dist-packages/lib.py", "f", 1, 40);
	open_module(140, 40, "late", "/app/late.py", 9, 9, 1);
	stream_callers(&s, 1040, callers, 4);
	stream_close_load(&s, 150 * MS, 40);
	advice = close_program(200);
	CHECK(deferral(advice, 0) && !strcmp(deferral(advice, 0)->load->module, "small"));
	CHECK(deferral(advice, 0) && !deferral(advice, 0)->used);
	for (__u32 i = 1; deferral(advice, i); i++)
		if (deferral(advice, i)->used && !strcmp(deferral(advice, i)->load->module, "big"))
			caller = deferral(advice, i)->caller_site;
	CHECK(caller && !strcmp(caller->file, "/app/main.py") && caller->line == 5);
	end(advice);
}

/* The interpreter cannot do without what its frozen modules import; without a .pth file it can. */
static void test_of_python(void)
{
	struct advice *advice;
	__u32 util, hook;

	open_program();
	stream_code(&s, 9, 9, "site", "", "/usr/lib/python3/dist-packages/x.pth", "<module>", 1, 40);
	util = open_module(10, 20, "importlib.util", "<frozen importlib.util>", 9, 1, 1);
	open_module(11, 30, "contextlib", "/usr/lib/python3.11/contextlib.py", util, 14, 21);
	stream_close_load(&s, 111 * MS, 30);
	stream_close_load(&s, 120 * MS, 20);
	stream_code(&s, 8, 8, "site", "", "<frozen site>", "m", 1, 40);
	hook = open_module(120, 40, "sitecustomize", "/usr/lib/python3.11/sitecustomize.py", 8, 5, 1);
	open_module(121, 50, "apport", "/usr/lib/python3/dist-packages/apport.py", hook, 2, 41);
	stream_close_load(&s, 150 * MS, 50);
	stream_close_load(&s, 190 * MS, 40);
	advice = close_program(200);
	CHECK(finding_at(advice, FINDING_DEFER, "/usr/lib/python3/dist-packages/x.pth", 1));
	CHECK(!finding_at(advice, FINDING_DEFER, "<frozen importlib.util>", 14));
	CHECK(finding_at(advice, FINDING_DEFER, "<frozen site>", 5)); /* the user's */
	CHECK(finding_at(advice, FINDING_DEFER, "/usr/lib/python3.11/sitecustomize.py", 2));
	end(advice);
}

/* What fails is no import to defer, though it costs. */
static void test_failed(void)
{
	struct advice *advice;

	open_program();
	open_module(10, 20, "nope", "/app/nope.py", 10, 1, 1);
	stream_fail(&s, 109 * MS, 21, "ImportError");
	stream_fail(&s, 110 * MS, 20, "ImportError");
	advice = close_program(200);
	CHECK(!finding_at(advice, FINDING_DEFER, "/app/main.py", 1));
	CHECK(finding_at(advice, FINDING_FAILED, "/app/main.py", 1));
	end(advice);
}

static const struct finding *finding_in_text(const char *args, size_t args_sz, struct advice **out)
{
	__u32 spawn;

	stream_open(&s);
	stream_exec(&s, 1 * MS, 50, args, args_sz);
	stream_code(&s, 10, 0x10, "__main__", "", "<string>", "<module>", 1, 40);
	stream_body(&s, 2 * MS, 1, 0, 10, 0x10, "__main__");
	next_code = 11;
	spawn = open_module(10, 20, "spawn", "/usr/lib/python3.11/spawn.py", 10, 1, 1);
	open_module(11, 30, "yaml", "/usr/lib/python3/dist-packages/yaml.py", spawn, 7, 21);
	stream_close_load(&s, 81 * MS, 30);
	open_module(81, 40, "json", "/usr/lib/python3.11/json.py", spawn, 8, 21);
	stream_close_load(&s, 110 * MS, 40);
	stream_close_load(&s, 111 * MS, 20);
	*out = close_program(200);
	return finding_at(*out, FINDING_DEFER, "<string>", 1);
}

/* The first line of -c brings the program in; of another <string> nobody knows that. */
static void test_text(void)
{
	static const char text[] = "python3\0-c\0import spawn", file[] = "python3\0main.py";
	const struct finding *it;
	struct advice *advice;

	it = finding_in_text(text, sizeof(text), &advice);
	CHECK(!it || it->is_entry);
	CHECK(finding_at(advice, FINDING_DEFER, "/usr/lib/python3.11/spawn.py", 7));
	CHECK(finding_at(advice, FINDING_DEFER, "/usr/lib/python3.11/spawn.py", 8));
	end(advice);
	it = finding_in_text(file, sizeof(file), &advice);
	CHECK(it && !it->is_entry);
	CHECK(!finding_at(advice, FINDING_DEFER, "/usr/lib/python3.11/spawn.py", 7));
	end(advice);
}

/* Several statements of -c: each by itself, and no set of them. */
static void test_texts(void)
{
	static const char text[] = "python3\0-c\0import one\nimport two";
	struct advice *advice;
	__u32 one, two;

	stream_open(&s);
	stream_exec(&s, 1 * MS, 50, text, sizeof(text));
	stream_code(&s, 10, 0x10, "__main__", "", "<string>", "<module>", 1, 40);
	stream_body(&s, 2 * MS, 1, 0, 10, 0x10, "__main__");
	next_code = 11;
	one = open_module(10, 20, "one", "/usr/lib/python3/dist-packages/one.py", 10, 1, 1);
	open_module(11, 30, "below", "/usr/lib/python3/dist-packages/below.py", one, 7, 21);
	stream_close_load(&s, 81 * MS, 30);
	stream_close_load(&s, 91 * MS, 20);
	two = open_module(92, 40, "two", "/usr/lib/python3/dist-packages/two.py", 10, 2, 0);
	found(93, 50, "below", two, 7, 41);
	stream_close_load(&s, 100 * MS, 40);
	advice = close_program(200);
	for (size_t i = 0; i < advice->finding_cnt; i++) {
		const struct finding *it = &advice->findings[i];

		CHECK(it->rule != FINDING_TOGETHER);
		CHECK(it->rule != FINDING_DEFER || !it->is_entry);
	}
	CHECK(finding_at(advice, FINDING_DEFER, "<string>", 1));
	CHECK(finding_at(advice, FINDING_DEFER, "<string>", 2));
	end(advice);
}

/* python3 nosuch.py: nothing of a program ran. */
static void test_no_script(void)
{
	static const char args[] = "python3\0nosuch.py";

	for (int status = 1; status <= 2; status++) {
		struct advice *advice = NULL;

		stream_open(&s);
		stream_exec(&s, 1 * MS, 50, args, sizeof(args));
		next_code = 11;
		stream_code(&s, 9, 9, "site", "", "/usr/lib/python3/dist-packages/x.pth", "m", 1, 40);
		open_module(10, 20, "zope", "/usr/lib/python3/dist-packages/zope.py", 9, 1, 0);
		stream_close_load(&s, 110 * MS, 20);
		stream_exit(&s, 120 * MS, status << 8);
		stream_finish(&s, 130 * MS);
		CHECK(!advice__new(stream_process(&s, 1), &advice));
		CHECK(!finding_at(advice, FINDING_DEFER, "/usr/lib/python3/dist-packages/x.pth", 1) ==
		      (status == 2));
		end(advice);
	}
}

/*
 * An installed script brings its program in by several statements, none of which is most of it:
 * they are no advice, nor is a set with them; what the program's own files import is.
 */
static void test_joint_entry(void)
{
	static const char args[] = "python3\0/usr/bin/tool";
	static const char cli[] = "/usr/lib/python3/dist-packages/tool/cli.py";
	static const char log[] = "/usr/lib/python3/dist-packages/tool/log.py";
	static const char util[] = "/usr/lib/python3/dist-packages/tool/util.py";
	const struct finding *it;
	struct advice *advice;
	__u32 cli_code, log_code;

	stream_open(&s);
	stream_exec(&s, 1 * MS, 50, args, sizeof(args));
	stream_code(&s, 10, 0x10, "__main__", "", "/usr/bin/tool", "<module>", 1, 40);
	stream_body(&s, 2 * MS, 1, 0, 10, 0x10, "__main__");
	next_code = 11;
	cli_code = open_module(10, 20, "tool.cli", cli, 10, 1, 1);
	open_module(11, 30, "big", "/usr/lib/python3/dist-packages/big.py", cli_code, 7, 21);
	stream_close_load(&s, 61 * MS, 30);
	open_module(61, 35, "tool.util", util, cli_code, 9, 21);
	stream_close_load(&s, 71 * MS, 35);
	stream_close_load(&s, 101 * MS, 20);
	log_code = open_module(102, 40, "tool.log", log, 10, 2, 1);
	found(103, 50, "big", log_code, 8, 41);
	stream_close_load(&s, 132 * MS, 40);
	found(133, 60, "tool.util", 10, 3, 1);
	advice = close_program(200);
	CHECK(advice->program && !strcmp(advice->program, "tool"));
	for (size_t i = 0; i < advice->finding_cnt; i++) {
		it = &advice->findings[i];
		for (__u32 k = 0; k < it->stmt_cnt; k++)
			if (!strcmp(it->graph->stmts[it->stmts[k]].site.file, "/usr/bin/tool"))
				CHECK(it->rule == FINDING_DEFER && it->is_entry);
	}
	it = finding_at(advice, FINDING_TOGETHER, cli, 7);
	CHECK(it == advice->findings && it->stmt_cnt == 2 && is_near(it->gain.ns, 50));
	CHECK(finding_at(advice, FINDING_DEFER, "/usr/bin/tool", 1));
	end(advice);
}

/*
 * An installed script finds its program by a module of the library, through which all comes, and
 * calls a function of it that imports the rest: the program is the package, not the library.
 */
static void test_called_entry(void)
{
	static const char args[] = "python3\0/usr/bin/tool";
	static const char metadata[] = "/usr/lib/python3.11/metadata.py";
	static const char tool[] = "/usr/lib/python3/dist-packages/tool/__init__.py";
	static const char lint[] = "/usr/lib/python3/dist-packages/tool/lint.py";
	const struct finding *it;
	struct advice *advice;
	__u32 lint_code;

	stream_open(&s);
	stream_exec(&s, 1 * MS, 50, args, sizeof(args));
	stream_code(&s, 10, 0x10, "__main__", "", "/usr/bin/tool", "<module>", 1, 40);
	stream_body(&s, 2 * MS, 1, 0, 10, 0x10, "__main__");
	next_code = 11;
	open_module(3, 20, "metadata", metadata, 10, 1, 1);
	stream_close_load(&s, 4 * MS, 20);
	stream_code(&s, 9, 9, "metadata", "", metadata, "load", 1, 40);
	open_module(5, 30, "tool", tool, 9, 20, 1);
	stream_close_load(&s, 6 * MS, 30);
	stream_code(&s, 8, 8, "tool", "", tool, "run", 1, 40);
	lint_code = open_module(7, 40, "tool.lint", lint, 8, 33, 1);
	open_module(8, 50, "big", "/usr/lib/python3/dist-packages/big.py", lint_code, 5, 41);
	stream_close_load(&s, 98 * MS, 50);
	stream_close_load(&s, 108 * MS, 40);
	advice = close_program(200);
	CHECK(advice->program && !strcmp(advice->program, "tool"));
	it = finding_at(advice, FINDING_DEFER, lint, 5);
	CHECK(it == advice->findings && is_near(it->gain.ns, 90));
	it = finding_at(advice, FINDING_DEFER, tool, 33);
	CHECK(!it || it->is_entry);
	CHECK(!finding_at(advice, FINDING_DEFER, metadata, 20));
	end(advice);
}

/* Most of what a set would bring is what single statements bring alone. */
static void test_set_of_little(void)
{
	struct advice *advice;
	__u32 one, two;

	open_program();
	one = open_module(10, 20, "one", "/usr/lib/python3/dist-packages/one.py", 10, 1, 1);
	open_module(11, 30, "both", "/usr/lib/python3/dist-packages/both.py", one, 1, 21);
	stream_close_load(&s, 41 * MS, 30);
	stream_close_load(&s, 111 * MS, 20);
	two = open_module(112, 40, "two", "/usr/lib/python3/dist-packages/two.py", 10, 2, 1);
	found(113, 50, "both", two, 1, 41);
	stream_close_load(&s, 122 * MS, 40);
	advice = close_program(200);
	CHECK(finding_at(advice, FINDING_DEFER, "/app/main.py", 1));
	CHECK(!finding_at(advice, FINDING_TOGETHER, "/app/main.py", 1));
	end(advice);
}

int main(void)
{
	RUN(test_used_last);
	RUN(test_of_python);
	RUN(test_failed);
	RUN(test_text);
	RUN(test_texts);
	RUN(test_no_script);
	RUN(test_joint_entry);
	RUN(test_called_entry);
	RUN(test_set_of_little);
	return unit_result();
}
