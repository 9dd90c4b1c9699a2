// SPDX-License-Identifier: BSD-2-Clause
/*
 * The model under random streams: threads that load packages of each other, fork and exec and die,
 * with records lost, doubled, mutated. Whatever comes, what a report relies on must hold.
 */
#include "stream.h"

#define THREADS 6
#define DEPTH_MAX 12

static unsigned int seed;

static unsigned int below(unsigned int limit)
{
	return rand_r(&seed) % limit;
}

static void check_load(const struct process *process, const struct load *load, size_t index)
{
	__u64 inside_ns = 0;
	bool is_exact = load->is_exact;
	size_t found = 0;

	CHECK(load->seq == index && load->process == process && load->result >= LOAD_LOADED);
	CHECK((load->result == LOAD_FAILED) || !load->error);
	CHECK(!load->parent || load->parent->process == process);
	CHECK(!load->parent || load->parent->seq < load->seq);
	CHECK((load->wall_ns == NS_UNKNOWN) == (load->self_ns == NS_UNKNOWN));
	CHECK(load->result == LOAD_UNFINISHED || load->wall_ns != NS_UNKNOWN);
	for (size_t i = 0; i < load->child_cnt; i++) {
		const struct load *child = load->children[i];

		CHECK(child->parent == load && (!i || child->seq > load->children[i - 1]->seq));
		if (child->tid != load->tid)
			continue;
		is_exact &= child->is_exact;
		if (child->wall_ns != NS_UNKNOWN)
			inside_ns += child->wall_ns;
	}
	if (load->wall_ns == NS_UNKNOWN)
		return;
	CHECK(load->self_ns <= load->wall_ns);
	CHECK(!is_exact || load->self_ns + inside_ns == load->wall_ns);
	if (!load->parent)
		return;
	for (size_t i = 0; i < load->parent->child_cnt; i++)
		found += load->parent->children[i] == load;
	CHECK(found == 1);
}

static void check_process(const struct process *process)
{
	size_t own = 0, below_cnt = 0;
	__u64 cached = 0;

	for (size_t i = 0; i < process->load_cnt; i++) {
		check_load(process, process->loads[i], i);
		own += !process->loads[i]->is_inherited;
		below_cnt += process->loads[i]->child_cnt;
	}
	CHECK(below_cnt + process->root_cnt == process->load_cnt);
	CHECK(own == (size_t)process->loaded_cnt + process->failed_cnt + process->unfinished_cnt);
	for (size_t i = 0; i < process->edge_cnt; i++) {
		const struct edge *edge = process->edges[i];

		CHECK(edge->module && edge->count >= 1 && edge->cached <= edge->count);
		cached += edge->cached;
	}
	CHECK(process->cached_cnt <= cached);
	for (size_t i = 0; i < process->lib_cnt; i++)
		CHECK(!process->libs[i]->load || process->libs[i]->load->process == process);
}

static void check_model(struct stream *s)
{
	for (size_t i = 0; i < model__process_cnt(s->model); i++)
		check_process(model__process(s->model, i));
}

/* ---- schedules: what really happens, of which some records are lost ---- */

struct running {
	__u32 id, edge;
	char name[24];
	bool is_lock, is_waiter;
};

struct thread {
	struct running stack[DEPTH_MAX];
	int depth;
};

struct plan {
	struct stream s;
	struct thread threads[THREADS];
	__u32 next_id, edge_cnt;
	size_t load_cnt, wait_cnt;
	__u64 now_ns;
	unsigned int loss; /* of 1000 records */
};

static void tick(struct plan *plan)
{
	plan->now_ns += 1 + below(1000);
	plan->s.is_dropping = below(1000) < plan->loss;
}

static bool is_open(const struct plan *plan, const char *name)
{
	for (int i = 0; i < THREADS; i++)
		for (int j = 0; j < plan->threads[i].depth; j++)
			if (!strcmp(plan->threads[i].stack[j].name, name))
				return true;
	return false;
}

static void start(struct plan *plan, struct thread *thread)
{
	struct running *parent = thread->depth ? &thread->stack[thread->depth - 1] : NULL;
	struct running *load = &thread->stack[thread->depth++];
	__u32 parent_id = parent ? parent->id + !parent->is_waiter : 0;

	*load = (struct running){ .id = plan->next_id += 2, .is_lock = below(4) == 0 };
	snprintf(load->name, sizeof(load->name), "m%u", below(30));
	for (int i = 0; i < thread->depth - 1; i++) /* a cycle: in sys.modules already */
		if (!strcmp(thread->stack[i].name, load->name))
			snprintf(load->name, sizeof(load->name), "own%u", load->id);
	thread->depth--;
	load->is_waiter = is_open(plan, load->name);
	thread->depth++;
	if (!load->is_lock) {
		load->edge = ++plan->edge_cnt;
		tick(plan);
		stream_edge(&plan->s, plan->now_ns, load->edge, parent_id, 0, 0, 10,
			    2 * below(9), load->name);
	}
	tick(plan);
	if (load->is_lock)
		stream_begin(&plan->s, plan->now_ns, load->id, parent_id, PYI_SPAN_SEARCH,
			     load->name);
	else
		stream_find(&plan->s, plan->now_ns, load->id, parent_id, load->edge, load->name);
	plan->wait_cnt += load->is_waiter;
	if (load->is_waiter)
		return;
	plan->load_cnt++;
	tick(plan);
	stream_mark(&plan->s, plan->now_ns, load->id, PYI_MARK_NEW_MODULE);
	tick(plan);
	stream_body(&plan->s, plan->now_ns, load->id + 1, load->id, 0, 0x1000 + load->id,
		    load->name);
}

static void stop(struct plan *plan, struct thread *thread)
{
	struct running *load = &thread->stack[--thread->depth];
	const char *error = below(10) ? NULL : "ValueError";

	if (!load->is_waiter) {
		tick(plan);
		stream_fail(&plan->s, plan->now_ns, load->id + 1, error);
	}
	tick(plan);
	stream_fail(&plan->s, plan->now_ns, load->id,
		    load->is_lock || load->is_waiter ? NULL : error);
	if (load->edge) {
		tick(plan);
		stream_count(&plan->s, load->edge, 1 + below(5), 1);
	}
}

static void run_plan(unsigned int from_seed, unsigned int loss, int steps)
{
	struct plan plan = { .now_ns = 1000, .loss = loss, .next_id = 100 };

	seed = from_seed;
	stream_open(&plan.s);
	stream_exec(&plan.s, 500, 1, "p", 2);
	stream_code(&plan.s, 10, 0x10, "__main__", "", "/app/app.py", "<module>", 1, 9);
	for (int i = 0; i < steps; i++) {
		int n = below(THREADS);
		struct thread *thread = &plan.threads[n];

		plan.s.tid = 100 + n;
		if (thread->depth && (thread->depth == DEPTH_MAX || below(2)))
			stop(&plan, thread);
		else if (!thread->depth || !thread->stack[thread->depth - 1].is_waiter)
			start(&plan, thread);
		if (!below(200)) {
			tick(&plan);
			stream_fork(&plan.s, plan.now_ns, 1000 + i, 1000 + i);
		}
	}
	plan.s.is_dropping = false;
	stream_finish(&plan.s, plan.now_ns + 1);
	check_model(&plan.s);
	if (!loss) {
		CHECK(stream_process(&plan.s, 1)->load_cnt == plan.load_cnt);
		CHECK(stream_process(&plan.s, 1)->lock_waits == plan.wait_cnt);
	}
	if (unit_failed_cnt)
		fprintf(stderr, "seed %u loss %u\n", from_seed, loss);
	stream_close(&plan.s);
}

static void test_schedules(void)
{
	for (unsigned int i = 0; i < 150 && !unit_failed_cnt; i++)
		run_plan(i, i % 3 ? i % 40 * 5 : 0, 400);
}

/* ---- mutation: records of a real run, damaged ---- */

static void damage(unsigned char *record, size_t *size)
{
	static const __u32 odd[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xffff, 4096 };
	int times = 1 + below(4);

	while (times--) {
		size_t at = below(*size);

		switch (below(5)) {
		case 0: record[at] ^= 1 << below(8); break;
		case 1: record[at] = below(256); break;
		case 2:
			at &= ~(size_t)3;
			if (at + 4 <= *size)
				memcpy(record + at, &odd[below(7)], 4);
			break;
		case 3:
			*size = 1 + below(*size);
			break;
		case 4: /* keep it whole, change who it is about */
			if (*size > 36)
				record[32 + below(4)] = below(8);
			break;
		}
	}
}

struct tape {
	unsigned char *data[4096];
	size_t sz[4096], cnt;
};

static void tape_add(struct tape *tape, const void *record, size_t sz)
{
	tape->data[tape->cnt] = malloc(sz);
	memcpy(tape->data[tape->cnt], record, sz);
	tape->sz[tape->cnt++] = sz;
}

/* Any kind of record with plausible contents. */
static void tape_random(struct tape *tape)
{
	union { struct pyi_hdr hdr; unsigned char bytes[5000]; } rec = {};
	__u16 kind = below(14);
	size_t sz = 32 + below(below(3) ? 700 : 4900);

	if (kind == 13)
		kind = PYI_EV_EDGE_COUNT;
	for (size_t i = 32; i < sz; i++)
		rec.bytes[i] = below(3) ? 0 : below(12);
	rec.hdr = (struct pyi_hdr){ .kind = kind, .size = sz, .tgid = 100, .tid = 100 + below(3),
				    .proc = 1 + below(3), .ts_ns = below(100000),
				    .flags = below(4) ? 0 : below(128) };
	tape_add(tape, &rec, sz);
}

static void play(const struct tape *tape, unsigned int from_seed)
{
	struct stream s;

	seed = from_seed;
	stream_open(&s);
	for (size_t i = 0; i < tape->cnt; i++) {
		size_t at = below(20) ? i : below(tape->cnt), sz = tape->sz[at];
		unsigned char *copy = malloc(sz), *exact;

		memcpy(copy, tape->data[at], sz);
		if (!below(4))
			damage(copy, &sz);
		exact = malloc(sz); /* ASan sees what is read beyond it */
		memcpy(exact, copy, sz);
		CHECK(model__apply(s.model, exact, sz) == 0);
		free(exact);
		free(copy);
	}
	stream_finish(&s, 200000);
	check_model(&s);
	if (unit_failed_cnt)
		fprintf(stderr, "mutation seed %u\n", from_seed);
	stream_close(&s);
}

static void test_mutations(void)
{
	struct tape *tape = calloc(1, sizeof(*tape));

	seed = 99;
	while (tape->cnt < 1500)
		tape_random(tape);
	for (unsigned int i = 0; i < 120 && !unit_failed_cnt; i++)
		play(tape, i);
	for (size_t i = 0; i < tape->cnt; i++)
		free(tape->data[i]);
	free(tape);
}

/* Deeper than any C stack would allow a function that calls itself. */
static void test_deep(void)
{
	enum { DEEP = 20000 };
	struct stream s;
	char name[16];

	stream_open(&s);
	stream_exec(&s, 500, 1, "p", 2);
	for (__u32 i = 1; i <= DEEP; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		stream_find(&s, 1000 + i, i, i - 1, 0, name);
	}
	for (__u32 i = DEEP; i; i--)
		stream_end(&s, 100000 + 2 * (DEEP - i), i);
	stream_finish(&s, 1000000);
	check_model(&s);
	CHECK(stream_process(&s, 1)->load_cnt == DEEP && stream_process(&s, 1)->root_cnt == 1);
	stream_close(&s);
}

int main(void)
{
	RUN(test_schedules);
	RUN(test_mutations);
	RUN(test_deep);
	return unit_result();
}
