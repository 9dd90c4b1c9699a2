// SPDX-License-Identifier: GPL-2.0-only
/* The record of an exec: who the process is, and its command line. */
#include "core/core.bpf.h"

/* The current task's image. The command line is read from its memory, where exec just put it. */
__hidden void emit_exec(u32 serial, u64 ts_ns, u32 old_tid, const char *filename)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
	struct pyi_exec *rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	u64 start, sz;
	long len;

	if (!rec) {
		count_loss(ring_full);
		return;
	}
	fill_hdr(&rec->hdr, PYI_EV_EXEC, sizeof(*rec), serial);
	rec->hdr.ts_ns = ts_ns;
	rec->ppid = BPF_CORE_READ(task, real_parent, tgid);
	rec->nspid = nspid_of(task);
	rec->uid = BPF_CORE_READ(task, cred, uid.val);
	rec->old_tid = old_tid;
	rec->cgroup = cgroup_of(task);
	bpf_get_current_comm(rec->comm, sizeof(rec->comm));
	rec->pad = 0;
	rec->filename_sz = 0;
	rec->args_sz = 0;
	if (filename) {
		len = bpf_probe_read_kernel_str(rec->filename, sizeof(rec->filename), filename);
		rec->filename_sz = len > 0 ? len : 0;
	}
	start = BPF_CORE_READ(task, mm, arg_start);
	sz = BPF_CORE_READ(task, mm, arg_end) - start;
	if (sz > PYI_ARGS_SZ) {
		sz = PYI_ARGS_SZ;
		rec->hdr.flags |= PYI_F_TRUNC;
	}
	if (sz && !bpf_probe_read_user(rec->args, sz, (void *)start))
		rec->args_sz = sz;
	else
		rec->hdr.flags |= PYI_F_UNREADABLE;
	bpf_ringbuf_submit(rec, cfg_wake_at_exec ? BPF_RB_FORCE_WAKEUP : wake_flag());
}
