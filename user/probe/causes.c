// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which BPF programs measure which group of causes, and what each needs of the kernel. A group
 * that is not wanted, or whose tracepoint this kernel lacks, is not loaded: its figures are
 * unknown.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "probe/features.h"
#include "probe/private.h"
#include "pyimport_layout.h"

/* A group is measured when all of its programs can be. */
static const struct part {
	__u32 group;
	const char *program, *tracepoint;
} parts[] = {
	{ PYI_GROUP_CPU, "cpu_switch", "sched_switch" },
	{ PYI_GROUP_CPU, "cpu_wakeup_new", "sched_wakeup_new" },
	{ PYI_GROUP_CPU, "cpu_exit", "sched_process_exit" },
	{ PYI_GROUP_WAKE, "cpu_waking", "sched_waking" },
	{ PYI_GROUP_FILES | PYI_GROUP_NET, "call_exec", "sched_process_exec" },
	{ PYI_GROUP_FILES | PYI_GROUP_NET | PYI_GROUP_PHASES, "call_enter", "sys_enter" },
	{ PYI_GROUP_FILES | PYI_GROUP_NET | PYI_GROUP_PHASES, "call_exit", "sys_exit" },
	{ PYI_GROUP_DISK, "disk_queue", "block_bio_queue" },
	{ PYI_GROUP_MEMORY, "memory_switch", "sched_switch" },
	{ PYI_GROUP_MEMORY, "memory_exit", "sched_process_exit" },
	{ PYI_GROUP_MEMORY, "memory_fork", "sched_process_fork" },
	{ PYI_GROUP_MEMORY, "memory_exec", "sched_process_exec" },
	{ PYI_GROUP_NET, "net_fork", "sched_process_fork" },
	{ PYI_GROUP_NET, "net_state", "inet_sock_set_state" },
};
#define PART_CNT (sizeof(parts) / sizeof(parts[0]))

void causes_choose(struct probes *probes, const struct probes_opts *opts)
{
	const char *without = opts->no_tracepoint ? opts->no_tracepoint : "";
	__u32 unwanted = opts->groups_off;
	struct bpf_program *program;
	__u32 missing = unwanted & PYI_GROUP_CPU ? PYI_GROUP_WAKE : 0;

	probes->groups = 0;
	for (size_t i = 0; i < PART_CNT; i++) {
		if (!feature_tp_btf(parts[i].tracepoint) ||
		    !strcmp(parts[i].tracepoint, without)) {
			log_info("this kernel has no tracepoint %s", parts[i].tracepoint);
			missing |= parts[i].group;
		}
		probes->groups |= parts[i].group;
	}
	probes->groups &= ~(missing | unwanted);
	probes->skel->rodata->cfg_page_sz = sysconf(_SC_PAGESIZE);
	probes->skel->rodata->cfg_has_waking = probes->groups & PYI_GROUP_WAKE;
	probes->skel->rodata->cfg_memory = probes->groups & PYI_GROUP_MEMORY;
	for (size_t i = 0; i < PART_CNT; i++) {
		program = bpf_object__find_program_by_name(probes->skel->obj, parts[i].program);
		if (program)
			bpf_program__set_autoload(program, probes->groups & parts[i].group);
	}
}
