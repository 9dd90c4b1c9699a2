// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time on a CPU and off it. What a thread waits for is decided when it leaves the CPU, by the
 * system call it is in; how long, when it has one again. A wait is charged to the span on top,
 * which cannot change meanwhile.
 */
#include "charge.bpf.h"
#include "wait.bpf.h"

static void leave_cpu(struct task_struct *task, bool is_preempted, u64 now)
{
	struct account *account = account_of(task);

	if (!account)
		return;
	charge_slice(task, account, now);
	account->on_ns = 0;
	account->off_ns = now;
	account->cause = is_preempted || !task_state(task) ? PYI_WAIT_RUNQUEUE : wait_cause(task);
}

static void take_cpu(struct task_struct *task, u64 now)
{
	struct account *account = account_of(task);
	u64 ready_ns, cause;
	struct pyi_charge *charge;

	if (!account)
		return;
	account->on_ns = now;
	charge = account->off_ns ? charge_of(task, account) : NULL;
	if (charge) {
		cause = account->cause;
		ready_ns = account->woken_ns;
		if (cause == PYI_WAIT_RUNQUEUE || ready_ns < account->off_ns)
			ready_ns = account->off_ns; /* woken while it went to sleep */
		if (!cfg_has_waking)
			ready_ns = cause == PYI_WAIT_RUNQUEUE ? account->off_ns : now;
		barrier_var(cause);
		if (cause < PYI_WAIT_CNT && ready_ns > account->off_ns)
			CHARGE(charge, wait_ns[cause], ready_ns - account->off_ns);
		if (now > ready_ns)
			CHARGE(charge, wait_ns[PYI_WAIT_RUNQUEUE], now - ready_ns);
	}
	account->off_ns = 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(cpu_switch, bool is_preempted, struct task_struct *prev, struct task_struct *next)
{
	u64 now = bpf_ktime_get_ns();

	leave_cpu(prev, is_preempted, now);
	take_cpu(next, now);
	return 0;
}

SEC("?tp_btf/sched_waking")
int BPF_PROG(cpu_waking, struct task_struct *task)
{
	struct account *account = bpf_task_storage_get(&accounts, task, NULL, 0);

	if (account)
		account->woken_ns = bpf_ktime_get_ns();
	return 0;
}

/* A new thread waits for its first CPU. */
SEC("?tp_btf/sched_wakeup_new")
int BPF_PROG(cpu_wakeup_new, struct task_struct *task)
{
	struct account *account = bpf_task_storage_get(&accounts, task, NULL, 0);

	if (account) {
		account->off_ns = bpf_ktime_get_ns();
		account->cause = PYI_WAIT_RUNQUEUE;
	}
	return 0;
}

/* Its last slice ends here, where its process's life does; what the kernel tidies up is not its. */
SEC("?tp_btf/sched_process_exit")
int BPF_PROG(cpu_exit, struct task_struct *task)
{
	struct account *account = bpf_task_storage_get(&accounts, task, NULL, 0);

	if (account) {
		charge_slice(task, account, bpf_ktime_get_ns());
		account->on_ns = account->serial = 0;
	}
	return 0;
}
