// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filtering by cgroup. A process is followed from the moment it execs, is born or is moved inside
 * a followed cgroup, so that a probe hit in any other process costs one failed look-up and knows
 * nothing of cgroups. One hierarchy counts: v2, or that of one v1 controller.
 */
#include "core/core.bpf.h"

#define LEVELS_MAX 64 /* the kernel allows as many as it is told to; nobody nests deeper */

static __always_inline struct cgroup_subsys_state *css_of(struct task_struct *task)
{
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	struct cgroup_subsys_state *css = NULL;
	struct cgroup *cgroup;

	if (cfg_cgroup_v1 < 0) {
		cgroup = BPF_CORE_READ(set, dfl_cgrp);
		return (void *)cgroup + bpf_core_field_offset(struct cgroup, self);
	}
	bpf_core_read(&css, sizeof(css),
		      (void *)set + bpf_core_field_offset(struct css_set, subsys) +
			      (cfg_cgroup_v1 & 31) * sizeof(css));
	return css;
}

/* Id of the task's cgroup: the inode number of its directory. */
__hidden u64 cgroup_of(struct task_struct *task)
{
	struct cgroup_subsys_state *css = css_of(task);

	return BPF_CORE_READ(css, cgroup, kn, id);
}

__hidden bool scope_covers(struct task_struct *task)
{
	struct cgroup_subsys_state *css = css_of(task);

	for (int i = 0; i < LEVELS_MAX && css; i++) {
		u64 id = BPF_CORE_READ(css, cgroup, kn, id);

		if (bpf_map_lookup_elem(&scopes, &id))
			return true;
		css = BPF_CORE_READ(css, parent);
	}
	return false;
}

/* Follows a process that did not exec just now. What it runs may not be probed yet: tell. */
__hidden void scope_join(struct task_struct *task)
{
	u32 tgid = task->tgid;
	struct pyi_hdr *hdr;
	struct proc *proc;

	if (bpf_map_lookup_elem(&procs, &tgid) || !scope_covers(task))
		return;
	proc = proc_add(tgid, 0);
	if (!proc)
		return;
	hdr = bpf_ringbuf_reserve(&events, sizeof(*hdr), 0);
	if (!hdr) {
		count_loss(ring_full);
		return;
	}
	fill_hdr(hdr, PYI_EV_JOIN, sizeof(*hdr), proc->serial);
	hdr->tgid = hdr->tid = tgid;
	bpf_ringbuf_submit(hdr, BPF_RB_FORCE_WAKEUP);
}

/* Moved in while it runs. What is moved out stays followed: its story has begun. */
SEC("?tp_btf/cgroup_attach_task")
int BPF_PROG(cgroup_attach, struct cgroup *cgroup, const char *path, struct task_struct *task)
{
	scope_join(task);
	return 0;
}

/* A container may be gone by the time its name is asked for. */
SEC("?tp_btf/cgroup_mkdir")
int BPF_PROG(cgroup_made, struct cgroup *cgroup, const char *path)
{
	struct pyi_cgroup *rec;
	long len;

	if (BPF_CORE_READ(cgroup, root, hierarchy_id) != cfg_cgroup_root)
		return 0; /* ids are unique in their own hierarchy only */
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec) {
		count_loss(ring_full);
		return 0;
	}
	fill_hdr(&rec->hdr, PYI_EV_CGROUP, sizeof(*rec), 0);
	rec->id = BPF_CORE_READ(cgroup, kn, id);
	len = bpf_probe_read_kernel_str(rec->path, sizeof(rec->path), path);
	rec->path_sz = len > 0 ? len : 0;
	rec->pad = 0;
	bpf_ringbuf_submit(rec, wake_flag());
	return 0;
}
