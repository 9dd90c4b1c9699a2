// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accounts of threads and the charges of spans; what is charged is in the files of the causes.
 * Threads started, and images executed, by followed processes have an account from their first
 * instruction on; those of a process that ran already get it when they hit their first probe.
 */
#include "core/charge.bpf.h"

__hidden struct account *account_of(struct task_struct *task)
{
	struct account *account = bpf_task_storage_get(&accounts, task, NULL, 0);
	struct thread *t;

	if (account)
		return account;
	t = bpf_task_storage_get(&threads, task, NULL, 0);
	if (!t || !t->serial)
		return NULL;
	account = bpf_task_storage_get(&accounts, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!account)
		count_loss(charges_full);
	return account;
}

/* The span @back below the top of @task, 0 = none. stack.bpf.h knows the current task alone. */
static __always_inline u32 span_below(struct thread *t, struct task_struct *task, u32 back)
{
	u32 depth = t->depth < PYI_MAX_DEPTH ? t->depth : PYI_MAX_DEPTH, index = depth - 1 - back;
	struct deep_spans *deep;

	if (depth <= back)
		return 0;
	barrier_var(index);
	if (index < NEAR_DEPTH)
		return t->open[index].id;
	deep = bpf_task_storage_get(&deeps, task, NULL, 0);
	index -= NEAR_DEPTH;
	barrier_var(index);
	if (!deep || index >= PYI_MAX_DEPTH - NEAR_DEPTH)
		return 0;
	return deep->open[index].id;
}

/* Counters of a span of the account's image. */
static struct pyi_charge *charge_get(struct account *account, u32 span, u32 below)
{
	struct pyi_charge_key key = {
		.span = span, .below = below, .proc = account->serial, .parity = charge_parity,
	};
	struct pyi_charge *charge = bpf_map_lookup_elem(&charges, &key);

	if (charge)
		return charge;
	bpf_map_update_elem(&charges, &key, (const void *)&charge_zero, BPF_NOEXIST);
	charge = bpf_map_lookup_elem(&charges, &key);
	if (charge)
		__sync_fetch_and_add(&charge_cnt, 1);
	else
		count_loss(charges_full);
	return charge;
}

/* The image is known when its process is followed: soon after fork and exec, not at once. */
static __always_inline bool has_serial(struct task_struct *task, struct account *account)
{
	struct proc *proc;
	u32 tgid = task->tgid;

	if (!account->serial) {
		proc = bpf_map_lookup_elem(&procs, &tgid);
		account->serial = proc ? proc->serial : 0;
	}
	return account->serial;
}

static __always_inline void find_top(struct task_struct *task, const struct account *account,
				     u32 *span, u32 *below)
{
	struct thread *t = bpf_task_storage_get(&threads, task, NULL, 0);

	*span = *below = 0;
	if (t && t->serial == account->serial) {
		*span = span_below(t, task, 0);
		*below = span_below(t, task, 1);
	}
	if (!*span)
		*span = task->pid == task->tgid ? PYI_OUTSIDE_MAIN : PYI_OUTSIDE_OTHERS;
}

__hidden struct pyi_charge *charge_of(struct task_struct *task, struct account *account)
{
	u32 span, below;

	if (!has_serial(task, account))
		return NULL;
	find_top(task, account, &span, &below);
	return charge_get(account, span, below);
}

__hidden struct pyi_charge *charge_left(struct account *account)
{
	return account->serial ? charge_get(account, account->span, account->below) : NULL;
}

__hidden void charge_leave(struct task_struct *task, struct account *account)
{
	u32 span, below;

	if (!has_serial(task, account))
		return;
	find_top(task, account, &span, &below);
	account->span = span;
	account->below = below;
}

__hidden void charge_slice(struct task_struct *task, struct account *account, u64 now)
{
	struct pyi_charge *charge = account->on_ns ? charge_of(task, account) : NULL;

	if (charge && now > account->on_ns)
		CHARGE(charge, cpu_ns, now - account->on_ns);
	account->on_ns = now;
}

static struct account *account_open(struct task_struct *task)
{
	struct account *account;

	account = bpf_task_storage_get(&accounts, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!account)
		count_loss(charges_full);
	return account;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(charge_exec, struct task_struct *task)
{
	struct account *account = bpf_task_storage_get(&accounts, task, NULL, 0);
	u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if (account)
		charge_slice(task, account, bpf_ktime_get_ns());
	else if (bpf_map_lookup_elem(&procs, &tgid))
		account = account_open(task);
	if (account) {
		account->serial = 0; /* that was the old image */
		account->on_ns = bpf_ktime_get_ns();
	}
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(charge_fork, struct task_struct *parent, struct task_struct *child)
{
	if (account_of(parent))
		account_open(child);
	return 0;
}
