// SPDX-License-Identifier: BSD-2-Clause
/* Charges and stages: who pays for what was charged to a span, with and without what it imports. */
#include "charges.h"

#define CPU PYI_GROUP_CPU
#define FILES PYI_GROUP_FILES

/* outer (10, body 11) from 1000 to 9000; in it inner (20, body 21) from 2000 to 4000. */
static void load_both(struct stream *s)
{
	stream_open(s);
	stream_exec(s, 500, 1, "x", 2);
	stream_open_load(s, 1000, 10, 0, 0, 0, 0, "outer");
	stream_open_load(s, 2000, 20, 11, 0, 0, 0, "inner");
	stream_close_load(s, 4000, 20);
}

static void test_nesting(void)
{
	const struct load *outer, *inner;
	const struct process *process;
	struct stream s;

	load_both(&s);
	stream_close_load(&s, 9000, 10);
	charges_wait(&s, 10, 0, PYI_WAIT_DISK, 5);
	charges_wait(&s, 11, 10, PYI_WAIT_SLEEP, 100);
	charges_wait(&s, 21, 20, PYI_WAIT_DISK, 30);
	charges_wait(&s, PYI_OUTSIDE_MAIN, 0, PYI_WAIT_LOCK, 7);
	charges_wait(&s, PYI_OUTSIDE_OTHERS, 0, PYI_WAIT_LOCK, 9);
	charges_settled(&s, CPU);
	stream_exit(&s, 10000, 0);
	stream_finish(&s, 10000);
	process = stream_process(&s, 1);
	outer = stream_load(&s, 1, "outer", 0);
	inner = stream_load(&s, 1, "inner", 0);
	CHECK(outer->charge->wait_ns[PYI_WAIT_DISK] == 5);
	CHECK(outer->charge->wait_ns[PYI_WAIT_SLEEP] == 100);
	CHECK(outer->charge_all->wait_ns[PYI_WAIT_DISK] == 35);
	CHECK(inner->charge_all->wait_ns[PYI_WAIT_DISK] == 30);
	CHECK(outer->self_ns == 6000 && outer->self_cpu_ns == 6000 - 105);
	CHECK(outer->cpu_ns == 8000 - 135 && inner->cpu_ns == 2000 - 30);
	CHECK(process->outside.wait_ns[PYI_WAIT_LOCK] == 7);
	CHECK(process->outside_others.wait_ns[PYI_WAIT_LOCK] == 9);
	CHECK(charge_wait_ns(&process->total) == 5 + 100 + 30 + 7 + 9);
	CHECK(process->outside_ns == 9500 - 8000 && process->outside_cpu_ns == 1500 - 7);
	stream_close(&s);
}

/* More waits than time: nothing below zero. And what was not measured stays unknown. */
static void test_bounds(void)
{
	for (int is_measured = 0; is_measured < 2; is_measured++) {
		const struct load *outer;
		struct stream s;

		load_both(&s);
		stream_close_load(&s, 9000, 10);
		charges_wait(&s, 11, 10, PYI_WAIT_SLEEP, 100000);
		charges_settled(&s, is_measured ? CPU : FILES);
		stream_finish(&s, 10000);
		outer = stream_load(&s, 1, "outer", 0);
		CHECK(outer->self_cpu_ns == (is_measured ? 0 : NS_UNKNOWN));
		CHECK(outer->cpu_ns == (is_measured ? 0 : NS_UNKNOWN));
		stream_close(&s);
	}
}

/* Who a span belonged to is kept until its last charges have come, and not for ever. */
static void test_after_the_end(void)
{
	struct stream s;

	load_both(&s);
	charges_settled(&s, CPU);
	charges_wait(&s, 21, 20, PYI_WAIT_DISK, 30); /* ended, told after the first lot */
	charges_settled(&s, CPU);
	/* Nobody knows 21 any more: to whom it was in. */
	charges_wait(&s, 21, 11, PYI_WAIT_DISK, 1000);
	charges_wait(&s, 77, 78, PYI_WAIT_DISK, 4); /* nobody knows either */
	stream_close_load(&s, 9000, 10);
	stream_finish(&s, 10000);
	CHECK(stream_load(&s, 1, "inner", 0)->charge->wait_ns[PYI_WAIT_DISK] == 30);
	CHECK(stream_load(&s, 1, "outer", 0)->charge->wait_ns[PYI_WAIT_DISK] == 1000);
	CHECK(stream_process(&s, 1)->outside.wait_ns[PYI_WAIT_DISK] == 4);
	stream_close(&s);
}

/* import_module of what is there already is no load: its charge goes to the one around it. */
static void test_no_load_after_all(void)
{
	struct stream s;

	load_both(&s);
	stream_begin(&s, 5000, 30, 11, PYI_SPAN_SEARCH, "inner");
	stream_end(&s, 5500, 30);
	charges_wait(&s, 30, 11, PYI_WAIT_LOCK, 40);
	stream_close_load(&s, 9000, 10);
	charges_settled(&s, CPU);
	stream_finish(&s, 10000);
	CHECK(!stream_load(&s, 1, "inner", 1));
	CHECK(stream_load(&s, 1, "outer", 0)->charge->wait_ns[PYI_WAIT_LOCK] == 40);
	CHECK(!stream_load(&s, 1, "inner", 0)->charge->wait_ns[PYI_WAIT_LOCK]);
	stream_close(&s);
}

/* Found at +10, compiled from +20, its code begins at +30. */
static void test_stages_of_source(void)
{
	const struct load *inner;
	struct stream s;

	load_both(&s);
	stream_close_load(&s, 9000, 10);
	charges_path(&s, 100, "/lib/__pycache__/inner.cpython-311.pyc");
	charges_path(&s, 101, "/lib/__pycache__/inner.cpython-311.pyc.140");
	charges_path(&s, 102, "/lib/__pycache__/outer.cpython-311.pyc");
	charges_path(&s, 103, "/lib/__pycache__");
	charges_file(&s, 20, 100, (struct pyi_file_value){ .open_misses = 1, .opens = 1 });
	charges_file(&s, 20, 101, (struct pyi_file_value){ .opens = 1, .flags = PYI_FILE_WRITTEN });
	charges_file(&s, 10, 102, (struct pyi_file_value){ .opens = 1, .bytes_read = 50 });
	charges_file(&s, 10, 103, (struct pyi_file_value){ .flags = PYI_FILE_UNWRITABLE });
	charges_settled(&s, FILES);
	stream_finish(&s, 10000);
	inner = stream_load(&s, 1, "inner", 0);
	CHECK(inner->read_ns == 10 && inner->compile_ns == 10 && inner->unmarshal_ns == NS_UNKNOWN);
	CHECK(inner->compile_cause == COMPILE_MISSING && inner->pyc_fate == PYC_WRITTEN);
	CHECK(stream_load(&s, 1, "outer", 0)->compile_cause == COMPILE_STALE);
	CHECK(stream_load(&s, 1, "outer", 0)->pyc_fate == PYC_UNWRITABLE);
	stream_close(&s);
}

/* Nobody tried to write: known only where files were looked at. */
static void test_nobody_wrote(void)
{
	for (int is_measured = 0; is_measured < 2; is_measured++) {
		struct stream s;

		load_both(&s);
		stream_close_load(&s, 9000, 10);
		charges_settled(&s, is_measured ? FILES : CPU);
		stream_finish(&s, 10000);
		CHECK(stream_load(&s, 1, "inner", 0)->pyc_fate ==
		      (is_measured ? PYC_UNWRITTEN : PYC_UNKNOWN));
		CHECK(stream_load(&s, 1, "inner", 0)->compile_cause == COMPILE_UNKNOWN);
		stream_close(&s);
	}
}

/* Bytecode: read until the last call on its .pyc, then unmarshalled until its code begins. */
static void test_stages_of_bytecode(void)
{
	const __u64 last_ns[] = { 1400, 900, 1700 };

	for (size_t i = 0; i < 3; i++) {
		const struct load *load;
		struct stream s;

		stream_open(&s);
		stream_exec(&s, 500, 1, "x", 2);
		stream_find(&s, 1000, 10, 0, 0, "m");
		stream_mark(&s, 1100, 10, PYI_MARK_NEW_MODULE);
		stream_body(&s, 1600, 11, 10, 0, 0, "m");
		stream_close_load(&s, 9000, 10);
		charges_path(&s, 100, "/lib/__pycache__/m.cpython-311.pyc");
		charges_file(&s, 10, 100, (struct pyi_file_value){
			.opens = 1, .bytes_read = 80, .first_ns = 1050, .last_ns = last_ns[i] });
		charges_settled(&s, FILES);
		stream_finish(&s, 10000);
		load = stream_load(&s, 1, "m", 0);
		/* Before the module was found, or behind its start, it was not that reading. */
		CHECK(load->read_ns == (i ? NS_UNKNOWN : 300));
		CHECK(load->unmarshal_ns == (i ? NS_UNKNOWN : 200));
		CHECK(load->compile_ns == NS_UNKNOWN && load->pyc_fate == PYC_UNKNOWN);
		stream_close(&s);
	}
}

int main(void)
{
	RUN(test_nesting);
	RUN(test_bounds);
	RUN(test_after_the_end);
	RUN(test_no_load_after_all);
	RUN(test_stages_of_source);
	RUN(test_nobody_wrote);
	RUN(test_stages_of_bytecode);
	return unit_result();
}
