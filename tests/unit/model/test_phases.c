// SPDX-License-Identifier: BSD-2-Clause
/* Phases and readiness in the model; when --until-ready and --until-idle end a trace. */
#include <string.h>

#include "report/report.h"
#include "trace/until.h"
#include "stream.h"
#include "pyimport_phase.h"

#define MS 1000000ULL

static struct pyi_phase phase_rec(const struct stream *s, __u64 ts_ns, __u32 phase, __u32 call)
{
	return (struct pyi_phase){ .hdr = stream_hdr(s, PYI_EV_PHASE, sizeof(struct pyi_phase),
						     ts_ns),
				   .phase = phase, .call = call, .family = 2, .port = 80 };
}

static void send_phase(struct stream *s, __u64 ts_ns, __u32 phase, __u32 call)
{
	struct pyi_phase rec = phase_rec(s, ts_ns, phase, call);

	stream_apply(s, &rec, sizeof(rec));
}

static void send_python(struct stream *s, __u64 ts_ns)
{
	struct pyi_python rec = { .hdr = stream_hdr(s, PYI_EV_PYTHON, sizeof(rec), ts_ns) };

	stream_apply(s, &rec, sizeof(rec));
}

static const struct phase *find(const struct process *process, const char *name)
{
	for (size_t i = 0; i < process->phase_cnt; i++)
		if (!strcmp(process->phases[i].name, name))
			return &process->phases[i];
	return NULL;
}

/* The first of each counts; ends come in order; nothing is there that was not seen. */
static void test_service(void)
{
	const struct process *process;
	struct stream s;

	stream_open(&s);
	stream_exec(&s, 1000, 1, "x", 2);
	send_phase(&s, 2000, PYI_PHASE_LISTEN, PYI_PHASE_CALL_LISTEN);
	send_phase(&s, 3000, PYI_PHASE_READY, PYI_PHASE_CALL_POLL);
	send_phase(&s, 3500, PYI_PHASE_READY, PYI_PHASE_CALL_ACCEPT);
	send_phase(&s, 3600, 77, 99);
	CHECK(!model__finish(s.model, 9000));
	process = model__process(s.model, 0);
	CHECK(process->listen_ns == 2000 && process->listen_port == 80);
	CHECK(process->ready_ns == 3000 && !strcmp(process->ready_by, "poll"));
	CHECK(process->accept_ns == NS_UNKNOWN && !find(process, "accept"));
	CHECK(find(process, "ready") && find(process, "ready")->start_ns == 3000);
	CHECK(!find(process, "exit") && !find(process, "interpreter") && !find(process, "main"));
	for (size_t i = 1; i < process->phase_cnt; i++)
		CHECK(process->phases[i - 1].end_ns <= process->phases[i].end_ns);
	stream_close(&s);
}

/* What processes were held for until their start was ready is told in sum, each hold once. */
static void test_held(void)
{
	static const struct hold_info holds[] = {
		{ .tgid = 100, .path = "/x", .start_ns = 2 * MS, .wall_ns = 5 * MS },
		{ .tgid = 100, .path = "/y", .start_ns = 10 * MS, .wall_ns = 7 * MS },
		{ .tgid = 101, .path = "/y", .start_ns = 30 * MS, .wall_ns = 11 * MS },
		{ .tgid = 101, .path = "/z", .start_ns = 95 * MS, .wall_ns = 20 * MS }, /* 5 of it */
		{ .tgid = 101, .path = "/z", .start_ns = 200 * MS, .wall_ns = 9 * MS },
		{ .tgid = 102, .path = "/z", .start_ns = 40 * MS, .wall_ns = 13 * MS },
		{ .tgid = 999, .path = "/z", .start_ns = 3 * MS, .wall_ns = 50 * MS },
	};
	char *text = NULL;
	struct stream s;
	size_t sz;
	FILE *out = open_memstream(&text, &sz);

	stream_open(&s);
	stream_exec(&s, 1 * MS, 1, "x", 2);
	send_python(&s, 2 * MS);
	send_phase(&s, 90 * MS, PYI_PHASE_READY, PYI_PHASE_CALL_POLL);
	stream_fork(&s, 20 * MS, 101, 2);
	stream_fork(&s, 21 * MS, 102, 3);
	for (size_t i = 0; i < sizeof(holds) / sizeof(holds[0]); i++)
		CHECK(!model__add_hold(s.model, &holds[i]));
	s.proc = 2;
	s.tgid = s.tid = 101;
	send_python(&s, 25 * MS);
	send_phase(&s, 100 * MS, PYI_PHASE_READY, PYI_PHASE_CALL_POLL);
	s.proc = 3;
	s.tgid = s.tid = 102;
	send_python(&s, 26 * MS);
	send_phase(&s, 80 * MS, PYI_PHASE_READY, PYI_PHASE_CALL_POLL);
	CHECK(!model__finish(s.model, 900 * MS));
	CHECK(!report_write(&(struct report_input){ .model = s.model }, "phases", "text", NULL, out));
	fclose(out);
	if (!strstr(text, "Held for 41.0 ms "))
		FAIL("%s", text);
	free(text);
	stream_close(&s);
}

/* A worker has its own; moments of a process that ran before us are known all the same. */
static void test_worker_and_late(void)
{
	const struct process *process;
	struct stream s;

	stream_open(&s);
	send_phase(&s, 500, PYI_PHASE_LISTEN, PYI_PHASE_CALL_LISTEN);
	stream_fork(&s, 1000, 101, 2);
	s.proc = 2;
	s.tgid = s.tid = 101;
	send_phase(&s, 4000, PYI_PHASE_READY, 12345);
	CHECK(!model__finish(s.model, 9000));
	process = model__process(s.model, 0);
	CHECK(process->is_late && find(process, "listen")->start_ns == 500);
	process = model__process(s.model, 1);
	CHECK(find(process, "ready")->end_ns == 4000 && process->phase_cnt == 2);
	CHECK(!process->ready_by && process->listen_ns == NS_UNKNOWN);
	stream_close(&s);
}

struct feed {
	struct until *until;
	struct stream s;
};

static void feed_open(struct feed *feed, bool want_ready, __u64 idle_ns, __u64 start_ns)
{
	memset(feed, 0, sizeof(*feed));
	CHECK(!until__new(want_ready, idle_ns, start_ns, 0, &feed->until));
	feed->s.proc = 1;
	feed->s.tgid = feed->s.tid = 100;
}

static void feed_python(struct feed *feed, __u32 tgid, __u64 ts_ns)
{
	struct pyi_python rec = { .hdr = stream_hdr(&feed->s, PYI_EV_PYTHON, sizeof(rec), ts_ns) };

	rec.hdr.tgid = tgid;
	until__note(feed->until, &rec.hdr);
}

static void feed_fork(struct feed *feed, __u32 child, __u64 ts_ns)
{
	struct pyi_fork rec = { .hdr = stream_hdr(&feed->s, PYI_EV_FORK, sizeof(rec), ts_ns),
				.child_tgid = child };

	until__note(feed->until, &rec.hdr);
}

static void feed_ready(struct feed *feed, __u32 tgid, __u64 ts_ns)
{
	struct pyi_phase rec = phase_rec(&feed->s, ts_ns, PYI_PHASE_READY, 1);

	rec.hdr.tgid = tgid;
	until__note(feed->until, &rec.hdr);
}

static void feed_span(struct feed *feed, bool is_end, __u32 tgid, __u64 ts_ns)
{
	struct pyi_begin begin = { .hdr = stream_hdr(&feed->s, PYI_EV_BEGIN, sizeof(begin), ts_ns),
				   .span = PYI_SPAN_FIND };
	struct pyi_end end = { .hdr = stream_hdr(&feed->s, PYI_EV_END, sizeof(end), ts_ns),
			       .span = PYI_SPAN_FIND };

	begin.hdr.tgid = end.hdr.tgid = tgid;
	if (is_end)
		until__note(feed->until, &end.hdr);
	else
		until__note(feed->until, &begin.hdr);
}

static void feed_exit(struct feed *feed, __u32 tgid, __u64 ts_ns)
{
	struct pyi_exit rec = { .hdr = stream_hdr(&feed->s, PYI_EV_EXIT, sizeof(rec), ts_ns) };

	rec.hdr.tgid = tgid;
	until__note(feed->until, &rec.hdr);
}

static bool is_over(struct feed *feed, __u64 now_ns)
{
	const char *why;

	return until__is_over(feed->until, now_ns, &why);
}

static void test_until_ready_alone(void)
{
	struct feed feed;

	feed_open(&feed, true, 0, 0);
	feed_python(&feed, 100, 1 * MS);
	CHECK(!is_over(&feed, 3600 * 1000 * MS));
	feed_ready(&feed, 100, 2 * MS);
	CHECK(is_over(&feed, 2 * MS));
	until__free(feed.until);
}

static void test_until_ready_workers(void)
{
	struct feed feed;

	feed_open(&feed, true, 0, 0);
	feed_python(&feed, 100, 1 * MS);
	feed_fork(&feed, 101, 10 * MS);
	feed_ready(&feed, 101, 20 * MS);
	CHECK(!is_over(&feed, 30 * MS)); /* the master may start another one */
	feed_fork(&feed, 102, 40 * MS);
	feed_span(&feed, false, 102, 50 * MS);
	CHECK(!is_over(&feed, 9000 * MS)); /* it still imports */
	feed_span(&feed, true, 102, 9000 * MS);
	CHECK(!is_over(&feed, 9500 * MS));
	CHECK(is_over(&feed, 10100 * MS)); /* a helper: it will never be ready */
	feed_span(&feed, false, 102, 10200 * MS);
	CHECK(!is_over(&feed, 12000 * MS));
	feed_exit(&feed, 102, 12100 * MS);
	CHECK(is_over(&feed, 12200 * MS));
	until__free(feed.until);
}

static void feed_service(struct feed *feed, __u32 tgid, unsigned int service, unsigned int around)
{
	struct pyi_exec rec = { .hdr = stream_hdr(&feed->s, PYI_EV_EXEC, sizeof(rec), 1 * MS),
				.ppid = 1 };

	rec.hdr.tgid = tgid;
	until__note_service(feed->until, &rec.hdr, service, around);
	until__note(feed->until, &rec.hdr);
}

/* Each container that was named must be ready, or have ended. */
static void test_until_ready_services(void)
{
	struct feed feed;

	memset(&feed, 0, sizeof(feed));
	CHECK(!until__new(true, 0, 0, 3, &feed.until));
	feed_service(&feed, 100, 0, 0);
	feed_ready(&feed, 100, 2 * MS);
	CHECK(!is_over(&feed, 3600 * 1000 * MS)); /* two are still to come */
	feed_service(&feed, 200, 1, 1);
	feed_python(&feed, 200, 3 * MS);
	feed.s.tgid = 200;
	feed_fork(&feed, 201, 4 * MS);
	feed_service(&feed, 300, 2, 2);
	feed_exit(&feed, 300, 5 * MS); /* made the database's fixtures, say */
	CHECK(!is_over(&feed, 9000 * MS));
	feed_ready(&feed, 201, 6 * MS);
	CHECK(!is_over(&feed, 2900 * MS)); /* it may start again */
	CHECK(is_over(&feed, 3100 * MS));
	until__free(feed.until);
}

/* Below a named cgroup each one in which a Python begins. */
static void test_until_ready_below(void)
{
	struct feed feed;

	memset(&feed, 0, sizeof(feed));
	CHECK(!until__new(true, 0, 0, 1, &feed.until));
	feed_service(&feed, 100, 1, 0);
	feed_service(&feed, 200, 2, 0);
	feed_service(&feed, 300, 3, 0); /* not a Python */
	feed_python(&feed, 100, 2 * MS);
	feed_python(&feed, 200, 2 * MS);
	feed_ready(&feed, 200, 3 * MS);
	CHECK(!is_over(&feed, 3600 * 1000 * MS));
	feed_ready(&feed, 100, 4 * MS);
	CHECK(is_over(&feed, 4 * MS));
	until__free(feed.until);
}

static void test_until_idle(void)
{
	struct feed feed;

	feed_open(&feed, false, 100 * MS, 0);
	CHECK(!is_over(&feed, 3600 * 1000 * MS)); /* nothing came so far: it is waited for */
	feed_span(&feed, false, 100, 10 * MS);
	CHECK(!is_over(&feed, 5000 * MS)); /* one long import is no idleness */
	feed_span(&feed, true, 100, 5000 * MS);
	CHECK(!is_over(&feed, 5099 * MS) && is_over(&feed, 5100 * MS));
	feed_span(&feed, false, 100, 5200 * MS);
	feed_exit(&feed, 100, 5210 * MS); /* died in the middle of it */
	CHECK(is_over(&feed, 5400 * MS));
	feed_span(&feed, true, 100, 5300 * MS); /* an end too many */
	CHECK(!is_over(&feed, 5350 * MS) && is_over(&feed, 5400 * MS));
	until__free(feed.until);
	feed_open(&feed, false, 100 * MS, 1000 * MS);
	CHECK(!is_over(&feed, 1050 * MS) && is_over(&feed, 1100 * MS));
	until__free(feed.until);
}

int main(void)
{
	RUN(test_service);
	RUN(test_held);
	RUN(test_worker_and_late);
	RUN(test_until_ready_alone);
	RUN(test_until_ready_workers);
	RUN(test_until_ready_services);
	RUN(test_until_ready_below);
	RUN(test_until_idle);
	return unit_result();
}
