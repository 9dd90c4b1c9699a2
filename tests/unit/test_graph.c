// SPDX-License-Identifier: BSD-2-Clause
/* The import graph, its dominators and the chains in it, on graphs known by hand and at random. */
#include "base/cleanup.h"
#include "model/graph/dominators.h"
#include "model/graph/why.h"
#include "stream.h"

#define MAX 400

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

static void test_diamond(void)
{
	struct dominators dom;
	struct stream s;
	struct graph *graph = diamond(&s);

	CHECK(graph->load_cnt == 4 && graph->stmt_cnt == 4 && graph->run_cnt == 4);
	CHECK(!dominators_find(graph, &dom));
	CHECK(dom.cnt == graph->node_cnt);
	CHECK(dom.idom[node(&s, "c")] == node(&s, "__main__"));
	CHECK(graph__stmt(graph, dom.idom[node(&s, "a")])->site.line == 1);
	CHECK(graph__stmt(graph, dom.idom[node(&s, "b")])->site.line == 3);
	CHECK(graph__stmt(graph, graph->cause[node(&s, "c")])->site.line == 2);
	dominators_clear(&dom);
	graph__free(graph);
	stream_close(&s);
}

static void test_take_away(void)
{
	struct stream s;
	struct graph *graph = diamond(&s);
	bool gone[16] = {};

	CHECK(graph->node_cnt <= 16);
	gone[node(&s, "a")] = true;
	CHECK(!graph_take_away(graph, gone));
	CHECK(gone[node(&s, "a")] && !gone[node(&s, "c")] && !gone[node(&s, "b")]);
	gone[node(&s, "b")] = true;
	CHECK(!graph_take_away(graph, gone));
	CHECK(gone[node(&s, "c")] && !gone[node(&s, "__main__")]);
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
	struct dominators dom;
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
	CHECK(!dominators_find(graph, &dom));
	CHECK(dom.idom[node(&s, "pkg")] == node(&s, "pkg.sub"));
	CHECK(graph__stmt(graph, dom.idom[node(&s, "pkg.sub")])->site.line == 1);
	dominators_clear(&dom);
	graph__free(graph);
	stream_close(&s);
}

/* A function's statement that ran twice may be reached by anybody who has the module. */
static void test_function(void)
{
	struct dominators dom;
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
	CHECK(!dominators_find(graph, &dom));
	CHECK(graph__run(graph, dom.idom[node(&s, "b")])->src == node(&s, "a"));
	dominators_clear(&dom);
	graph__free(graph);
	stream_find_edge(&s, 1, 9, "b")->count = 3;
	stream_find_edge(&s, 1, 9, "b")->cached = 2;
	CHECK(!graph__new(stream_process(&s, 1), 0, &graph));
	CHECK(!dominators_find(graph, &dom));
	CHECK(dom.idom[node(&s, "b")] == node(&s, "__main__"));
	dominators_clear(&dom);
	graph__free(graph);
	stream_close(&s);
}

/* ---- random graphs, without a trace ---- */

struct random_graph {
	struct graph graph;
	__u32 out_at[MAX + 2], in_at[MAX + 2], out[8 * MAX], in[8 * MAX];
};

static void random_fill(struct random_graph *r, __u32 cnt, __u32 arcs)
{
	static bool has[MAX][MAX];
	__u32 at = 0;

	memset(has, 0, sizeof(has));
	for (__u32 i = 1; i < cnt; i++)
		has[rand() % i][i] = true; /* all can be reached */
	for (__u32 i = 0; i < arcs; i++)
		has[rand() % cnt][rand() % cnt] = true;
	memset(r, 0, sizeof(*r));
	r->graph = (struct graph){ .node_cnt = cnt, .out_at = r->out_at, .in_at = r->in_at,
				   .out = r->out, .in = r->in };
	for (__u32 i = 0; i < cnt; i++) {
		for (__u32 k = 0; k < cnt; k++)
			if (has[i][k])
				r->out[at++] = k;
		r->out_at[i + 1] = at;
	}
	at = 0;
	for (__u32 i = 0; i < cnt; i++) {
		for (__u32 k = 0; k < cnt; k++)
			if (has[k][i])
				r->in[at++] = k;
		r->in_at[i + 1] = at;
	}
}

static bool dominates(const struct dominators *dom, __u32 a, __u32 b)
{
	while (b != a && b != dom->idom[b])
		b = dom->idom[b];
	return a == b;
}

/* What a dominates is what cannot be reached without a: the definition, tried out. */
static void test_random_dominators(void)
{
	static struct random_graph r;
	struct dominators dom;
	bool gone[MAX];

	srand(4711);
	for (int round = 0; round < 60; round++) {
		__u32 cnt = 2 + (__u32)rand() % 60;

		random_fill(&r, cnt, (__u32)rand() % (3 * cnt));
		CHECK(!dominators_find(&r.graph, &dom) && dom.cnt == cnt);
		for (__u32 a = 1; a < cnt; a++) {
			memset(gone, 0, sizeof(gone));
			gone[a] = true;
			CHECK(!graph_take_away(&r.graph, gone));
			for (__u32 b = 0; b < cnt; b++)
				if (gone[b] != dominates(&dom, a, b))
					FAIL("round %d: does %u dominate %u?", round, a, b);
		}
		dominators_clear(&dom);
	}
}

int main(void)
{
	RUN(test_diamond);
	RUN(test_take_away);
	RUN(test_why);
	RUN(test_package);
	RUN(test_function);
	RUN(test_random_dominators);
	return unit_result();
}
