// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life and death of processes: who is followed, what a fork inherits, when an image ends.
 * Tracepoints on the scheduler; nothing is done for processes that are not followed.
 */
#include "core/io.bpf.h"

/* Its tables are of use to others. */
static void image_end(u32 serial, u64 now)
{
	serial_set(serial, false);
	bpf_map_delete_elem(&file_cnts, &serial);
	last_end_ns = now;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(proc_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32;
	u64 now = bpf_ktime_get_ns();
	struct proc *proc = bpf_map_lookup_elem(&procs, &tgid);
	struct thread *thread;

	if (!proc) {
		if (cfg_all)
			bpf_map_update_elem(&execs, &tgid, &now, BPF_ANY);
		if (!cfg_scoped || !scope_covers(task))
			return 0;
	}
	if (proc)
		image_end(proc->serial, now);
	thread = bpf_task_storage_get(&threads, task, NULL, 0);
	if (thread)
		thread->serial = 0; /* its open spans ended with the old image */
	proc = proc_add(tgid, 0);
	if (proc)
		emit_exec(proc->serial, now, old_pid, BPF_CORE_READ(bprm, filename));
	return 0;
}

static int inherit_deep(struct task_struct *parent, struct task_struct *child, u32 cnt)
{
	struct deep_spans *from = bpf_task_storage_get(&deeps, parent, NULL, 0), *to;

	to = bpf_task_storage_get(&deeps, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!from || !to) {
		count_loss(thread_state);
		return -1;
	}
	if (cnt > PYI_MAX_DEPTH - NEAR_DEPTH)
		cnt = PYI_MAX_DEPTH - NEAR_DEPTH;
	return bpf_probe_read_kernel(to->open, cnt * sizeof(to->open[0]), from->open);
}

/* The child of a fork inside an import returns through the same C frames: it inherits them. */
static void inherit_spans(struct task_struct *parent, struct task_struct *child, u32 serial)
{
	struct thread *from = bpf_task_storage_get(&threads, parent, NULL, 0), *to;
	u32 depth;

	if (!from || !from->depth)
		return;
	to = bpf_task_storage_get(&threads, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!to) {
		count_loss(thread_state);
		return;
	}
	depth = from->depth;
	if (depth > NEAR_DEPTH) {
		if (inherit_deep(parent, child, depth - NEAR_DEPTH))
			return;
		depth = NEAR_DEPTH;
	}
	if (bpf_probe_read_kernel(to->open, depth * sizeof(to->open[0]), from->open))
		return;
	to->serial = serial;
	to->pid_tgid = (u64)child->tgid << 32 | (u32)child->pid;
	to->depth = from->depth;
	to->tstate = from->tstate;
	to->interp = from->interp;
	to->layout = from->layout;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(proc_fork, struct task_struct *parent, struct task_struct *child)
{
	u32 tgid = parent->tgid, child_tgid = child->tgid, serial;
	struct proc *proc, *child_proc;
	bool is_vfork = parent->mm == child->mm;
	struct pyi_fork *rec;

	if (tgid == child_tgid)
		return 0;
	proc = bpf_map_lookup_elem(&procs, &tgid);
	if (!proc) {
		/* Born into a followed cgroup (CLONE_INTO_CGROUP), or of a parent never met. */
		if (cfg_scoped)
			scope_join(child);
		return 0;
	}
	serial = proc->serial;
	child_proc = proc_add(child_tgid, proc->flags);
	if (!child_proc)
		return 0;
	child_proc->layout = proc->layout;
	child_proc->checks = proc->checks;
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec) {
		count_loss(ring_full);
	} else {
		fill_hdr(&rec->hdr, PYI_EV_FORK, sizeof(*rec), serial);
		rec->hdr.flags = is_vfork ? PYI_F_VFORK : 0;
		rec->child_tgid = child_tgid;
		rec->child_proc = child_proc->serial;
		rec->child_nspid = nspid_of(child);
		rec->pad = 0;
		bpf_probe_read_kernel(rec->comm, sizeof(rec->comm), child->comm);
		bpf_ringbuf_submit(rec, wake_flag());
	}
	if (!is_vfork)
		inherit_spans(parent, child, child_proc->serial);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(proc_exit, struct task_struct *task)
{
	u32 tgid = task->tgid;
	struct proc *proc = bpf_map_lookup_elem(&procs, &tgid);
	struct thread *thread;
	struct pyi_exit *rec;
	u64 now;

	if (!proc)
		return 0;
	if (task->signal->live.counter) { /* other threads go on */
		thread = bpf_task_storage_get(&threads, task, NULL, 0);
		if (!thread || !thread->depth || thread->serial != proc->serial)
			return 0;
		struct pyi_hdr *hdr = bpf_ringbuf_reserve(&events, sizeof(*hdr), 0);

		if (!hdr) {
			count_loss(ring_full);
			return 0;
		}
		fill_hdr(hdr, PYI_EV_THREAD_EXIT, sizeof(*hdr), proc->serial);
		bpf_ringbuf_submit(hdr, wake_flag());
		return 0;
	}
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec) {
		count_loss(ring_full);
	} else {
		fill_hdr(&rec->hdr, PYI_EV_EXIT, sizeof(*rec), proc->serial);
		rec->exit_code = task->exit_code;
		rec->pad = 0;
		/* The end of a short process is what a waiting user wants to see. */
		bpf_ringbuf_submit(rec, cfg_wake_at_exec ? wake_flag() : BPF_RB_FORCE_WAKEUP);
	}
	now = bpf_ktime_get_ns();
	image_end(proc->serial, now);
	bpf_map_update_elem(&ended, &tgid, &now, BPF_ANY);
	bpf_map_delete_elem(&procs, &tgid);
	return 0;
}
