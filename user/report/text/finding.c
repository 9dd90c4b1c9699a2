// SPDX-License-Identifier: BSD-2-Clause
/* Findings in words. */
#include "model/lazy.h"
#include "report/text/finding.h"
#include "report/text/sections.h"
#include "report/text/wording.h"

#include <stdlib.h>
#include <string.h>

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

static void add_name(const struct view *view, const struct load *load, struct text_buf *buf)
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
	add_name(view, finding->load, buf);
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
	add_name(view, finding->load, buf);
	if (finding->caller) {
		text_buf__add(buf, " while ");
		add_name(view, finding->caller, buf);
		text_buf__add(buf, " loads");
	}
	text_buf__add(buf, ", and nothing else leads to what it brings");
}

static void add_together(const struct view *view, const struct process *process,
			 const struct finding *finding, struct text_buf *buf)
{
	add_name(view, finding->load, buf);
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
	add_name(view, finding->load, buf);
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
	add_name(view, finding->load, buf);
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
	add_name(view, finding->load, buf);
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
		add_name(view, finding->load, buf);
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
		add_name(view, finding->load, buf);
		text_buf__add(buf, ", which is still being loaded itself");
		break;
	case FINDING_FAILED:
		text_buf__add(buf, " imports ");
		add_name(view, finding->load, buf);
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

/* "3.15" and later have `lazy import`. */
static bool has_lazy(const struct process *process)
{
	const char *version = process->python ? process->python->version : NULL;

	return version && !strncmp(version, "3.", 2) && strtol(version + 2, NULL, 10) >= 15;
}

static bool is_init(const char *file)
{
	const char *slash = file ? strrchr(file, '/') : NULL;

	return slash && !strncmp(slash, "/__init__.py", 12);
}

/* The name as the statement asked for it: what is dearest may be a part or a parent of that. */
static const char *asked_name(const struct process *process, const struct finding *finding)
{
	const char *module = finding->load ? finding->load->module : NULL, *name = NULL;

	for (size_t i = 0; module && i < process->edge_cnt; i++) {
		const struct edge *edge = process->edges[i];

		if (edge->importer.line != finding->site.line || !edge->importer.file ||
		    !finding->site.file || strcmp(edge->importer.file, finding->site.file) != 0 ||
		    !(name_is_in(edge->module, module) || name_is_in(module, edge->module)))
			continue;
		if (!name || strlen(edge->module) > strlen(name))
			name = edge->module;
	}
	return name ? name : module;
}

/* What is behind the name (`as pd`, the names of `from`) is not known, and stays. */
static void add_lazy_change(const struct view *view, const struct process *process,
			    const struct finding *finding, struct text_buf *buf)
{
	const char *name = asked_name(process, finding);
	struct text_buf escaped = { 0 };

	text_buf__escape(&escaped, name ? name : "…", view_escape_flags(view));
	text_buf__printf(buf, "write `lazy import %s`, or `lazy from %s import …`, at the top of the module "
			 "and outside of try; in a file that older Pythons read as well, `__lazy_modules__ = "
			 "[\"%s\"]` above the statement; or move it into the function that uses it",
			 text_buf__str(&escaped), text_buf__str(&escaped), text_buf__str(&escaped));
	text_buf__free(&escaped);
}

static void add_defer_remedy(const struct view *view, const struct process *process,
			     const struct finding *finding, struct text_buf *buf)
{
	if (finding->load && load_declared_at(finding->load)) {
		text_buf__add(buf, "it is lazy already, declared at ");
		phrase_place(view, process, load_declared_at(finding->load), buf);
		text_buf__add(buf, ": use it only after the start-up");
	} else if (finding->is_entry) {
		text_buf__add(buf, "nothing here: it is how the program begins; what it brings is told by "
			      "itself");
	} else if (file_is_pth(finding->site.file)) {
		text_buf__add(buf, "each start of this Python runs that line: remove what brought the "
			      ".pth file, or let it import less");
	} else if (finding->caller) {
		text_buf__add(buf, "it stands in a function that ");
		add_name(view, finding->caller, buf);
		text_buf__add(buf, " calls while it is imported: call that later");
	} else if (finding->is_function) {
		text_buf__add(buf, "it stands in a function already: call that later, or not at "
			      "start-up");
	} else if (finding->load && finding->load->via == VIA_IMPORT_MODULE) {
		text_buf__add(buf, "call import_module when it is first used");
	} else if (has_lazy(process)) {
		add_lazy_change(view, process, finding, buf);
	} else if (is_init(finding->site.file)) {
		text_buf__add(buf, "take it out of the package's __init__.py, or load it on first use "
			      "(a module's __getattr__, PEP 562)");
	} else {
		text_buf__add(buf, "move it into the function that uses it");
	}
}

static void add_together_remedy(const struct finding *finding, struct text_buf *buf)
{
	__u32 bodies = 0;

	for (__u32 i = 0; i < finding->stmt_cnt; i++)
		bodies += finding->graph->stmts[finding->stmts[i]].is_body;
	if (bodies == finding->stmt_cnt)
		text_buf__printf(buf, bodies == 2 ? "move both into the functions that use it" :
				 "move all %u into the functions that use it", bodies);
	else if (bodies)
		text_buf__add(buf, "move them into the functions that use it, and call those later that "
			      "have one in them already");
	else
		text_buf__add(buf, "they stand in functions already: call those later, or not at "
			      "start-up");
}

static void add_joint_remedy(const struct finding *finding, struct text_buf *buf)
{
	char num[TEXT_NUM_SZ];

	if (finding->joint.ns <= finding->gain.ns) {
		text_buf__add(buf, "nothing: it is needed elsewhere");
		return;
	}
	if (finding->joint_cnt == 2)
		text_buf__add(buf, "both statements that lead to it would have to go");
	else
		text_buf__printf(buf, "all %s statements that lead to it would have to go",
				 text_count(num, finding->joint_cnt));
	text_buf__add(buf, "; together they save ");
	text_buf__add(buf, text_ns(num, finding->joint.ns));
}

static void add_compiled_remedy(const struct finding *finding, struct text_buf *buf)
{
	__u32 plain = finding->cnt - finding->zip_cnt - finding->no_pyc_cnt;
	char num[TEXT_NUM_SZ];

	if (plain)
		text_buf__add(buf, "ship the .pyc files (python3 -m compileall), or make the cache "
			      "directory writable and keep it");
	if (finding->zip_cnt)
		text_buf__printf(buf, "%sput the .pyc files into the archive (python3 -m compileall -b "
				 "before it is made)", plain ? "; " : "");
	if (finding->no_pyc_cnt)
		text_buf__printf(buf, "%s%s by a loader that looks for no .pyc file: only that loader "
				 "could keep what it compiled", plain || finding->zip_cnt ? "; " : "",
				 finding->no_pyc_cnt == finding->cnt ? "all" :
				 text_count(num, finding->no_pyc_cnt));
}

void phrase_remedy(const struct view *view, const struct process *process,
		   const struct finding *finding, struct text_buf *buf)
{
	switch (finding->rule) {
	case FINDING_DEFER:
		add_defer_remedy(view, process, finding, buf);
		break;
	case FINDING_TOGETHER:
		add_together_remedy(finding, buf);
		break;
	case FINDING_NO_GAIN:
		add_joint_remedy(finding, buf);
		break;
	case FINDING_COMPILED:
		add_compiled_remedy(finding, buf);
		break;
	case FINDING_NETWORK:
		text_buf__add(buf, "connect on first use: an import should work without a network");
		break;
	case FINDING_CHILD:
		text_buf__add(buf, "start it on first use, or read what it tells from a file");
		break;
	case FINDING_THREADS:
		text_buf__add(buf, "start threads on first use: after a fork they are gone");
		break;
	case FINDING_LATE:
		text_buf__add(buf, "import it at start-up, before the first request has to wait");
		break;
	case FINDING_LAZY:
		text_buf__add(buf, "use it later, in a function that start-up does not call, or import it as "
			      "usual");
		break;
	case FINDING_SAME:
		text_buf__add(buf, "keep one of them, or link the others to it: each takes disk reads "
			      "and page cache of its own");
		break;
	case FINDING_CIRCULAR:
		text_buf__add(buf, "move what both need into a third module");
		break;
	default:
		text_buf__add(buf, "do not try it at every start");
	}
}
