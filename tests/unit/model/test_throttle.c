// SPDX-License-Identifier: BSD-2-Clause
/* CPU quotas: what cpu.stat says, and what of it belongs to a start-up. */
#include <errno.h>
#include <string.h>

#include "stream.h"
#include "pyimport_phase.h"
#include "interpreters/containers/cpu_quota.h"

#define MS 1000000ULL

static void test_parse(void)
{
	struct cpu_throttled got = {};

	CHECK(!cpu_quota_parse("usage_usec 5\nnr_periods 9\nnr_throttled 7\nthrottled_usec 1500\n",
			       &got));
	CHECK(got.cnt == 7 && got.wall_ns == 1500000);
	CHECK(!cpu_quota_parse("nr_periods 9\nnr_throttled 3\nthrottled_time 1500\n", &got));
	CHECK(got.cnt == 3 && got.wall_ns == 1500);
	CHECK(cpu_quota_parse("usage_usec 5\nuser_usec 1\n", &got) == -EBADMSG);
	CHECK(cpu_quota_parse("xnr_throttled 3\nthrottled_time 5\n", &got) == -EBADMSG);
	CHECK(cpu_quota_parse("", &got) == -EBADMSG);
}

static void look(struct stream *s, const char *cgroup, __u64 ts_ns, __u64 cnt, __u64 wall_ns)
{
	struct throttle_info info = { cgroup, 50000, 100000, ts_ns, cnt, wall_ns };

	CHECK(!model__add_throttle(s->model, s->proc, &info));
}

static void ready(struct stream *s, __u64 ts_ns)
{
	struct pyi_phase rec = { .hdr = stream_hdr(s, PYI_EV_PHASE, sizeof(rec), ts_ns),
				 .phase = PYI_PHASE_READY, .call = PYI_PHASE_CALL_ACCEPT };

	stream_apply(s, &rec, sizeof(rec));
}

/* Growth since the first look; until it was up, with the look that followed. */
static void test_growth(void)
{
	const struct throttle *got;
	struct stream s;

	stream_open(&s);
	stream_exec(&s, 1 * MS, 1, "x", 2);
	look(&s, "/a", 2 * MS, 10, 100 * MS);
	look(&s, "/a", 50 * MS, 11, 140 * MS);
	ready(&s, 60 * MS);
	look(&s, "/a", 70 * MS, 12, 150 * MS);
	look(&s, "/a", 80 * MS, 15, 200 * MS);
	look(&s, "/a", 90 * MS, 14, 210 * MS); /* counters do not shrink: not believed */
	CHECK(!model__finish(s.model, 100 * MS));
	got = model__process(s.model, 0)->throttle;
	CHECK(got && !strcmp(got->cgroup, "/a") && got->quota_us == 50000);
	CHECK(got->cnt == 5 && got->wall_ns == 100 * MS);
	CHECK(got->startup_cnt == 2 && got->startup_ns == 50 * MS);
	stream_close(&s);
}

/* Of nested quotas the one that stopped it longest, in whatever order they come. */
static void test_nested(void)
{
	for (int order = 0; order < 2; order++) {
		const struct throttle *got;
		struct stream s;

		stream_open(&s);
		stream_exec(&s, 1 * MS, 1, "x", 2);
		look(&s, order ? "/a" : "/a/b", 2 * MS, 0, 0);
		look(&s, order ? "/a/b" : "/a", 2 * MS, 0, 0);
		look(&s, "/a", 9 * MS, 2, 20 * MS);
		look(&s, "/a/b", 9 * MS, 3, 10 * MS);
		CHECK(!model__finish(s.model, 100 * MS));
		got = model__process(s.model, 0)->throttle;
		CHECK(got && !strcmp(got->cgroup, "/a") && got->cnt == 2);
		CHECK(got->startup_ns == NS_UNKNOWN); /* it never was up */
		stream_close(&s);
	}
}

/* No look: unknown. A look that found no quota: known to be nothing. */
static void test_none(void)
{
	const struct throttle *got;
	struct stream s;

	stream_open(&s);
	stream_exec(&s, 1 * MS, 1, "x", 2);
	s.proc = 2;
	s.tgid = s.tid = 101;
	stream_exec(&s, 2 * MS, 1, "x", 2);
	look(&s, NULL, 3 * MS, 0, 0);
	s.proc = 99; /* unknown to the model */
	look(&s, "/a", 3 * MS, 5, 5);
	CHECK(!model__finish(s.model, 100 * MS));
	CHECK(model__process_cnt(s.model) == 2);
	CHECK(!model__process(s.model, 0)->throttle);
	got = model__process(s.model, 1)->throttle;
	CHECK(got && !got->cgroup && !got->cnt && !got->startup_ns);
	stream_close(&s);
}

int main(void)
{
	RUN(test_parse);
	RUN(test_growth);
	RUN(test_nested);
	RUN(test_none);
	return unit_result();
}
