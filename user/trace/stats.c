// SPDX-License-Identifier: BSD-2-Clause
/* --stats: what tracing cost us and the host. */
#include "trace/opts.h"
#include <stdio.h>
#include <sys/resource.h>

#include "base/log.h"
#include "trace/follow/pythons.h"
#include "trace/session.h"
#include "model/model.h"
#include "probe/probes.h"

static double ms(__u64 ns)
{
	return ns / 1e6;
}

#define KINDS_MAX 40
#define PROGRAMS_MAX 64

static void print_balance(const struct probes *probes)
{
	struct probes_balance pairs[16];
	size_t cnt = probes__balance(probes, pairs, sizeof(pairs) / sizeof(pairs[0]));

	for (size_t i = 0; i < cnt; i++) {
		if (pairs[i].begins || pairs[i].ends)
			log_line("stats: %s: %llu begins, %llu ends", pairs[i].span,
				 pairs[i].begins, pairs[i].ends);
	}
}

static void print_hits(const struct probes *probes, const struct pyi_stats *stats)
{
	struct probes_hits kinds[KINDS_MAX];
	size_t cnt = probes__hits(probes, kinds, KINDS_MAX);

	log_line("stats: %llu probe hits, %llu in processes not followed", stats->hits,
		 stats->bystander_hits);
	for (size_t i = 0; i < cnt; i++)
		log_line("stats: %llu hits: %s%s%s%s%s", kinds[i].cnt,
			 kinds[i].end ? "end of " : "", kinds[i].end ? kinds[i].end : "",
			 kinds[i].end && kinds[i].begin ? ", " : "",
			 kinds[i].begin ? "begin of " : "", kinds[i].begin ? kinds[i].begin : "");
}

static void print_runs(const struct probes *probes)
{
	struct probes_runs runs[PROGRAMS_MAX];
	size_t cnt = probes__runs(probes, runs, PROGRAMS_MAX);
	__u64 total_ns = 0;

	for (size_t i = 0; i < cnt; i++)
		total_ns += runs[i].ns;
	if (!cnt)
		log_line("stats: time in BPF unknown: the kernel does not count it for us");
	else
		log_line("stats: %.2f ms in BPF, bystanders included", ms(total_ns));
	for (size_t i = 0; i < cnt; i++)
		log_line("stats: %s: %llu runs, %.2f ms, %llu ns each", runs[i].program,
			 runs[i].cnt, ms(runs[i].ns), runs[i].ns / runs[i].cnt);
}

static void print_price(const struct prices *prices)
{
	char text[PRICE_TEXT_SZ];

	log_line("stats: here %s", price_text(&prices->begin, text));
	log_line("stats: at the end of the trace %s", price_text(&prices->end, text));
}

void session__print_stats(struct session *session)
{
	const struct pyi_stats *stats = model__stats(session->model);
	const struct hold_stats *held = &session->held;
	struct rusage usage;

	log_line("stats: %zu interpreters probed (%s), ready after %.1f ms, detached in %.1f ms",
		 pythons__cnt(session->pythons),
		 probes__is_multi(session->probes) ? "uprobe_multi" : "perf events",
		 ms(session->ready_ns - session->start_ns), ms(session->detach_ns));
	if (stats)
		print_hits(session->probes, stats);
	log_line("stats: %llu records, %llu bytes", session->record_cnt, session->record_bytes);
	print_balance(session->probes);
	print_runs(session->probes);
	print_price(&session->prices);
	if (!session->opts->want_no_hold)
		log_line("stats: %llu starts held, %.2f ms in all, %.2f ms at most, %llu missed, %llu not waited for, %llu mappings not noticed",
			 held->held_cnt, ms(held->total_ns), ms(held->max_ns), held->missed_cnt,
			 held->late_cnt, held->lost_cnt);
	if (!getrusage(RUSAGE_SELF, &usage))
		log_line("stats: tracer: %.1f ms user, %.1f ms system, %.1f MB resident at most",
			 usage.ru_utime.tv_sec * 1e3 + usage.ru_utime.tv_usec / 1e3,
			 usage.ru_stime.tv_sec * 1e3 + usage.ru_stime.tv_usec / 1e3,
			 usage.ru_maxrss / 1024.0);
}
