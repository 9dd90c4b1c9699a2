// SPDX-License-Identifier: BSD-2-Clause
/* When a start-up is over, what it is made of, and what we held it for. */
#include <string.h>

#include "stream.h"

#define MS 1000000ULL

static void load(struct stream *s, __u64 from_ns, __u64 to_ns, __u32 id, __u32 parent,
		 const char *name)
{
	stream_open_load(s, from_ns, id, parent, 0, 1, 0x9000 + id, name);
	stream_close_load(s, to_ns, id);
}

static void check_sum(const struct startup *startup)
{
	CHECK(startup->images_ns + startup->interpreter_ns + startup->imports_ns +
	      startup->own_ns == startup->wall_ns);
	CHECK(startup->wall_ns + startup->held_ns == startup->end_ns - startup->begin_ns);
	CHECK(startup->site_ns <= startup->interpreter_ns);
	CHECK(startup->program_ns <= startup->own_ns);
}

/* Exec at 0, site from 5 to 8, at 10 the program may run, at 12 it does; ids 1 and 2 are taken. */
static void begin(struct stream *s)
{
	stream_open(s);
	stream_code(s, 1, 0x9000, "m", "", "/m.py", "<module>", 1, 3);
	stream_exec(s, 1 * MS, 1, "x", 2);
	load(s, 6 * MS, 9 * MS, 1, 0, "site");
	stream_mark(s, 11 * MS, 0, PYI_MARK_RUN_MAIN);
	stream_body(s, 13 * MS, 2, 0, 1, 0x9000, "__main__");
}

static const struct startup *finish(struct stream *s, __u64 end_ns)
{
	CHECK(!model__finish(s->model, end_ns));
	return &model__process(s->model, 0)->startup;
}

/* Both sides of the rule: a second to the nanosecond, and one more. */
static void test_gap(void)
{
	const struct startup *startup;

	for (__u64 more = 0; more < 2; more++) {
		struct stream s;

		begin(&s);
		load(&s, 20 * MS, 50 * MS, 10, 2, "a");
		load(&s, 50 * MS + STARTUP_GAP_NS + more, 60 * MS + STARTUP_GAP_NS + more, 11, 2,
		     "b");
		startup = finish(&s, 9000 * MS);
		CHECK(startup->by == STARTUP_IMPORTS && startup->begin_ns == 1 * MS);
		CHECK(startup->end_ns == (more ? 50 * MS : 60 * MS + STARTUP_GAP_NS));
		CHECK(startup->interpreter_ns == 10 * MS && startup->site_ns == 3 * MS);
		CHECK(startup->program_ns == 2 * MS);
		CHECK(startup->imports_ns == (more ? 30 : 40) * MS);
		CHECK(!startup->held_ns && !startup->images_ns);
		check_sum(startup);
		stream_close(&s);
	}
}

/* The trace ended before a second had gone by: it may have gone on. */
static void test_cut(void)
{
	const struct startup *startup;
	struct stream s;

	begin(&s);
	load(&s, 20 * MS, 50 * MS, 10, 2, "a");
	startup = finish(&s, 500 * MS);
	CHECK(startup->by == STARTUP_CUT && startup->end_ns == 50 * MS);
	stream_close(&s);

	begin(&s);
	stream_open_load(&s, 20 * MS, 10, 2, 0, 1, 0x9999, "a");
	stream_exit(&s, 90 * MS, 9);
	startup = finish(&s, 5000 * MS);
	CHECK(startup->by == STARTUP_CUT);
	check_sum(startup);
	stream_close(&s);
}

/* Held while it maps a library, in an import and beside one: in no part, and no gap. */
static void test_held(void)
{
	struct hold_info hold = { .tgid = 100, .path = "/l.so", .start_ns = 30 * MS,
				  .wall_ns = 15 * MS };
	const struct startup *startup;
	struct stream s;

	begin(&s);
	CHECK(!model__add_hold(s.model, &hold));
	hold.start_ns = 60 * MS;
	hold.wall_ns = STARTUP_GAP_NS;
	CHECK(!model__add_hold(s.model, &hold));
	hold.tgid = 101;
	CHECK(!model__add_hold(s.model, &hold));
	/* Before its exec was done: no time of this image. */
	hold = (struct hold_info){ .tgid = 100, .path = "/l.so", .is_exec = true, .start_ns = 1,
				   .wall_ns = 1 };
	CHECK(!model__add_hold(s.model, &hold));
	load(&s, 20 * MS, 50 * MS, 10, 2, "a");
	load(&s, 70 * MS + STARTUP_GAP_NS, 75 * MS + STARTUP_GAP_NS, 11, 2, "b");
	startup = finish(&s, 9000 * MS);
	CHECK(startup->end_ns == 75 * MS + STARTUP_GAP_NS);
	CHECK(startup->held_ns == 15 * MS + STARTUP_GAP_NS);
	CHECK(startup->imports_ns == 20 * MS && startup->own_ns == 29 * MS);
	check_sum(startup);
	CHECK(process_since_ns(model__process(s.model, 0), 31 * MS) == 29 * MS);
	stream_close(&s);
}

/* An image that replaces itself, and one that does so when it had long started. */
static void test_images(void)
{
	for (__u64 wait_ms = 100; wait_ms < 3000; wait_ms += 2000) {
		const struct process *first, *second;
		struct stream s;

		begin(&s);
		load(&s, 20 * MS, 50 * MS, 10, 2, "a");
		s.proc = 2;
		stream_exec(&s, wait_ms * MS, 1, "x", 2);
		stream_mark(&s, (wait_ms + 10) * MS, 0, PYI_MARK_RUN_MAIN);
		load(&s, (wait_ms + 15) * MS, (wait_ms + 20) * MS, 12, 0, "b");
		CHECK(!model__finish(s.model, 9000 * MS));
		first = model__process(s.model, 0);
		second = model__process(s.model, 1);
		CHECK((first->next == second) == (wait_ms == 100));
		CHECK(second->startup.images_ns == (wait_ms == 100 ? 99 * MS : 0));
		CHECK(second->startup.wall_ns == (wait_ms == 100 ? 119 * MS : 20 * MS));
		check_sum(&second->startup);
		check_sum(&first->startup);
		stream_close(&s);
	}
}

int main(void)
{
	RUN(test_gap);
	RUN(test_cut);
	RUN(test_held);
	RUN(test_images);
	return unit_result();
}
