// SPDX-License-Identifier: BSD-2-Clause
/* What a start-up may not do, in any run: import in circles, compile, connect. */
#include <errno.h>
#include <string.h>

#include "model/compare/verdict_list.h"
#include "model/compiled.h"

static bool is_same_statement(const struct verdict *verdict, const struct edge *edge)
{
	return verdict->site.line == edge->importer.line &&
	       !strcmp(verdict->site.file, edge->importer.file) && verdict->what &&
	       edge->module && !strcmp(verdict->what, edge->module);
}

static int add_circular(struct verdicts *result, const struct runs *runs, size_t run, size_t before)
{
	const struct process *process = runs->processes[run];

	for (size_t i = 0; i < process->edge_cnt; i++) {
		const struct edge *edge = process->edges[i];
		struct verdict *verdict;
		bool is_told = false;

		if (!edge->is_circular || !file_is_own(edge->importer.file))
			continue;
		for (size_t k = before; run && !is_told && k < result->cnt; k++)
			is_told = is_same_statement(&result->all[k], edge);
		if (is_told)
			continue;
		verdict = verdict_add(result, runs, VERDICT_CIRCULAR);
		if (!verdict)
			return -ENOMEM;
		verdict_tell(verdict, runs, run);
		verdict->what = edge->module;
		verdict->site = edge->importer;
		verdict->result = VERDICT_BROKEN;
	}
	return 0;
}

int verdict_circular(struct verdicts *result, const struct runs *runs)
{
	size_t before = result->cnt;
	struct verdict *verdict;
	int err = 0;

	for (size_t run = 0; !err && run < runs->cnt; run++)
		err = add_circular(result, runs, run, before);
	if (err || result->cnt > before)
		return err;
	verdict = verdict_add(result, runs, VERDICT_CIRCULAR);
	if (verdict)
		verdict_needs(verdict, runs, PYI_GROUP_STATEMENTS);
	return verdict ? 0 : -ENOMEM;
}

/* How many were compiled, and which of them was the slowest. */
static __u64 count_compiled(const struct process *process, const struct load **slowest)
{
	__u64 cnt = 0;

	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		if (!load_is_compiled(load))
			continue;
		cnt++;
		if (!*slowest || load->self_ns > (*slowest)->self_ns)
			*slowest = load;
	}
	return cnt;
}

int verdict_compile(struct verdicts *result, const struct runs *runs)
{
	struct verdict *verdict = verdict_add(result, runs, VERDICT_COMPILE);

	if (!verdict)
		return -ENOMEM;
	verdict->value = 0;
	for (size_t run = 0; run < runs->cnt; run++) {
		const struct load *slowest = NULL;
		__u64 cnt = count_compiled(runs->processes[run], &slowest);

		/* A log does not tell what a module was made from. */
		if (runs->processes[run]->is_log && verdict->result == VERDICT_OK)
			verdict->result = VERDICT_UNKNOWN;
		if (cnt <= verdict->value)
			continue;
		verdict_tell(verdict, runs, run);
		verdict->value = cnt;
		verdict->load = slowest;
		verdict->result = VERDICT_BROKEN;
	}
	return 0;
}

/* Any connection or look-up by an import, or before the end of start-up. */
static bool is_at_start(const struct process *process, const struct net_use *use)
{
	return (use->kind == PYI_NET_CONNECT || use->kind == PYI_NET_DNS) &&
	       (use->load || process->startup_end_ns == NS_UNKNOWN ||
		use->start_ns <= process->startup_end_ns);
}

int verdict_network(struct verdicts *result, const struct runs *runs)
{
	struct verdict *verdict = verdict_add(result, runs, VERDICT_NETWORK);

	if (!verdict)
		return -ENOMEM;
	for (size_t r = 0; r < runs->cnt; r++) {
		const struct process *process = runs->processes[r];

		for (size_t i = 0; i < process->net.cnt; i++) {
			const struct net_use *use = process->net.uses[i];

			if (!is_at_start(process, use))
				continue;
			verdict_tell(verdict, runs, r);
			verdict->result = VERDICT_BROKEN;
			verdict->what = use->name ? use->name : use->address;
			verdict->load = use->load;
			return 0;
		}
	}
	verdict_needs(verdict, runs, PYI_GROUP_NET);
	return 0;
}
