// SPDX-License-Identifier: BSD-2-Clause
/* See startup_sums.h. */
#include "agent/startup_sums.h"

#include "agent/labels.h"
#include "model/model.h"
#include "model/tree/late_imports.h"

#define FAILED_NS STARTUP_GAP_NS /* it failed while it started if it ended so soon after */

static bool has_failed(const struct process *process)
{
	const struct startup *startup = &process->startup;

	if (!process->has_exit || (!process->exit_code && !process->exit_signal) ||
	    process->ready_ns != NS_UNKNOWN)
		return false;
	return startup->by == STARTUP_UNKNOWN || process->end_ns <= startup->end_ns + FAILED_NS;
}

static void take_times(const struct process *process, struct series *series)
{
	const struct startup *startup = &process->startup;
	__u64 ready_ns = process_since_ns(process, process->ready_ns);

	/* What was cut off took at least so long: that is no measurement. */
	if (startup->by == STARTUP_UNKNOWN || startup->by == STARTUP_CUT)
		return;
	histogram_add(&series->times[TIME_STARTUP], startup->wall_ns);
	histogram_add(&series->times[TIME_INTERPRETER], startup->interpreter_ns);
	histogram_add(&series->times[TIME_IMPORTS], startup->imports_ns);
	if (ready_ns != NS_UNKNOWN)
		histogram_add(&series->times[TIME_READY], ready_ns);
}

static void take_loads(const struct process *process, struct series *series,
		       struct modules *modules)
{
	__u64 *counts = series->counts;

	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		if (load->is_inherited || load_is_late(load))
			continue;
		counts[COUNT_READ_BYTES] += load->charge->bytes_read;
		counts[COUNT_DISK_BYTES] += load->charge->bytes_from_disk;
		if (load->via == VIA_MAIN)
			continue;
		counts[COUNT_LOADED] += load->result == LOAD_LOADED;
		counts[COUNT_FAILED] += load->result == LOAD_FAILED;
		counts[COUNT_UNFINISHED] += load->result == LOAD_UNFINISHED;
		counts[COUNT_COMPILED] += load->kind == KIND_SOURCE;
		if (load->module && load->self_ns != NS_UNKNOWN)
			modules__add(modules, load->module, load->self_ns);
	}
}

static void take_net(const struct process *process, struct series *series)
{
	for (size_t i = 0; i < process->net.cnt; i++) {
		const struct net_use *use = process->net.uses[i];

		if (!use->load || use->kind == PYI_NET_LISTEN)
			continue;
		series->counts[COUNT_NET]++;
		series->counts[COUNT_NET_BLOCKED_NS] += use->blocked_ns;
	}
}

static void add_late(const struct process *process, struct series *series)
{
	struct late_imports late;

	if (!late_find(process, &late) || !late.is_service)
		return;
	series->counts[COUNT_LATE] += late.cnt;
	series->counts[COUNT_LATE_NS] += late.wall_ns;
	series->counts[COUNT_LATE_BLOCKED_NS] += late.waiter_ns;
}

/* A program from its exec on; a forked worker only when it waits for connections. */
static bool is_start(const struct process *process)
{
	return process->is_python && !process->is_late && !process->next &&
	       (process->exec_ns != NS_UNKNOWN || process->ready_ns != NS_UNKNOWN);
}

const char *notable_word(enum notable_why why)
{
	static const char *const words[] = { "", "new", "slow", "slower" };

	return words[why];
}

/* Of entry points that are told apart: the others have no history in common. */
static void look_at(const struct process *process, const struct series_table *table,
		    struct series *series, __u64 slow_ns, __u64 now_ns, struct notable *out)
{
	const struct startup *startup = &process->startup;
	enum notable_why why;

	/* A forked worker has no beginning of its own. */
	if (startup->by == STARTUP_UNKNOWN || startup->by == STARTUP_CUT ||
	    process->exec_ns == NS_UNKNOWN || series == &table->series[0])
		return;
	why = history_add(&series->history, startup->wall_ns, slow_ns, now_ns);
	if (why != NOTABLE_NO)
		*out = (struct notable){ .why = why, .process = process,
					 .labels = series->labels,
					 .startup_ns = startup->wall_ns,
					 .end_ns = process->has_exit ? process->end_ns : now_ns };
}

struct notable take_startup(const struct model *part, struct series_table *table,
			    struct modules *modules, __u64 slow_ns, __u64 now_ns)
{
	struct notable notable = {};

	for (size_t i = 0; i < model__process_cnt(part); i++) {
		const struct process *process = model__process(part, i);
		struct series *series;
		struct labels labels;

		if (!is_start(process))
			continue;
		labels_of(process, table->is_redacted, &labels);
		series = series_table__get(table, &labels, now_ns);
		series->counts[COUNT_STARTS]++;
		series->counts[COUNT_FAILED_STARTS] += has_failed(process);
		take_times(process, series);
		take_loads(process, series, modules);
		take_net(process, series);
		add_late(process, series);
		look_at(process, table, series, slow_ns, now_ns, &notable);
	}
	return notable;
}

void take_late(const struct model *part, struct series_table *table, __u64 now_ns)
{
	for (size_t i = 0; i < model__process_cnt(part); i++) {
		const struct process *process = model__process(part, i);
		bool is_ready = process->ready_ns != NS_UNKNOWN &&
				process->ready_ns != process->startup_end_ns;
		struct series *series;
		struct labels labels;

		if (!process->is_python || (!process->load_cnt && !is_ready))
			continue;
		labels_of(process, table->is_redacted, &labels);
		series = series_table__get(table, &labels, now_ns);
		/* Only of a program whose begin was seen. */
		if (is_ready && process->startup_end_ns != NS_UNKNOWN)
			histogram_add(&series->times[TIME_READY],
				      process->ready_ns - process->start_ns);
		add_late(process, series);
	}
}
