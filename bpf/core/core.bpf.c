// SPDX-License-Identifier: GPL-2.0-only
/* Owns all maps, knobs and counters, and the records that more than one file sends. */
#include "core/core.bpf.h"
#include "core/io.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct events_map events SEC(".maps");
struct threads_map threads SEC(".maps");
struct deeps_map deeps SEC(".maps");
struct procs_map procs SEC(".maps");
struct execs_map execs SEC(".maps");
struct ended_map ended SEC(".maps");
struct serials_map serials SEC(".maps");
struct scopes_map scopes SEC(".maps");
struct phases_map phases SEC(".maps");
struct sites_map sites SEC(".maps");
struct layouts_map layouts SEC(".maps");
struct edge_slots_map edge_slots SEC(".maps");
struct edges_map edges SEC(".maps");
struct code_slots_map code_slots SEC(".maps");
struct codes_map codes SEC(".maps");
struct pairs_map pairs SEC(".maps");
struct hits_map hits SEC(".maps");
struct accounts_map accounts SEC(".maps");
struct charges_map charges SEC(".maps");
struct ios_map ios SEC(".maps");
struct files_map files SEC(".maps");
struct more_files_map more_files SEC(".maps");
struct file_cnts_map file_cnts SEC(".maps");
struct path_slots_map path_slots SEC(".maps");
struct paths_map paths SEC(".maps");
struct inodes_map inodes SEC(".maps");
struct links_map links SEC(".maps");
struct conns_map conns SEC(".maps");
struct effects_map effects SEC(".maps");

const volatile bool cfg_all = false;
const volatile bool cfg_has_waking = false;
const volatile bool cfg_scoped = false;
const volatile __s32 cfg_cgroup_v1 = -1;
const volatile __s32 cfg_cgroup_root = 0;
const volatile bool cfg_memory = false;
const volatile bool cfg_sums = false;
const volatile bool cfg_no_frames = false;
const volatile __u32 cfg_page_sz = 4096;
const volatile bool cfg_wake_at_exec = false;
const volatile __u32 cfg_wakeup_sz = 1 << 20;
bool cfg_active = false;
__u32 last_id = 0;
__u32 last_serial = 0;
__u64 last_end_ns = 0;
__u32 charge_parity = 0;
__u64 charge_cnt = 0;
const volatile __u32 cfg_edge_slots = EDGE_SLOT_CNT;
const volatile __u32 cfg_code_slots = CODE_SLOT_CNT;
__u32 dict_gens[1 << DICT_GEN_BITS] = {};
const volatile struct pyi_charge charge_zero = {};
struct pyi_stats stats = {};

__hidden struct proc *proc_add(u32 tgid, u32 flags)
{
	struct proc proc = { .serial = new_serial(), .flags = flags, .layout = ~0U };

	if (bpf_map_update_elem(&procs, &tgid, &proc, BPF_ANY)) {
		count_loss(proc_full);
		return NULL;
	}
	serial_set(proc.serial, true);
	return bpf_map_lookup_elem(&procs, &tgid);
}

/* numbers[] has one entry per pid namespace; the last is the innermost one. */
__hidden u32 nspid_of(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
	u32 level = BPF_CORE_READ(pid, level);
	struct upid upid = {};

	bpf_core_read(&upid, sizeof(upid),
		      (void *)pid + bpf_core_field_offset(struct pid, numbers) +
			      (level & 31) * bpf_core_type_size(struct upid));
	return upid.nr;
}

__hidden void count_pair(u32 span, u32 is_end)
{
	u32 index = 2 * span + is_end;
	u64 *cnt = bpf_map_lookup_elem(&pairs, &index);

	if (cnt)
		*cnt += 1;
}
