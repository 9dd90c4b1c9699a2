// SPDX-License-Identifier: BSD-2-Clause
/* How a program begins: the statements that bring it in, without which there is nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/advice/advice_candidates.h"

#define ENTRY_PCT 50      /* of all imports: with it comes the program */
#define ENTRY_SELF_PCT 20 /* of that: it is no program that costs so much by itself */

/* Does the statement stand in the body of the program itself? */
static bool is_in_main(const struct graph *graph, const struct graph_stmt *stmt)
{
	const struct load *load = graph__load(graph, graph__run(graph, stmt->first_run)->src);

	return load && load->via == VIA_MAIN && load->module && stmt->is_body &&
	       stmt->site.module && !strcmp(load->module, stmt->site.module);
}

/* As installers make them: they import one function and call it. */
static bool is_installed_script(const char *file)
{
	const char *slash = file ? strrchr(file, '/') : NULL;

	return slash && slash - file >= 4 && !strncmp(slash - 4, "/bin", 4);
}

/* In its body, or in a function that it called. */
static bool is_of_script(const struct graph *graph, const struct graph_stmt *stmt)
{
	const struct load *src = graph__load(graph, graph__run(graph, stmt->first_run)->src);

	return src && src->via == VIA_MAIN && is_installed_script(src->file);
}

bool advice_is_of_program(const struct advice *advice, const struct graph_stmt *stmt)
{
	return advice->program && stmt->site.module &&
	       name_is_in(stmt->site.module, advice->program);
}

bool advice_is_entry(const struct advice *advice, const struct graph_stmt *stmt)
{
	return advice->program && stmt->asked && name_is_in(stmt->asked, advice->program) &&
	       stmt->is_body && is_of_script(advice->gains->graph, stmt);
}

static bool is_installed(const struct load *load)
{
	return load->file && !file_is_of_library(load->file);
}

/* In a function that an installed script calls: the program imports the rest of itself. */
static bool is_by_itself(const struct graph *graph, const struct graph_stmt *stmt,
			 const struct load *load)
{
	const char *module = stmt->site.module;
	size_t len = module ? strcspn(module, ".") : 0;

	return len && !stmt->is_body && is_of_script(graph, stmt) &&
	       !strncmp(load->module, module, len) &&
	       (!load->module[len] || load->module[len] == '.');
}

/* What the script needs to bring the program in. */
static void mark_above(const struct graph *graph, struct candidates *candidates,
		       const struct candidate *entry)
{
	for (__u32 i = 0; i < candidates->cnt; i++) {
		struct candidate *it = &candidates->all[i];

		it->is_entry |= it->gain.ns >= entry->gain.ns &&
				is_in_main(graph, &graph->stmts[it->stmt]);
	}
}

/* Of the statements that name this package in an installed script: what they bring together. */
static int gain_of_entries(const struct advice *advice, __u64 *out_ns)
{
	const struct graph *graph = advice->gains->graph;
	_cleanup_free_ __u32 *stmts = calloc(graph->stmt_cnt + 1, sizeof(*stmts));
	struct gain gain = {};
	__u32 cnt = 0;
	int err;

	if (!stmts)
		return -ENOMEM;
	for (__u32 i = 0; i < graph->stmt_cnt; i++)
		if (advice_is_entry(advice, &graph->stmts[i]))
			stmts[cnt++] = i;
	err = cnt ? gains__of_stmts(advice->gains, stmts, cnt, &gain) : 0;
	*out_ns = gain.ns;
	return err;
}

static int set_program(struct advice *advice, const char *module)
{
	free(advice->program);
	advice->program = strndup(module, strcspn(module, "."));
	return advice->program ? 0 : -ENOMEM;
}

/* A script that brings its program in by several statements: none of them is all of it. */
static int find_joint_entry(struct advice *advice, struct candidates *candidates)
{
	const struct graph *graph = advice->gains->graph;
	__u64 ns = 0;
	int err = 0;

	for (__u32 i = 0; i < candidates->cnt && !err; i++) {
		const struct graph_stmt *stmt = &graph->stmts[candidates->all[i].stmt];
		const struct load *load = stmt_dearest(graph, stmt, NULL);

		if (!is_of_script(graph, stmt) || !load || !load->module || !is_installed(load) ||
		    (advice->program && name_is_in(load->module, advice->program)))
			continue;
		err = set_program(advice, load->module);
		if (!err)
			err = gain_of_entries(advice, &ns);
		if (!err && ns >= advice->gains->imports_ns / 100 * ENTRY_PCT)
			return 0;
	}
	free(advice->program);
	advice->program = NULL;
	return err;
}

int candidates_find_entry(struct advice *advice, struct candidates *candidates)
{
	const struct gains *gains = advice->gains;
	const struct graph *graph = gains->graph;

	for (__u32 i = 0; i < candidates->cnt; i++) {
		struct candidate *it = &candidates->all[i];
		const struct graph_stmt *stmt = &graph->stmts[it->stmt];
		const struct load *load = stmt_dearest(graph, stmt, NULL);
		bool is_script = is_of_script(graph, stmt);
		/* Debian's scripts and old setuptools' have importlib.metadata import it. */
		bool is_named = is_script && load && load->via == VIA_IMPORT_MODULE;

		if (it->gain.ns < gains->imports_ns / 100 * ENTRY_PCT || !load || !load->module ||
		    load->self_ns > it->gain.ns / 100 * ENTRY_SELF_PCT ||
		    !(is_in_main(graph, stmt) || is_named || is_by_itself(graph, stmt, load)) ||
		    !(is_script ? is_installed(load) : file_is_own(load->file)))
			continue;
		it->is_entry = true;
		if (is_named)
			mark_above(graph, candidates, it);
		return is_script ? set_program(advice, load->module) : 0;
	}
	return find_joint_entry(advice, candidates);
}
