// SPDX-License-Identifier: BSD-2-Clause
/* What to do about a finding, in words. */
#include <stdlib.h>
#include <string.h>

#include "model/lazy.h"
#include "report/text/finding.h"
#include "report/text/wording.h"

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

/* By the statement itself: what is dearest may be a part or a parent of what it names. */
static const struct edge *asking_edge(const struct process *process, const struct finding *finding)
{
	const char *module = finding->load ? finding->load->module : NULL;
	const struct edge *found = NULL;

	for (size_t i = 0; module && i < process->edge_cnt; i++) {
		const struct edge *edge = process->edges[i];

		if (edge->importer.line != finding->site.line || !edge->importer.file ||
		    !finding->site.file || strcmp(edge->importer.file, finding->site.file) != 0 ||
		    !(name_is_in(edge->module, module) || name_is_in(module, edge->module)))
			continue;
		if (!found || strlen(edge->module) > strlen(found->module))
			found = edge;
	}
	return found;
}

static void add_bound(const struct edge *edge, __u8 at, const char *name, unsigned int flags,
		      struct text_buf *buf)
{
	if (!edge || at >= edge->bound_cnt || !strcmp(edge->bound[at], name))
		return;
	text_buf__add(buf, " as ");
	text_buf__escape(buf, edge->bound[at], flags);
}

/* "lazy import pandas as pd", "lazy from pandas import DataFrame". */
static void add_lazy_statement(const struct view *view, const struct edge *edge,
			       const char *name, struct text_buf *buf)
{
	unsigned int flags = view_escape_flags(view);

	text_buf__add(buf, edge && edge->is_from ? "lazy from " : "lazy import ");
	text_buf__escape(buf, name, flags);
	if (!edge || !edge->is_from) {
		add_bound(edge, 0, name, flags, buf);
		return;
	}
	text_buf__add(buf, " import ");
	for (__u8 i = 0; i < edge->from_cnt; i++) {
		text_buf__add(buf, i ? ", " : "");
		text_buf__escape(buf, edge->from[i], flags);
		add_bound(edge, i, edge->from[i], flags, buf);
	}
	if (!edge->from_cnt)
		text_buf__add(buf, "…");
}

static bool is_star(const struct edge *edge)
{
	return edge && edge->is_from && edge->from && !edge->from_cnt;
}

static void add_lazy_change(const struct view *view, const struct process *process,
			    const struct finding *finding, struct text_buf *buf)
{
	const struct edge *edge = asking_edge(process, finding);
	const char *name = edge ? edge->is_from ? edge->asked : edge->module :
			   finding->load ? finding->load->module : NULL;

	if (!name)
		name = "…";
	if (is_star(edge)) { /* PEP 810: not with a star */
		text_buf__add(buf, "name what it uses in place of the star, and put `lazy` in front");
		return;
	}
	text_buf__add(buf, "put `lazy` in front: `");
	add_lazy_statement(view, edge, name, buf);
	text_buf__add(buf, edge && edge->bound ? "`" : "` (an `as` stays)");
	text_buf__add(buf, ", at the top of the module and outside of try; in a file that older Pythons "
			   "read as well, `__lazy_modules__ = [\"");
	text_buf__escape(buf, name, view_escape_flags(view));
	text_buf__add(buf, "\"]` above the statement; or move it into the function that uses it");
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
		phrase_known_name(view, finding->caller, buf);
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
