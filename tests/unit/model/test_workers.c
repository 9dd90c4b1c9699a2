// SPDX-License-Identifier: BSD-2-Clause
/* Processes among each other: what is inherited at fork, which did the same, numbers used twice. */
#include "stream.h"

static void be(struct stream *s, __u32 tgid, __u32 proc)
{
	s->tgid = s->tid = tgid;
	s->proc = proc;
}

/* A load of @wall_ns from @ts_ns on. */
static void load(struct stream *s, __u64 ts_ns, __u32 id, const char *name, __u64 wall_ns)
{
	stream_find(s, ts_ns, id, 0, 0, name);
	stream_mark(s, ts_ns + 1, id, PYI_MARK_NEW_MODULE);
	stream_end(s, ts_ns + wall_ns, id);
}

/* A master that loads two modules, forks three workers, loads one more, forks a fourth. */
static void serve(struct stream *s)
{
	stream_open(s);
	stream_exec(s, 1000, 50, "server\0-w\0004", 12);
	load(s, 2000, 1, "a", 100);
	load(s, 2200, 2, "b", 100);
	for (__u32 i = 0; i < 3; i++)
		stream_fork(s, 3000 + i, 201 + i, 11 + i);
	load(s, 4000, 3, "c", 100);
	stream_fork(s, 5000, 204, 14);
	for (__u32 i = 0; i < 4; i++) {
		be(s, 201 + i, 11 + i);
		load(s, 6000 + 1000 * i, 20 + i, "app", 100 * (3 - i % 3));
	}
}

static void test_inherited(void)
{
	struct stream s;

	serve(&s);
	load(&s, 20000, 30, "a", 50); /* a reload of what it had */
	stream_fork(&s, 21000, 300, 20);
	stream_finish(&s, 30000);
	CHECK(stream_process(&s, 1)->inherited_cnt == ~0u);
	CHECK(stream_process(&s, 11)->inherited_cnt == 2);
	CHECK(stream_process(&s, 14)->inherited_cnt == 3);
	CHECK(stream_process(&s, 20)->inherited_cnt == 4); /* a b c, app; a once */
	stream_close(&s);
}

static void test_same(void)
{
	struct group *group;
	struct stream s;

	serve(&s);
	stream_finish(&s, 30000);
	group = stream_process(&s, 11)->group;
	CHECK(model__group_cnt(s.model) == 2 && group->member_cnt == 4);
	CHECK(group->parent == stream_process(&s, 1)->group && group->parent->member_cnt == 1);
	CHECK(group->id == 2 && model__group(s.model, 1) == group && !model__group(s.model, 2));
	/* 300, 200, 100 and 300: the quicker one of the two in the middle. */
	CHECK(group->members[0]->own_ns == 100 && group->members[3]->own_ns == 300);
	CHECK(group->typical->own_ns == 200 && group->typical->serial == 12);
	CHECK(stream_process(&s, 1)->own_ns == 300);
	stream_close(&s);
}

/* Each differs from the others in one thing. */
static void test_different(void)
{
	struct stream s;

	serve(&s);
	be(&s, 202, 12);
	load(&s, 15000, 40, "late", 10);
	be(&s, 203, 13);
	stream_exit(&s, 16000, 9);
	be(&s, 204, 14);
	stream_exit(&s, 16000, 0);
	be(&s, 100, 1);
	stream_fork(&s, 17000, 205, 15); /* loads nothing */
	be(&s, 205, 16);
	stream_exec(&s, 18000, 100, "other\0-w\0004", 11);
	load(&s, 19000, 41, "app", 300);
	stream_finish(&s, 30000);
	CHECK(stream_process(&s, 11)->group->member_cnt == 2); /* running, or ended with 0 */
	CHECK(stream_process(&s, 11)->group == stream_process(&s, 14)->group);
	for (__u32 serial = 12; serial <= 16; serial++)
		if (serial != 14)
			CHECK(stream_process(&s, serial)->group->member_cnt == 1);
	CHECK(stream_process(&s, 15)->own_ns == 0);
	stream_close(&s);
}

/* Spawned workers have descriptors in their arguments; what they ran must still be the same. */
static void test_numbers_in_arguments(void)
{
	static const char *const args[] = {
		"py\0spawn(5, 17)\0000", "py\0spawn(12, 8)\0001", "py\0spawn(12, x)\0001",
	};
	struct stream s;

	stream_open(&s);
	for (__u32 i = 0; i < 3; i++) {
		be(&s, 400 + i, 5 + i);
		stream_exec(&s, 1000 * (i + 1), 50, args[i], 18);
	}
	stream_finish(&s, 30000);
	CHECK(stream_process(&s, 5)->group == stream_process(&s, 6)->group);
	CHECK(stream_process(&s, 5)->group != stream_process(&s, 7)->group);
	stream_close(&s);
}

/* The same number, and nothing of the first process is the second's. */
static void test_pid_used_twice(void)
{
	struct stream s;

	stream_open(&s);
	stream_exec(&s, 1000, 50, "one", 4);
	stream_find(&s, 2000, 1, 0, 0, "open_forever");
	stream_exit(&s, 3000, 0);
	be(&s, 100, 2);
	stream_exec(&s, 4000, 50, "two", 4);
	load(&s, 5000, 2, "second", 10);
	stream_fork(&s, 6000, 101, 3);
	stream_finish(&s, 30000);
	CHECK(model__process_cnt(s.model) == 3);
	CHECK(stream_process(&s, 1)->load_cnt == 1 && stream_process(&s, 2)->load_cnt == 1);
	CHECK(stream_load(&s, 1, "open_forever", 0)->result == LOAD_UNFINISHED);
	CHECK(stream_process(&s, 1)->own_ns == NS_UNKNOWN);
	CHECK(stream_process(&s, 2)->end_ns == NS_UNKNOWN && stream_process(&s, 1)->end_ns == 3000);
	CHECK(stream_process(&s, 3)->parent == stream_process(&s, 2));
	CHECK(stream_process(&s, 3)->inherited_cnt == 1);
	stream_close(&s);
}

/* Children of parents that are alike are alike, however many levels deep. */
static void test_trees(void)
{
	struct stream s;

	stream_open(&s);
	stream_exec(&s, 1000, 50, "top", 4);
	for (__u32 i = 0; i < 10; i++) {
		be(&s, 100, 1);
		stream_fork(&s, 2000 + i, 110 + i, 10 + i);
		be(&s, 110 + i, 10 + i);
		stream_fork(&s, 3000 + i, 120 + i, 20 + i);
		be(&s, 120 + i, 20 + i);
		load(&s, 4000 + i, 100 + i, i % 2 ? "odd" : "even", 10);
	}
	stream_finish(&s, 30000);
	CHECK(model__group_cnt(s.model) == 4);
	CHECK(stream_process(&s, 10)->group->member_cnt == 10);
	CHECK(stream_process(&s, 20)->group->member_cnt == 5);
	CHECK(stream_process(&s, 20)->group != stream_process(&s, 21)->group);
	CHECK(stream_process(&s, 21)->group->parent == stream_process(&s, 10)->group);
	stream_close(&s);
}

int main(void)
{
	RUN(test_inherited);
	RUN(test_same);
	RUN(test_different);
	RUN(test_numbers_in_arguments);
	RUN(test_pid_used_twice);
	RUN(test_trees);
	return unit_result();
}
