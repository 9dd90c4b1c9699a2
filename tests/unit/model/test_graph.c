// SPDX-License-Identifier: BSD-2-Clause
/* The import graph and the chains in it, on graphs known by hand; what is lost is test_reach.c. */
#include "model/graph/reach.h"
#include "model/graph/why.h"
#include "stream.h"

/* Code 10 + n is the body of module n of `names`; line l is instruction 2 * (l - 1). */
static const char *const names[] = { "__main__", "a", "b", "c", "pkg", "pkg.sub" };

static void open_program(struct stream *s)
{
	stream_open(s);
	stream_exec(s, 1000, 50, "python3", 8);
	for (__u32 i = 0; i < 6; i++) {
		char file[64];

		snprintf(file, sizeof(file), "/app/%s.py", names[i]);
		stream_code(s, 10 + i, 0x10 + i, names[i], "", file, "<module>", 1, 20);
	}
	stream_body(s, 2000, 1, 0, 10, 0x10, "__main__");
}

/* Opens module @n by line @line of module @by, whose body is span @above. Its body is id + 1. */
static void open_module(struct stream *s, __u64 ts_ns, __u32 id, __u32 n, __u32 by, int line,
			__u32 above)
{
	stream_edge(s, ts_ns - 5, 100 + id, above, 0, 0, 10 + by, 2 * (line - 1), names[n]);
	stream_open_load(s, ts_ns, id, above, 100 + id, 10 + n, 0x10 + n, names[n]);
}

static void cached(struct stream *s, __u64 ts_ns, __u32 id, __u32 n, __u32 by, int line,
		   __u32 above)
{
	stream_edge(s, ts_ns, 100 + id, above, 0, 0, 10 + by, 2 * (line - 1), names[n]);
}

/* main:1 loads a, a:2 loads c; main:3 loads b, b:4 finds c. */
static struct graph *diamond(struct stream *s)
{
	struct graph *graph = NULL;

	open_program(s);
	open_module(s, 3000, 10, 1, 0, 1, 1);
	open_module(s, 4000, 20, 3, 1, 2, 11);
	stream_close_load(s, 5000, 20);
	stream_close_load(s, 6000, 10);
	open_module(s, 7000, 30, 2, 0, 3, 1);
	cached(s, 7500, 40, 3, 2, 4, 31);
	stream_close_load(s, 8000, 30);
	stream_end(s, 9000, 1);
	stream_finish(s, 10000);
	CHECK(!graph__new(stream_process(s, 1), 0, &graph));
	return graph;
}

static __u32 node(struct stream *s, const char *name)
{
	struct load *load = stream_load(s, 1, name, 0);

	if (!load) {
		FAIL("no load of %s", name);
		return 0;
	}
	return graph_node_of(load);
}

/* Without @seed: is @node lost? */
static bool is_lost_without(struct graph *graph, __u32 seed, __u32 node)
{
	struct reach *reach = NULL;
	bool is_lost;

	CHECK(!reach__new(graph, &reach));
	reach__doubt(reach, &seed, 1);
	reach__lose(reach);
	is_lost = reach__is_lost(reach, node);
	reach__free(reach);
	return is_lost;
}

static void test_diamond(void)
{
	struct stream s;
	struct graph *graph = diamond(&s);
	__u32 both[2] = { node(&s, "a"), node(&s, "b") };
	struct reach *reach;

	CHECK(graph->load_cnt == 4 && graph->stmt_cnt == 4 && graph->run_cnt == 4);
	CHECK(!is_lost_without(graph, node(&s, "a"), node(&s, "c")));
	CHECK(!is_lost_without(graph, node(&s, "b"), node(&s, "c")));
	CHECK(is_lost_without(graph, node(&s, "a"), node(&s, "a")));
	CHECK(is_lost_without(graph, graph->cause[node(&s, "a")], node(&s, "a")));
	CHECK(is_lost_without(graph, node(&s, "__main__"), node(&s, "c")));
	CHECK(graph__stmt(graph, graph->cause[node(&s, "a")])->site.line == 1);
	CHECK(graph__stmt(graph, graph->cause[node(&s, "b")])->site.line == 3);
	CHECK(graph__stmt(graph, graph->cause[node(&s, "c")])->site.line == 2);
	CHECK(!reach__new(graph, &reach));
	reach__doubt(reach, both, 2);
	reach__lose(reach);
	CHECK(reach__is_lost(reach, node(&s, "c")) && !reach__is_lost(reach, node(&s, "__main__")));
	reach__free(reach);
	graph__free(graph);
	stream_close(&s);
}

static void test_why(void)
{
	struct why why;
	struct stream s;
	struct graph *graph = diamond(&s);

	CHECK(!why_find(graph, stream_load(&s, 1, "c", 0), 10, &why));
	CHECK(why.chain_cnt == 2 && !why.has_more && why.stmt_cnt == 2);
	CHECK(why.chains[0].has_loaded && why.chains[0].hop_cnt == 3);
	CHECK(!why.chains[0].hops[0].stmt && !why.chains[0].hops[0].from);
	CHECK(why.chains[0].hops[1].stmt->site.line == 1);
	CHECK(why.chains[0].hops[2].stmt->site.line == 2);
	CHECK(!why.chains[1].has_loaded && why.chains[1].hop_cnt == 3);
	CHECK(why.chains[1].hops[1].stmt->site.line == 3 && !why.chains[1].hops[1].is_cached);
	CHECK(why.chains[1].hops[2].stmt->site.line == 4 && why.chains[1].hops[2].is_cached);
	why_clear(&why);
	CHECK(!why_find(graph, stream_load(&s, 1, "c", 0), 1, &why));
	CHECK(why.chain_cnt == 1 && why.has_more && why.chains[0].has_loaded);
	why_clear(&why);
	graph__free(graph);
	stream_close(&s);
}

/* `import pkg.sub` loads pkg on the way: one statement, and pkg goes with it. */
static void test_package(void)
{
	struct graph *graph;
	struct stream s;

	open_program(&s);
	stream_edge(&s, 2990, 110, 1, 0, 0, 10, 0, "pkg.sub");
	stream_find(&s, 3000, 10, 1, 110, "pkg.sub");
	stream_begin(&s, 3100, 12, 10, PYI_SPAN_FIND, "pkg");
	stream_body(&s, 3130, 13, 12, 14, 0x14, "pkg");
	stream_end(&s, 3200, 13);
	stream_end(&s, 3210, 12);
	stream_body(&s, 3300, 11, 10, 15, 0x15, "pkg.sub");
	stream_close_load(&s, 4000, 10);
	stream_end(&s, 9000, 1);
	stream_finish(&s, 10000);
	CHECK(!graph__new(stream_process(&s, 1), 0, &graph));
	CHECK(graph->stmt_cnt == 1 && graph->run_cnt == 1);
	CHECK(is_lost_without(graph, node(&s, "pkg.sub"), node(&s, "pkg")));
	CHECK(graph__stmt(graph, graph->cause[node(&s, "pkg.sub")])->site.line == 1);
	CHECK(is_lost_without(graph, graph->cause[node(&s, "pkg.sub")], node(&s, "pkg.sub")));
	graph__free(graph);
	stream_close(&s);
}

/* `import pkg.sub`, and pkg's body does `from . import sub`: one load, and two who ask for it. */
static void test_served(void)
{
	const struct edge *edge;
	struct graph *graph;
	struct stream s;

	open_program(&s);
	stream_edge(&s, 2990, 110, 1, 0, 0, 10, 0, "pkg.sub"); /* main:1 */
	stream_find(&s, 3000, 10, 1, 110, "pkg.sub");
	stream_begin(&s, 3100, 12, 10, PYI_SPAN_FIND, "pkg");
	stream_body(&s, 3130, 13, 12, 14, 0x14, "pkg");
	stream_edge(&s, 3140, 120, 13, 0, 0, 14, 0, "pkg.sub"); /* pkg:1 */
	stream_find(&s, 3150, 20, 13, 120, "pkg.sub");
	stream_body(&s, 3160, 21, 20, 15, 0x15, "pkg.sub");
	stream_close_load(&s, 3180, 20);
	stream_end(&s, 3200, 13);
	stream_end(&s, 3210, 12);
	stream_end(&s, 3220, 10);
	stream_count(&s, 110, 1, 1);
	stream_end(&s, 9000, 1);
	stream_finish(&s, 10000);
	CHECK(stream_process(&s, 1)->load_cnt == 3 && stream_process(&s, 1)->loaded_cnt == 3);
	CHECK(stream_load(&s, 1, "pkg.sub", 0)->parent == stream_load(&s, 1, "pkg", 0));
	CHECK(!stream_load(&s, 1, "pkg.sub", 1));
	edge = stream_find_edge(&s, 1, 1, "pkg.sub");
	CHECK(edge && edge->count == 1);
	CHECK(!graph__new(stream_process(&s, 1), 0, &graph));
	CHECK(graph->stmt_cnt == 2);
	CHECK(!is_lost_without(graph, graph->cause[node(&s, "pkg.sub")], node(&s, "pkg.sub")));
	graph__free(graph);
	stream_close(&s);
}

/*
 * A function's statement needs who called it and the module it stands in: it is lost with either.
 * One that did not always run in the same load may have been called by anybody who has the module.
 */
static void test_function(void)
{
	struct graph *graph;
	struct stream s;

	open_program(&s);
	open_module(&s, 3000, 10, 3, 0, 1, 1);   /* main:1 loads c */
	stream_close_load(&s, 3500, 10);
	open_module(&s, 4000, 20, 1, 0, 2, 1);   /* main:2 loads a */
	open_module(&s, 4100, 30, 2, 3, 9, 21);  /* which calls c.f(): c:9 loads b */
	stream_close_load(&s, 4500, 30);
	stream_close_load(&s, 5000, 20);
	stream_count(&s, 130, 1, 1);
	stream_end(&s, 9000, 1);
	stream_finish(&s, 10000);
	CHECK(!graph__new(stream_process(&s, 1), 0, &graph));
	CHECK(is_lost_without(graph, node(&s, "a"), node(&s, "b")));
	CHECK(is_lost_without(graph, node(&s, "c"), node(&s, "b")));
	CHECK(!is_lost_without(graph, node(&s, "c"), node(&s, "a")));
	graph__free(graph);
	stream_find_edge(&s, 1, 9, "b")->count = 3;
	stream_find_edge(&s, 1, 9, "b")->cached = 2;
	CHECK(!graph__new(stream_process(&s, 1), 0, &graph));
	CHECK(is_lost_without(graph, node(&s, "a"), node(&s, "b")));
	graph__free(graph);
	stream_find_edge(&s, 1, 9, "b")->is_elsewhere = true;
	CHECK(!graph__new(stream_process(&s, 1), 0, &graph));
	CHECK(!is_lost_without(graph, node(&s, "a"), node(&s, "b")));
	CHECK(is_lost_without(graph, node(&s, "c"), node(&s, "b")));
	graph__free(graph);
	stream_close(&s);
}

/* The kernel says whether a statement's runs were all in the load of the first; once it did not. */
static void test_inside(void)
{
	struct pyi_edge_count rec = { .id = 130, .count = 3, .loads = 1, .first_ns = 1 };
	struct stream s;

	for (int is_inside = 0; is_inside < 2; is_inside++) {
		open_program(&s);
		open_module(&s, 3000, 10, 3, 0, 1, 1);
		stream_close_load(&s, 3500, 10);
		open_module(&s, 4000, 20, 1, 0, 2, 1);
		open_module(&s, 4100, 30, 2, 3, 9, 21);
		stream_close_load(&s, 4500, 30);
		stream_close_load(&s, 5000, 20);
		rec.hdr = stream_hdr(&s, PYI_EV_EDGE_COUNT, sizeof(rec), 1);
		rec.is_inside = is_inside;
		stream_apply(&s, &rec, sizeof(rec));
		stream_end(&s, 9000, 1);
		stream_finish(&s, 10000);
		CHECK(stream_find_edge(&s, 1, 9, "b")->is_elsewhere == !is_inside);
		CHECK(stream_find_edge(&s, 1, 9, "b")->around);
		stream_close(&s);
	}
}

/*
 * main:1 loads a, a:1 loads c; main:3 loads a again (it was taken from sys.modules), whose line 1
 * finds c; main:4 loads b, b:4 finds a.
 */
static void test_loaded_again(void)
{
	struct graph *graph, *sure;
	struct stream s;
	__u32 first, again;

	open_program(&s);
	open_module(&s, 3000, 10, 1, 0, 1, 1);
	open_module(&s, 3500, 20, 3, 1, 1, 11);
	stream_close_load(&s, 3600, 20);
	stream_close_load(&s, 4000, 10);
	open_module(&s, 5000, 30, 1, 0, 3, 1);
	cached(&s, 5500, 25, 3, 1, 1, 31);
	stream_close_load(&s, 6000, 30);
	open_module(&s, 7000, 40, 2, 0, 4, 1);
	cached(&s, 7500, 50, 1, 2, 4, 41);
	stream_close_load(&s, 8000, 40);
	stream_end(&s, 9000, 1);
	stream_finish(&s, 10000);
	first = graph_node_of(stream_load(&s, 1, "a", 0));
	again = graph_node_of(stream_load(&s, 1, "a", 1));
	CHECK(!graph__new(stream_process(&s, 1), 0, &graph));
	CHECK(!graph__new(stream_process(&s, 1), GRAPH_UNSEEN, &sure));
	CHECK(!is_lost_without(graph, graph->cause[again], again)); /* b would load it */
	CHECK(is_lost_without(graph, graph->cause[first], first));
	CHECK(!is_lost_without(sure, sure->cause[first], first)); /* not for sure */
	CHECK(!is_lost_without(sure, sure->cause[first], node(&s, "c")));
	CHECK(is_lost_without(sure, node(&s, "__main__"), again));
	graph__free(graph);
	graph__free(sure);
	stream_close(&s);
}

int main(void)
{
	RUN(test_diamond);
	RUN(test_why);
	RUN(test_package);
	RUN(test_served);
	RUN(test_function);
	RUN(test_inside);
	RUN(test_loaded_again);
	return unit_result();
}
