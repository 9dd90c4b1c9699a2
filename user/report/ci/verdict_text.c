// SPDX-License-Identifier: BSD-2-Clause
/* Verdicts in words. Nothing is escaped here: each format has rules of its own. */
#include <string.h>

#include "model/advice/advice.h"
#include "report/ci/check.h"
#include "report/head/lines.h"
#include "report/text/wording.h"

const char *word_verdict(enum verdict_result result)
{
	static const char *const words[] = {
		[VERDICT_OK] = "ok", [VERDICT_NOISY] = "noisy", [VERDICT_BROKEN] = "broken",
		[VERDICT_UNKNOWN] = "unknown",
	};

	return words[result];
}

void phrase_checked(const struct verdict *verdict, struct text_buf *buf)
{
	switch (verdict->kind) {
	case VERDICT_LIMIT:
		text_buf__add(buf, metrics[verdict->metric].name);
		break;
	case VERDICT_MODULE:
		text_buf__printf(buf, "%s of %s", metrics[verdict->metric].name, verdict->what);
		break;
	case VERDICT_FORBIDDEN:
		text_buf__printf(buf, "forbidden: %s", verdict->what);
		break;
	case VERDICT_ALLOWED:
		text_buf__add(buf, "only allowed packages");
		break;
	case VERDICT_NETWORK:
		text_buf__add(buf, "no network");
		break;
	case VERDICT_CIRCULAR:
		text_buf__add(buf, "no circular imports");
		break;
	case VERDICT_COMPILE:
		text_buf__add(buf, "no compile");
		break;
	case VERDICT_MISSING:
		text_buf__add(buf, "a run of it");
		break;
	}
}

static void add_value(enum metric metric, __u64 value, struct text_buf *buf)
{
	char num[TEXT_NUM_SZ];

	if (metrics[metric].unit == UNIT_NS)
		text_buf__add(buf, text_ns(num, value));
	else
		text_buf__add(buf, metrics[metric].unit == UNIT_COUNT ? text_count(num, value) :
								view_bytes(num, value));
}

/* "132 ms of 120 ms allowed, 12.0 ms (10%) more". */
static void add_excess(const struct verdict *verdict, struct text_buf *buf)
{
	__u64 more = verdict->value - verdict->max;

	text_buf__add(buf, ", ");
	add_value(verdict->metric, more, buf);
	if (verdict->max)
		text_buf__printf(buf, " (%.0f%%)", (double)more * 100 / (double)verdict->max);
	text_buf__add(buf, " more");
}

/* What is the same in each run stands beside what is not. */
static void add_counts(const struct verdict *verdict, struct text_buf *buf)
{
	char num[TEXT_NUM_SZ];

	if (verdict->kind != VERDICT_LIMIT || !metrics[verdict->metric].is_timed ||
	    verdict->modules == NS_UNKNOWN)
		return;
	text_buf__add(buf, ", with ");
	if (verdict->modules_low < verdict->modules)
		text_buf__printf(buf, "%s to ", text_count(num, verdict->modules_low));
	text_buf__printf(buf, "%s modules", text_count(num, verdict->modules));
	if (verdict->modules_then != NS_UNKNOWN)
		text_buf__printf(buf, " (%s in the baseline)", text_count(num, verdict->modules_then));
}

static void add_then(const struct verdict *verdict, struct text_buf *buf)
{
	const char *module = verdict->load ? verdict->load->module : NULL;
	char num[TEXT_NUM_SZ];

	if (verdict->then == NS_UNKNOWN)
		return;
	text_buf__add(buf, "; in the baseline ");
	if (verdict->then_day)
		text_buf__printf(buf, "of %s ", verdict->then_day);
	text_buf__add(buf, "it was ");
	add_value(verdict->metric, verdict->then, buf);
	if (!verdict->came_cnt || !module)
		return;
	text_buf__printf(buf, ", since then came %s", module);
	if (verdict->came_cnt > 1)
		text_buf__printf(buf, " with %s modules", text_count(num, verdict->came_cnt - 1));
	if (verdict->load->wall_ns != NS_UNKNOWN)
		text_buf__printf(buf, ", %s", text_ns(num, verdict->load->wall_ns));
}

/* Why it could not be told, and what to do about it. */
static void add_unknown(const struct verdict *verdict, struct text_buf *buf)
{
	const struct process *process = verdict->process;

	if (verdict->kind == VERDICT_MISSING)
		text_buf__add(buf, "no such Python program was seen");
	else if (process && process->is_log)
		text_buf__add(buf, "a log of -X importtime does not tell");
	else if (verdict->lacks)
		text_buf__printf(buf, "not recorded; --profile %s records it",
				 recorded_profile(verdict->lacks, process ? process->measured : 0));
	else if (verdict->kind == VERDICT_LIMIT && verdict->metric == METRIC_READY)
		text_buf__add(buf, "it did not wait for a connection");
	else
		text_buf__add(buf, "was not measured");
}

static void add_limit(const struct verdict *verdict, struct text_buf *buf)
{
	add_value(verdict->metric, verdict->value, buf);
	text_buf__add(buf, " of ");
	add_value(verdict->metric, verdict->max, buf);
	text_buf__add(buf, verdict->is_over_floor ? " allowed over the interpreter itself" : " allowed");
	if (verdict->result == VERDICT_BROKEN)
		add_excess(verdict, buf);
	if (verdict->value_cnt == 1 && verdict->run_cnt > 1) {
		text_buf__printf(buf, ", in 1 of %zu runs", verdict->run_cnt);
	} else if (verdict->run_cnt > 1 && metrics[verdict->metric].is_timed) {
		text_buf__add(buf, ", median of ");
		if (verdict->value_cnt < verdict->run_cnt)
			text_buf__printf(buf, "%zu of ", verdict->value_cnt);
		text_buf__printf(buf, "%zu runs (", verdict->run_cnt);
		add_value(verdict->metric, verdict->low, buf);
		text_buf__add(buf, " to ");
		add_value(verdict->metric, verdict->high, buf);
		text_buf__add(buf, ")");
	}
	if (verdict->result == VERDICT_NOISY)
		text_buf__add(buf, "; the runs differ too much to tell");
	if (verdict->result == VERDICT_BROKEN) {
		add_counts(verdict, buf);
		add_then(verdict, buf);
	}
}

void phrase_verdict(const struct verdict *verdict, struct text_buf *buf)
{
	const char *module = verdict->load ? verdict->load->module : NULL;
	bool is_ok = verdict->result == VERDICT_OK;

	if (verdict->result == VERDICT_UNKNOWN) {
		add_unknown(verdict, buf);
		return;
	}
	switch (verdict->kind) {
	case VERDICT_LIMIT:
	case VERDICT_MODULE:
		add_limit(verdict, buf);
		break;
	case VERDICT_FORBIDDEN:
		text_buf__printf(buf, is_ok ? "not loaded" : "%s was loaded", module);
		break;
	case VERDICT_ALLOWED:
		if (is_ok)
			text_buf__add(buf, "no other was loaded");
		else
			text_buf__printf(buf, "%s was loaded", verdict->what);
		break;
	case VERDICT_NETWORK:
		text_buf__add(buf, is_ok ? "no connection" : "a connection was made");
		if (verdict->what)
			text_buf__printf(buf, ": %s", verdict->what);
		break;
	case VERDICT_CIRCULAR:
		if (is_ok)
			text_buf__add(buf, "none");
		else
			text_buf__printf(buf, "%s is still being loaded when it is imported",
					 verdict->what ? verdict->what : "a module");
		break;
	case VERDICT_COMPILE:
		if (is_ok)
			text_buf__add(buf, "all had a .pyc");
		else
			text_buf__printf(buf, "%llu compiled, the slowest is %s", verdict->value,
					 module ? module : "unknown");
		break;
	case VERDICT_MISSING: /* is always unknown */
		break;
	}
}

int verdict_chain(const struct verdict *verdict, struct graph **graph, struct why *why)
{
	int err;

	*graph = NULL;
	*why = (struct why){};
	if (!verdict->load || verdict->result == VERDICT_OK)
		return 0;
	err = graph__new(verdict->load->process, 0, graph);
	return err ? err : why_find(*graph, verdict->load, 1, why);
}

struct site verdict_site(const struct verdict *verdict, const struct why *why)
{
	struct site site = verdict->site;

	if (site.file || !why->chain_cnt)
		return site;
	for (__u32 i = 0; i < why->chains[0].hop_cnt; i++) {
		const struct graph_stmt *stmt = why->chains[0].hops[i].stmt;

		if (stmt && (!site.file || file_is_own(stmt->site.file)))
			site = stmt->site;
	}
	return site;
}

void phrase_chain(const struct why *why, struct text_buf *buf)
{
	size_t cnt = 0;

	for (__u32 i = 0; why->chain_cnt && i < why->chains[0].hop_cnt; i++) {
		const struct why_hop *hop = &why->chains[0].hops[i];

		if (!hop->stmt)
			continue;
		text_buf__printf(buf, "%s%s", cnt++ ? " > " : "; chain: ",
				 hop->stmt->site.file ? hop->stmt->site.file : "?");
		if (hop->stmt->site.line > 0)
			text_buf__printf(buf, ":%d", hop->stmt->site.line);
		text_buf__printf(buf, " %s", hop->to->module ? hop->to->module : "?");
	}
}
