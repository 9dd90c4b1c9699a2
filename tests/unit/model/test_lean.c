// SPDX-License-Identifier: BSD-2-Clause
/* A model that forgets what has ended: memory, what is told before, and what goes on working. */
#include <malloc.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/allocator_interface.h>
#endif

#include "charges.h"

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

/* One program of a second: 200 loads, one shared object. */
static void run_one(struct stream *s, __u32 serial)
{
	__u64 ts_ns = serial * SECOND_NS;
	__u32 id = serial * 1000;

	s->proc = serial;
	s->tgid = s->tid = 100 + serial % 50; /* pids are used again */
	stream_exec(s, ts_ns, 1, "x", 2);
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

int main(void)
{
	RUN(test_never);
	RUN(test_watched);
	RUN(test_lost_exit);
	RUN(test_fork_is_watched);
	return unit_result();
}
