// SPDX-License-Identifier: BSD-2-Clause
/* A model that forgets what has ended: memory, what is told before, and what goes on working. */
#include <malloc.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/allocator_interface.h>
#endif

#include "charges.h"
#include "pyimport_phase.h"
#include "model/tree/late_imports.h"

#define SECOND_NS 1000000000ULL
#define VALUE(...) ((struct pyi_file_value){ __VA_ARGS__ })

static size_t allocated_bytes(void)
{
#ifdef __SANITIZE_ADDRESS__
	return __sanitizer_get_current_allocated_bytes();
#else
	return mallinfo2().uordblks;
#endif
}

struct told {
	size_t ends, mapped;
};

static int on_mapped(void *ctx, const struct process *process, const char *path)
{
	struct told *told = ctx;

	told->mapped += process->serial && !strcmp(path, "/lib/m.so");
	return 0;
}

static void on_end(void *ctx, struct model *part)
{
	struct told *told = ctx;

	told->ends++;
	CHECK(model__each_mapped(part, on_mapped, told) == 0);
}

static void open_lean(struct stream *s, struct told *told, bool is_watched)
{
	const struct model_lean lean = { .is_watched = is_watched, .on_end = on_end, .ctx = told };

	*told = (struct told){};
	stream_open(s);
	CHECK(model__set_lean(s->model, &lean) == 0);
	charges_path(s, 100, "/lib/m.so"); /* told once per trace */
}

static void put_python(struct stream *s, __u64 ts_ns)
{
	struct pyi_python rec = { .hdr = stream_hdr(s, PYI_EV_PYTHON, sizeof(rec), ts_ns) };

	stream_apply(s, &rec, sizeof(rec));
}

/* One program of a second: 200 loads, one shared object. */
static void run_one(struct stream *s, __u32 serial)
{
	__u64 ts_ns = serial * SECOND_NS;
	__u32 id = serial * 1000;

	s->proc = serial;
	s->tgid = s->tid = 100 + serial % 50; /* pids are used again */
	stream_exec(s, ts_ns, 1, "x", 2);
	put_python(s, ts_ns);
	for (__u32 i = 0; i < 200; i++) {
		stream_open_load(s, ts_ns + i, id + 2 * i + 1, 0, 0, 5, 0x50, "m");
		stream_close_load(s, ts_ns + i, id + 2 * i + 1);
	}
	charges_file(s, 0, 100, VALUE(.first_ns = ts_ns, .flags = PYI_FILE_EXEC, .ino = 7,
				      .size = 50, .mapped = 50));
	stream_exit(s, ts_ns + SECOND_NS / 2, 0);
}

static void test_memory(bool is_watched)
{
	struct stream s;
	struct told told;
	size_t before = 0;

	open_lean(&s, &told, is_watched);
	for (__u32 serial = 1; serial <= 1000; serial++) {
		run_one(&s, serial);
		if (serial == 100)
			before = allocated_bytes();
	}
	CHECK(told.ends > 980 && told.ends < 1000); /* the last few seconds linger */
	CHECK(before > 10000 && allocated_bytes() < before + 65536);
	stream_finish(&s, 2000 * SECOND_NS);
	CHECK(told.ends == 1000 && told.mapped == 1000);
	stream_close(&s);
}

static void test_never(void)
{
	test_memory(false);
}

static void test_watched(void)
{
	test_memory(true);
}

/* Whose exit was lost has ended when its pid is used again; what comes late is nobody's. */
static void test_lost_exit(void)
{
	size_t processes, loads;
	const char *current;
	struct stream s;
	struct told told;

	open_lean(&s, &told, false);
	stream_exec(&s, SECOND_NS, 1, "x", 2);
	s.proc = 2;
	stream_exec(&s, 2 * SECOND_NS, 1, "x", 2);
	stream_exec(&s, 20 * SECOND_NS, 1, "x", 2);
	CHECK(told.ends == 1);
	s.proc = 1;
	charges_file(&s, 0, 100, VALUE(.first_ns = SECOND_NS, .flags = PYI_FILE_EXEC));
	s.proc = 2;
	stream_exec(&s, 40 * SECOND_NS, 1, "x", 2);
	CHECK(told.ends == 1 && !told.mapped);
	model__progress(s.model, &processes, &loads, &current);
	CHECK(!processes && !loads);
	stream_finish(&s, 50 * SECOND_NS);
	CHECK(told.ends == 2);
	stream_close(&s);
}

/* A worker that is forked while its parent imports ends that import in its own name. */
static void test_fork_is_watched(void)
{
	struct stream s;
	struct told told;
	struct load load;

	open_lean(&s, &told, true);
	stream_exec(&s, 1000, 1, "x", 2);
	stream_open_load(&s, 2000, 10, 0, 0, 5, 0x50, "outer");
	stream_fork(&s, 3000, 200, 2);
	stream_exit(&s, 4000, 0);
	s.proc = 2;
	s.tgid = s.tid = 200;
	stream_end(&s, 5000, 11);
	stream_end(&s, 6000, 10);
	CHECK(model__ended(s.model, &load) && !strcmp(load.module, "outer"));
	CHECK(load.process->tgid == 200 && !told.ends);
	stream_finish(&s, 7000);
	CHECK(told.ends == 1);
	stream_close(&s);
}

struct folded {
	size_t starts, tails, late_imports;
	__u64 read_bytes, wall_ns, ready_ns;
	enum startup_end by;
	char program[16];
};

static void on_fold(void *ctx, struct model *part, bool is_tail)
{
	struct folded *folded = ctx;

	folded->tails += is_tail;
	for (size_t i = 0; i < model__process_cnt(part); i++) {
		const struct process *process = model__process(part, i);
		struct late_imports late;

		if (is_tail && late_find(process, &late))
			folded->late_imports += late.cnt;
		if (is_tail || process->is_late || !process->is_python || process->next)
			continue;
		folded->starts++;
		folded->by = process->startup.by;
		folded->wall_ns = process->startup.wall_ns;
		folded->ready_ns = process->ready_ns;
		snprintf(folded->program, sizeof(folded->program), "%s",
			 process->argc ? process->argv[0] : "");
		for (size_t k = 0; k < process->load_cnt; k++)
			folded->read_bytes += process->loads[k]->charge->bytes_read;
	}
}

static void open_folded(struct stream *s, struct folded *folded)
{
	const struct model_lean lean = { .on_fold = on_fold, .ctx = folded };

	*folded = (struct folded){};
	stream_open(s);
	CHECK(model__set_lean(s->model, &lean) == 0);
}

static void put_read(struct stream *s, __u32 span, __u64 bytes)
{
	struct pyi_charge_record rec = { .hdr = stream_hdr(s, PYI_EV_CHARGE, sizeof(rec), 0),
					 .span = span, .charge.bytes_read = bytes };

	stream_apply(s, &rec, sizeof(rec));
}

static void put_ready(struct stream *s, __u64 ts_ns)
{
	struct pyi_phase rec = { .hdr = stream_hdr(s, PYI_EV_PHASE, sizeof(rec), ts_ns),
				 .phase = PYI_PHASE_READY };

	stream_apply(s, &rec, sizeof(rec));
}

/* One load that reads 300 bytes, from 1.0 to 1.2 s of a program that began at 0.9. */
static void start_program(struct stream *s)
{
	stream_exec(s, 900000000, 1, "x", 2);
	put_python(s, 950000000);
	stream_open_load(s, SECOND_NS, 10, 0, 0, 5, 0x50, "m");
	stream_close_load(s, 1200000000, 10);
	put_read(s, 10, 300);
	charges_settled(s, PYI_GROUP_FILES);
}

/* A script is told when it has ended and its charges have come. */
static void test_fold_ended(void)
{
	struct folded folded;
	struct stream s;

	open_folded(&s, &folded);
	start_program(&s);
	stream_exit(&s, 2 * SECOND_NS, 0);
	model__fold(s.model, 3 * SECOND_NS);
	CHECK(!folded.starts);
	model__fold(s.model, 8 * SECOND_NS);
	CHECK(folded.starts == 1 && folded.by == STARTUP_IMPORTS);
	CHECK(folded.wall_ns == 300000000 && folded.read_bytes == 300);
	stream_finish(&s, 9 * SECOND_NS);
	CHECK(folded.starts == 1 && !folded.tails);
	stream_close(&s);
}

/* A service is told while it lives; what it imports then is late, and told by itself. */
static void test_fold_living(void)
{
	struct folded folded;
	struct stream s;

	open_folded(&s, &folded);
	start_program(&s);
	put_ready(&s, 3 * SECOND_NS);
	model__fold(s.model, 4 * SECOND_NS);
	model__fold(s.model, 20 * SECOND_NS);
	CHECK(folded.starts == 1 && folded.by == STARTUP_READY);
	CHECK(folded.wall_ns == 2100000000 && folded.ready_ns == 3 * SECOND_NS);
	stream_open_load(&s, 30 * SECOND_NS, 20, 0, 0, 5, 0x60, "late");
	stream_close_load(&s, 31 * SECOND_NS, 20);
	model__fold(s.model, 32 * SECOND_NS);
	model__fold(s.model, 50 * SECOND_NS);
	CHECK(folded.starts == 1 && folded.tails == 1 && folded.late_imports == 1);
	stream_exit(&s, 60 * SECOND_NS, 0);
	stream_finish(&s, 70 * SECOND_NS);
	CHECK(folded.starts == 1 && folded.late_imports == 1);
	stream_close(&s);
}

/* One that is never ready is told a minute after its run of imports. */
static void test_fold_unready(void)
{
	struct folded folded;
	struct stream s;

	open_folded(&s, &folded);
	start_program(&s);
	model__fold(s.model, 50 * SECOND_NS);
	model__fold(s.model, 58 * SECOND_NS);
	CHECK(!folded.starts);
	model__fold(s.model, 63 * SECOND_NS);
	model__fold(s.model, 70 * SECOND_NS);
	CHECK(folded.starts == 1 && folded.by == STARTUP_IMPORTS && folded.wall_ns == 300000000);
	stream_finish(&s, 80 * SECOND_NS);
	stream_close(&s);
}

/* A program that replaces itself is one start-up; a forked worker has the name of its parent. */
static void test_fold_images(void)
{
	struct folded folded;
	struct stream s;

	open_folded(&s, &folded);
	start_program(&s);
	s.proc = 2;
	stream_exec(&s, 1300000000, 1, "x", 2);
	put_python(&s, 1350000000);
	stream_open_load(&s, 1400000000, 20, 0, 0, 5, 0x60, "m");
	stream_close_load(&s, 1600000000, 20);
	stream_fork(&s, 5 * SECOND_NS, 200, 3);
	stream_exit(&s, 6 * SECOND_NS, 0);
	model__fold(s.model, 20 * SECOND_NS);
	CHECK(folded.starts == 1 && folded.wall_ns == 700000000);
	s.proc = 3;
	s.tgid = s.tid = 200;
	put_ready(&s, 21 * SECOND_NS);
	model__fold(s.model, 22 * SECOND_NS);
	model__fold(s.model, 40 * SECOND_NS);
	CHECK(folded.starts == 2 && folded.wall_ns == 16 * SECOND_NS && !strcmp(folded.program, "x"));
	stream_finish(&s, 50 * SECOND_NS);
	stream_close(&s);
}

/* Whatever starts and ends, and goes on importing, memory stays. */
static void test_fold_memory(void)
{
	struct folded folded;
	size_t before = 0;
	struct stream s;

	open_folded(&s, &folded);
	for (__u32 serial = 1; serial <= 1000; serial++) {
		run_one(&s, serial);
		model__fold(s.model, serial * SECOND_NS + SECOND_NS / 2);
		if (serial == 100)
			before = allocated_bytes();
	}
	CHECK(folded.starts > 980 && allocated_bytes() < before + 65536);
	s.proc = 2000;
	s.tgid = s.tid = 5000;
	stream_exec(&s, 2000 * SECOND_NS, 1, "x", 2);
	put_python(&s, 2000 * SECOND_NS);
	for (__u32 i = 0; i < 200; i++) {
		__u64 ts_ns = (2001 + i * 40) * SECOND_NS;

		for (__u32 k = 0; k < 500; k++) {
			stream_open_load(&s, ts_ns + k, 100000 + 1000 * i + k, 0, 0, 5, 0x50, "m");
			stream_close_load(&s, ts_ns + k, 100000 + 1000 * i + k);
		}
		model__fold(s.model, ts_ns + 2 * SECOND_NS);
		model__fold(s.model, ts_ns + 20 * SECOND_NS);
		if (i == 20)
			before = allocated_bytes();
	}
	CHECK(folded.tails > 190 && allocated_bytes() < before + 65536);
	stream_finish(&s, 20000 * SECOND_NS);
	stream_close(&s);
}

int main(void)
{
	RUN(test_fold_ended);
	RUN(test_fold_living);
	RUN(test_fold_unready);
	RUN(test_fold_images);
	RUN(test_fold_memory);
	RUN(test_never);
	RUN(test_watched);
	RUN(test_lost_exit);
	RUN(test_fork_is_watched);
	return unit_result();
}
