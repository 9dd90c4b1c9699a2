// SPDX-License-Identifier: BSD-2-Clause
/* What tracing took of the times: taken off, added up, and left alone where it is not sure. */
#include <string.h>

#include "stream.h"
#include "charges.h"

#define MS 1000000ULL

static const struct price_info price = { .trap_ns = 1000, .step_ns = 9000, .end_trap_ns = 2000,
					 .end_step_ns = 9000, .call_ns = 100 };

/* A load whose thread had spent these counts when it began and when it ended. */
static void begin(struct stream *s, __u64 at_ns, __u32 id, __u32 parent, const char *name,
		  struct pyi_spent spent)
{
	struct {
		struct pyi_begin rec;
		char text[64];
	} begin = { .rec = {
		.hdr = { .kind = PYI_EV_BEGIN, .size = sizeof(begin.rec) + strlen(name),
			 .tgid = 100, .tid = 100, .proc = 1, .ts_ns = at_ns },
		.id = id, .parent = parent, .span = PYI_SPAN_FIND, .spent = spent,
		.name = { .sz = strlen(name), .kind = 1, .is_ascii = 1 },
	} };

	memcpy(begin.rec.text, name, strlen(name));
	CHECK(!model__apply(s->model, &begin, begin.rec.hdr.size));
}

static void end(struct stream *s, __u64 at_ns, __u32 id, struct pyi_spent spent)
{
	struct pyi_end rec = {
		.hdr = { .kind = PYI_EV_END, .size = sizeof(rec), .tgid = 100, .tid = 100,
			 .proc = 1, .ts_ns = at_ns },
		.id = id, .span = PYI_SPAN_FIND, .spent = spent,
	};

	CHECK(!model__apply(s->model, &rec, sizeof(rec)));
}

/* b inside a: 10 ms and 4 ms; tracing took 0.8 ms of a by itself and 1.75 of b. */
static const struct process *trace(struct stream *s, const struct price_info *info, bool is_raw,
				   __u64 wait_ns)
{
	const struct process *process;

	stream_open(s);
	stream_exec(s, 1 * MS, 1, "x", 2);
	if (is_raw)
		model__set_as_measured(s->model);
	if (info)
		model__set_price(s->model, info);
	begin(s, 10 * MS, 1, 0, "a", (struct pyi_spent){ .traps = 7 });
	begin(s, 12 * MS, 2, 1, "b", (struct pyi_spent){ .traps = 207, .bpf_ns = 100000 });
	end(s, 16 * MS, 2, (struct pyi_spent){ .traps = 707, .steps = 50, .calls = 500,
					       .bpf_ns = 600000 });
	end(s, 20 * MS, 1, (struct pyi_spent){ .traps = 907, .steps = 50, .calls = 500,
					       .bpf_ns = 700000 });
	if (wait_ns) {
		charges_wait(s, 2, 1, PYI_WAIT_RUNQUEUE, wait_ns);
		charges_settled(s, PYI_GROUP_CPU);
	}
	CHECK(!model__finish(s->model, 30 * MS));
	process = model__process(s->model, 0);
	CHECK(process->load_cnt == 2);
	return process;
}

static void test_taken_off(void)
{
	struct stream s;
	const struct process *process = trace(&s, &price, false, 0);
	const struct load *a = process->loads[0], *b = process->loads[1];

	/* Traps 1,500 each, the mean of both prices. */
	CHECK(b->overhead_ns == 500 * 1500 + 50 * 9000 + 500 * 100 + 500000);
	CHECK(b->overhead_total_ns == b->overhead_ns);
	CHECK(a->overhead_ns == 400 * 1500 + 200000);
	CHECK(a->overhead_total_ns == a->overhead_ns + b->overhead_ns);
	CHECK(b->wall_ns == 4 * MS - b->overhead_ns && b->self_ns == b->wall_ns);
	CHECK(a->wall_ns == 10 * MS - a->overhead_total_ns);
	CHECK(a->self_ns == a->wall_ns - b->wall_ns);
	CHECK(load_end_ns(a) == 20 * MS && load_end_ns(b) == 16 * MS);
	CHECK(process->overhead.total_ns == a->overhead_total_ns + 7 * 1500);
	CHECK(process->overhead.own_ns == 7 * 1500);
	CHECK(process->startup.wall_ns + process_startup_overhead_ns(process) ==
	      process->startup_measured.wall_ns);
	CHECK(process->startup.imports_ns == a->wall_ns);
	CHECK(process->startup_measured.imports_ns == 10 * MS);
	stream_close(&s);
}

static void test_as_measured(void)
{
	struct stream s;
	const struct process *process = trace(&s, &price, true, 0);
	const struct load *a = process->loads[0];

	CHECK(a->wall_ns == 10 * MS && a->self_ns == 6 * MS && a->overhead_ns == 800000);
	CHECK(load_end_ns(a) == 20 * MS && process->startup.imports_ns == 10 * MS);
	stream_close(&s);
}

static void check_raw(const struct price_info *info)
{
	struct stream s;
	const struct process *process = trace(&s, info, false, 0);

	CHECK(!process->overhead.is_known);
	CHECK(process->loads[0]->wall_ns == 10 * MS && !process->loads[0]->overhead_total_ns);
	stream_close(&s);
}

/* An old capture; one made where probes cannot be measured; a price that changed. */
static void test_unsure(void)
{
	struct price_info changed = price;

	changed.end_trap_ns = 2 * price.trap_ns + 1;
	CHECK(price_has_changed(&changed) && !price_has_changed(&price));
	check_raw(NULL);
	check_raw(&(struct price_info){ .call_ns = 100 });
	check_raw(&changed);
}

/* Prices and counts from a hostile capture: never more than the time itself. */
static void test_too_much(void)
{
	struct price_info dear = { .trap_ns = ~0ULL / 3, .step_ns = ~0ULL, .call_ns = ~0ULL };
	struct stream s;
	const struct process *process = trace(&s, &dear, false, 0);

	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		CHECK(load->overhead_ns <= 6 * MS && load->overhead_total_ns <= 10 * MS);
		CHECK(load->wall_ns <= 10 * MS && load->self_ns <= load->wall_ns);
	}
	stream_close(&s);
}

/* Our programs' clock goes on while they are preempted; that is a wait, and taken off only once. */
static void test_preempted(void)
{
	struct stream s;
	const struct process *process = trace(&s, &price, false, 3 * MS);
	const struct load *b = process->loads[1];

	CHECK(b->overhead_ns == 1 * MS && b->wall_ns == 3 * MS && b->cpu_ns == 0);
	stream_close(&s);
}

int main(void)
{
	RUN(test_preempted);
	RUN(test_taken_off);
	RUN(test_as_measured);
	RUN(test_unsure);
	RUN(test_too_much);
	return unit_result();
}
