// SPDX-License-Identifier: BSD-2-Clause
/* Import statements: names resolved, counts, fromlists, cycles, statements compiled twice. */
#include "stream.h"

static struct edge *to(struct stream *s, int line, const char *module)
{
	struct edge *edge = stream_find_edge(s, 1, line, module);

	if (!edge)
		FAIL("no edge from line %d to %s", line, module);
	return edge ?: calloc(1, sizeof(*edge));
}

static void open_package(struct stream *s)
{
	stream_open(s);
	stream_exec(s, 1000, 50, "python3", 8);
	stream_code(s, 10, 0x10, "pkg", "pkg", "/app/pkg/__init__.py", "<module>", 1, 20);
	stream_code(s, 11, 0x20, "pkg.sub.mod", "pkg.sub", "/app/pkg/sub/mod.py", "<module>",
		    1, 20);
	stream_code(s, 12, 0x30, "pkg.old", "", "/app/pkg/old.py", "<module>", 1, 20);
	stream_code(s, 13, 0x40, "pkg.sub", "", "/app/pkg/sub/__init__.py", "<module>", 1, 20);
	stream_open_load(s, 2000, 1, 0, 0, 10, 0x10, "pkg");
}

static void test_relative(void)
{
	static const struct { __u32 code; int level; const char *name, *want; } cases[] = {
		{ 10, 1, "a", "pkg.a" }, { 10, 1, "", "pkg" }, { 10, 0, "a.b", "a.b" },
		{ 11, 1, "a", "pkg.sub.a" }, { 11, 2, "a.b", "pkg.a.b" }, { 11, 2, "", "pkg" },
		{ 12, 1, "a", "pkg.a" },      /* no __package__: a module's parent */
		{ 13, 1, "a", "pkg.sub.a" },  /* no __package__: a package itself */
		{ 13, 2, "a", "pkg.a" },
	};
	struct stream s;

	open_package(&s);
	for (__u32 i = 0; i < 9; i++)
		stream_edge(&s, 3000, 20 + i, 2, cases[i].level, 0, cases[i].code, i * 2,
			    cases[i].name);
	stream_edge(&s, 3100, 40, 2, 9, 0, 11, 30, "a"); /* above the top: no module */
	stream_finish(&s, 10000);
	for (int i = 0; i < 9; i++)
		CHECK(to(&s, i + 1, cases[i].want)->count == 1);
	CHECK(stream_process(&s, 1)->edge_cnt == 9);
	stream_close(&s);
}

static void test_counts(void)
{
	struct process *process;
	struct stream s;

	open_package(&s);
	stream_edge(&s, 3000, 20, 2, 0, 0, 10, 4, "a");
	stream_find(&s, 3010, 3, 2, 20, "a");
	stream_end(&s, 3020, 3);
	stream_edge(&s, 3030, 21, 2, 0, 0, 10, 6, "a");
	/* The same statement in code compiled anew. */
	stream_code(&s, 14, 0x10, "pkg", "pkg", "/app/pkg/__init__.py", "<module>", 1, 20);
	stream_edge(&s, 3040, 22, 2, 0, 0, 14, 6, "a");
	stream_count(&s, 20, 3, 1);
	stream_count(&s, 21, 10, 0);
	stream_count(&s, 22, 5, 0);
	stream_count(&s, 77, 5, 0); /* its first record was lost */
	stream_finish(&s, 10000);
	process = stream_process(&s, 1);
	CHECK(process->edge_cnt == 2 && process->cached_cnt == 17);
	CHECK(to(&s, 3, "a")->count == 3 && to(&s, 3, "a")->cached == 2);
	CHECK(to(&s, 3, "a")->load == stream_load(&s, 1, "a", 0));
	CHECK(to(&s, 4, "a")->count == 15 && to(&s, 4, "a")->cached == 15 && !to(&s, 4, "a")->load);
	CHECK(to(&s, 4, "a")->first_ns == 3030);
	stream_close(&s);
}

static void test_from(void)
{
	static const struct pyi_frame stack[] = { { 50, 0 }, { 10, 4 } };
	struct stream s;

	open_package(&s);
	stream_code(&s, 50, 0x60, "importlib._bootstrap", "importlib",
		    "<frozen importlib._bootstrap>", "_handle_fromlist", 1, 1);
	stream_edge(&s, 3000, 20, 2, 1, 1, 10, 4, "");
	stream_from(&s, 20, "one", "function");
	stream_find(&s, 3010, 3, 2, 0, "pkg.one");
	stream_frames(&s, 3, stack, 2);
	stream_end(&s, 3020, 3);
	stream_edge(&s, 3030, 21, 2, 1, 1, 10, 6, "");
	stream_from(&s, 21, "one", NULL);
	stream_count(&s, 20, 3, 0);
	stream_count(&s, 21, 4, 0);
	stream_finish(&s, 10000);
	CHECK(to(&s, 3, "pkg")->count == 3 && to(&s, 3, "pkg")->cached == 3);
	CHECK(to(&s, 3, "pkg.one")->count == 3 && to(&s, 3, "pkg.one")->cached == 2);
	CHECK(to(&s, 3, "pkg.one")->load == stream_load(&s, 1, "pkg.one", 0));
	CHECK(to(&s, 4, "pkg.one")->count == 4 && to(&s, 4, "pkg.one")->cached == 4);
	CHECK(!stream_find_edge(&s, 1, 3, "pkg.function"));
	CHECK(stream_process(&s, 1)->edge_cnt == 4);
	stream_close(&s);
}

static void test_cycles(void)
{
	struct stream s;

	open_package(&s);
	stream_code(&s, 15, 0x70, "pkg.a", "pkg", "/app/pkg/a.py", "<module>", 1, 20);
	stream_open_load(&s, 3000, 3, 2, 0, 15, 0x70, "pkg.a");
	stream_code(&s, 16, 0x80, "pkg.b", "pkg", "/app/pkg/b.py", "<module>", 1, 20);
	stream_open_load(&s, 3100, 5, 4, 0, 16, 0x80, "pkg.b");
	stream_edge(&s, 3200, 20, 6, 0, 0, 16, 0, "pkg.a"); /* closes the cycle */
	stream_edge(&s, 3210, 21, 6, 1, 1, 16, 2, "");      /* from . import a, c */
	stream_from(&s, 21, "a", "c");
	stream_edge(&s, 3220, 22, 6, 0, 0, 16, 4, "pkg");   /* its own package: no cycle */
	stream_edge(&s, 3230, 23, 6, 0, 0, 16, 6, "pkg.b"); /* itself */
	stream_close_load(&s, 3300, 5);
	stream_edge(&s, 3400, 24, 4, 0, 0, 15, 0, "pkg.b"); /* done by now */
	stream_finish(&s, 10000);
	CHECK(to(&s, 1, "pkg.a")->is_circular);
	CHECK(!to(&s, 2, "pkg")->is_circular && to(&s, 2, "pkg.a")->is_circular);
	CHECK(!to(&s, 3, "pkg")->is_circular && !to(&s, 4, "pkg.b")->is_circular);
	CHECK(!to(&s, 1, "pkg.b")->is_circular);
	stream_close(&s);
}

int main(void)
{
	RUN(test_relative);
	RUN(test_counts);
	RUN(test_from);
	RUN(test_cycles);
	return unit_result();
}
