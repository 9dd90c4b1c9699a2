// SPDX-License-Identifier: BSD-2-Clause
/* Findings in words. */
#include "report/text/finding.h"
#include "report/text/sections.h"
#include "report/text/wording.h"

#define HIGH_PCT 20 /* of all imports */
#define MEDIUM_PCT 5
#define LATE_HIGH_NS 100000000ULL /* an answer that comes so much later is noticed */
#define LATE_MEDIUM_NS 10000000ULL

const char *word_rule(enum finding_rule rule)
{
	static const char *const words[FINDING_RULE_CNT] = {
		[FINDING_DEFER] = "deferrable-import", [FINDING_NO_GAIN] = "shared-import",
		[FINDING_COMPILED] = "compiled-at-import",
		[FINDING_CIRCULAR] = "circular-import", [FINDING_FAILED] = "failing-import",
		[FINDING_NETWORK] = "network-at-import", [FINDING_CHILD] = "subprocess-at-import",
		[FINDING_THREADS] = "thread-pool-at-import", [FINDING_LATE] = "late-import",
		[FINDING_SAME] = "duplicate-content",
		[FINDING_TOGETHER] = "deferrable-together",
		[FINDING_LAZY] = "lazy-import-at-once",
	};

	return words[rule];
}

const char *word_confidence(enum confidence confidence)
{
	return confidence == CONFIDENCE_HIGH ? "high" :
	       confidence == CONFIDENCE_MEDIUM ? "medium" : "low";
}

const char *word_severity(const struct advice *advice, const struct finding *finding)
{
	__u64 all_ns = advice->gains->imports_ns;

	switch (finding->rule) {
	case FINDING_DEFER:
	case FINDING_TOGETHER:
		return finding->gain.ns >= all_ns / 100 * HIGH_PCT ? "high" :
		       finding->gain.ns >= all_ns / 100 * MEDIUM_PCT ? "medium" : "low";
	case FINDING_NO_GAIN:
	case FINDING_LAZY:
		return "info";
	case FINDING_NETWORK:
		return "high";
	case FINDING_LATE:
		return finding->is_waiter && finding->observed_ns >= LATE_HIGH_NS ? "high" :
		       finding->observed_ns >= LATE_MEDIUM_NS ? "medium" : "low";
	case FINDING_SAME:
	case FINDING_COMPILED:
	case FINDING_CHILD:
	case FINDING_THREADS:
		return "medium";
	default:
		return "low";
	}
}

void phrase_known_name(const struct view *view, const struct load *load, struct text_buf *buf)
{
	if (load && load->module)
		text_buf__escape(buf, load->module, view_escape_flags(view));
	else
		text_buf__add(buf, "a module");
}

static void add_no_gain(const struct view *view, const struct process *process,
			const struct finding *finding, struct text_buf *buf)
{
	char num[TEXT_NUM_SZ];

	text_buf__add(buf, " loads ");
	phrase_known_name(view, finding->load, buf);
	text_buf__printf(buf, " (%s), but deferring it would save ",
			 text_ns(num, finding->load->wall_ns));
	if (finding->gain.ns)
		text_buf__printf(buf, "%s only: also imported by ", text_ns(num, finding->gain.ns));
	else
		text_buf__add(buf, "nothing: also imported by ");
	phrase_place(view, process, &finding->other, buf);
}

static void add_defer(const struct view *view, const struct finding *finding, struct text_buf *buf)
{
	text_buf__add(buf, " imports ");
	phrase_known_name(view, finding->load, buf);
	if (finding->caller) {
		text_buf__add(buf, " while ");
		phrase_known_name(view, finding->caller, buf);
		text_buf__add(buf, " loads");
	}
	text_buf__add(buf, ", and nothing else leads to what it brings");
}

static void add_together(const struct view *view, const struct process *process,
			 const struct finding *finding, struct text_buf *buf)
{
	phrase_known_name(view, finding->load, buf);
	text_buf__add(buf, " is brought by ");
	for (__u32 i = 0; i < finding->stmt_cnt; i++) {
		text_buf__add(buf, !i ? "" : i + 1 < finding->stmt_cnt ? ", " : " and ");
		phrase_place(view, process, &finding->graph->stmts[finding->stmts[i]].site, buf);
	}
	text_buf__add(buf, " together, and nothing else leads to it");
}

static void add_effect(const struct view *view, const struct finding *finding,
		       struct text_buf *buf)
{
	char num[TEXT_NUM_SZ];

	text_buf__add(buf, " imports ");
	phrase_known_name(view, finding->load, buf);
	if (finding->rule == FINDING_NETWORK) {
		text_buf__add(buf, ", which uses the network");
		if (finding->peer) {
			text_buf__add(buf, " (");
			text_buf__escape(buf, finding->peer, view_escape_flags(view));
			text_buf__printf(buf, finding->cnt > 1 ? " and %u more)" : ")",
					 finding->cnt - 1);
		}
	} else {
		text_buf__printf(buf, ", which starts %s %s", text_count(num, finding->cnt),
				 finding->rule == FINDING_THREADS ? "threads" :
				 finding->cnt == 1 ? "child process" : "child processes");
	}
	if (finding->observed_ns)
		text_buf__printf(buf, " and waits %s for it", text_ns(num, finding->observed_ns));
}

static void add_late(const struct view *view, const struct process *process,
		     const struct finding *finding, struct text_buf *buf)
{
	char num[TEXT_NUM_SZ];

	text_buf__add(buf, " imports ");
	phrase_known_name(view, finding->load, buf);
	text_buf__printf(buf, " when the service is ready: %s ",
			 text_ns(num, finding->observed_ns));
	if (finding->is_waiter)
		text_buf__add(buf, "in which it does not wait for connections");
	else
		text_buf__printf(buf, "in thread %u", finding->load->tid);
	if (finding->caller_site) {
		text_buf__add(buf, "; called from ");
		phrase_use(view, process, finding->caller_site, buf);
	}
}

static void add_lazy(const struct view *view, const struct process *process,
		     const struct finding *finding, struct text_buf *buf)
{
	char num[TEXT_NUM_SZ];

	text_buf__add(buf, " uses ");
	phrase_known_name(view, finding->load, buf);
	text_buf__add(buf, " during the start-up, and so loads it there");
	if (finding->observed_ns != NS_UNKNOWN)
		text_buf__printf(buf, " (%s)", text_ns(num, finding->observed_ns));
	text_buf__add(buf, ": that it is declared lazily at ");
	phrase_place(view, process, &finding->other, buf);
	text_buf__add(buf, " gained nothing");
}

void phrase_finding(const struct view *view, const struct process *process,
		    const struct finding *finding, struct text_buf *buf)
{
	char num[TEXT_NUM_SZ];

	if (finding->rule == FINDING_COMPILED) {
		text_buf__printf(buf, "%s module%s compiled from source while being imported, the "
				 "slowest is ", text_count(num, finding->cnt),
				 finding->cnt == 1 ? " was" : "s were");
		phrase_known_name(view, finding->load, buf);
		return;
	}
	if (finding->rule == FINDING_SAME) {
		phrase_same(view, finding->same_files, buf);
		return;
	}
	if (finding->rule == FINDING_TOGETHER) {
		add_together(view, process, finding, buf);
		return;
	}
	if (finding->rule == FINDING_LATE)
		phrase_use(view, process, &finding->site, buf);
	else
		phrase_place(view, process, &finding->site, buf);
	switch (finding->rule) {
	case FINDING_NO_GAIN:
		add_no_gain(view, process, finding, buf);
		break;
	case FINDING_CIRCULAR:
		text_buf__add(buf, " imports ");
		phrase_known_name(view, finding->load, buf);
		text_buf__add(buf, ", which is still being loaded itself");
		break;
	case FINDING_FAILED:
		text_buf__add(buf, " imports ");
		phrase_known_name(view, finding->load, buf);
		text_buf__printf(buf, ", which fails after %s",
				 text_ns(num, finding->load->wall_ns));
		break;
	case FINDING_NETWORK:
	case FINDING_CHILD:
	case FINDING_THREADS:
		add_effect(view, finding, buf);
		break;
	case FINDING_LATE:
		add_late(view, process, finding, buf);
		break;
	case FINDING_LAZY:
		add_lazy(view, process, finding, buf);
		break;
	default:
		add_defer(view, finding, buf);
	}
}
