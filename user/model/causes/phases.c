// SPDX-License-Identifier: BSD-2-Clause
/* The stretches of a process's life, from exec to ready to exit; see struct phase. */
#include <stdlib.h>
#include <string.h>

#include "model/causes/phases.h"
#include "model/state/process_table.h"

static const char *const calls[PYI_PHASE_CALL_MAX] = {
	[PYI_PHASE_CALL_ACCEPT] = "accept",
	[PYI_PHASE_CALL_EPOLL_WAIT] = "epoll_wait",
	[PYI_PHASE_CALL_POLL] = "poll",
	[PYI_PHASE_CALL_SELECT] = "select",
};

void phase_add(struct model *model, const struct pyi_phase *rec)
{
	struct process_state *state = process_get(model, &rec->hdr);
	struct process *process;

	if (!state)
		return;
	process = &state->process;
	/* The kernel sends each once; a replayed stream may be anything. */
	if (rec->phase == PYI_PHASE_LISTEN && process->listen_ns == NS_UNKNOWN) {
		process->listen_ns = rec->hdr.ts_ns;
		process->listen_family = rec->family;
		process->listen_port = rec->port;
	} else if (rec->phase == PYI_PHASE_READY && process->ready_ns == NS_UNKNOWN) {
		process->ready_ns = rec->hdr.ts_ns;
		process->ready_tid = rec->hdr.tid;
		process->ready_by = rec->call < PYI_PHASE_CALL_MAX ? calls[rec->call] : NULL;
	} else if (rec->phase == PYI_PHASE_ACCEPT && process->accept_ns == NS_UNKNOWN) {
		process->accept_ns = rec->hdr.ts_ns;
	} else if (rec->phase == PYI_PHASE_URING) {
		process->has_uring = true;
	}
}

static void add(struct process *process, const char *name, __u64 start_ns, __u64 end_ns)
{
	if (start_ns == NS_UNKNOWN || end_ns == NS_UNKNOWN || end_ns < start_ns ||
	    process->phase_cnt == PHASES_MAX)
		return;
	process->phases[process->phase_cnt++] = (struct phase){ name, start_ns, end_ns };
}

static int cmp_end(const void *a, const void *b)
{
	const struct phase *x = a, *y = b;

	return x->end_ns < y->end_ns ? -1 : x->end_ns > y->end_ns;
}

static __u64 end_of(const struct load *load)
{
	return load->wall_ns == NS_UNKNOWN ? NS_UNKNOWN : load->start_ns + load->wall_ns;
}

/* What the loads tell: only of a process seen from its exec on. */
static void add_start(struct process *process)
{
	const struct load *site = NULL, *main_load = NULL;
	__u64 start_ns = process->exec_ns;

	if (process->load_cnt)
		add(process, "exec", start_ns, process->loads[0]->start_ns);
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		if (load->tid != process->tgid || load->parent || !load->module)
			continue;
		if (!site && !strcmp(load->module, "site"))
			site = load;
		if (!main_load && load->via == VIA_MAIN)
			main_load = load;
	}
	if (site)
		add(process, "site", site->start_ns, end_of(site));
	if (main_load)
		add(process, "main", main_load->start_ns, process->startup_end_ns);
}

__u64 process_up_ns(const struct process *process)
{
	return process->ready_ns != NS_UNKNOWN ? process->ready_ns : process->startup_end_ns;
}

void phases_finish(struct process *process)
{
	process->phase_cnt = 0;
	if (!process->is_late) {
		if (process->exec_ns != NS_UNKNOWN)
			add_start(process);
		add(process, "interpreter", process->start_ns, process->run_main_ns);
		add(process, "startup", process->start_ns, process->startup_end_ns);
	}
	add(process, "listen", process->listen_ns, process->listen_ns);
	add(process, "ready", process->ready_ns, process->ready_ns);
	add(process, "accept", process->accept_ns, process->accept_ns);
	if (process->has_exit)
		add(process, "exit", process->end_ns, process->end_ns);
	qsort(process->phases, process->phase_cnt, sizeof(process->phases[0]), cmp_end);
}
