// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time on a CPU and off it. What a thread waits for is decided when it leaves the CPU, by the
 * system call it is in; how long, when it has one again. A wait is charged to the span on top,
 * which cannot change meanwhile.
 */
#include "core/charge.bpf.h"
#include "causes/import_wait.bpf.h"
#include "causes/wait.bpf.h"

static __always_inline u64 ran_ns(struct task_struct *task)
{
	return BPF_CORE_READ(task, se.sum_exec_runtime);
}

/* The wait that began at off_ns ends: @now is when it had a CPU again. */
static void charge_wait(struct task_struct *task, struct account *account, u64 now)
{
	struct pyi_charge *charge = charge_left(account);
	u64 off_ns = account->off_ns, ready_ns = now, cause = account->cause;

	account->off_ns = 0;
	if (account->wait)
		import_wait_end(task, account->wait, now);
	account->wait = 0;
	if (!charge || now <= off_ns)
		return;
	if (cause == PYI_WAIT_RUNQUEUE)
		ready_ns = off_ns;
	else if (cfg_has_waking && account->woken_ns >= off_ns && account->woken_ns < now)
		ready_ns = account->woken_ns;
	barrier_var(cause);
	if (cause < PYI_WAIT_CNT && ready_ns > off_ns)
		CHARGE(charge, wait_ns[cause], ready_ns - off_ns);
	if (now > ready_ns)
		CHARGE(charge, wait_ns[PYI_WAIT_RUNQUEUE], now - ready_ns);
}

/*
 * A thread is given the CPU in the context of the one before it, and where that one is hidden from
 * BPF programs we see the thread only when it leaves again. The kernel says how long it ran.
 */
static void catch_up(struct task_struct *task, struct account *account, u64 now)
{
	u64 ran = ran_ns(task) - account->ran_ns, began_ns;

	began_ns = ran < now - account->off_ns ? now - ran : account->off_ns;
	charge_wait(task, account, began_ns);
	account->on_ns = began_ns;
}

static void leave_cpu(struct task_struct *task, bool is_preempted, u64 now)
{
	struct account *account = account_of(task);

	if (!account || account->is_over)
		return;
	if (account->off_ns)
		catch_up(task, account, now);
	charge_slice(task, account, now);
	charge_leave(task, account);
	account->on_ns = 0;
	account->off_ns = now;
	account->ran_ns = ran_ns(task);
	account->cause = is_preempted || !task_state(task) ? PYI_WAIT_RUNQUEUE : wait_cause(task);
	if (account->cause == PYI_WAIT_LOCK && is_endless_futex(task))
		account->wait = import_wait_begin(task, account, now);
}

static void take_cpu(struct task_struct *task, u64 now)
{
	struct account *account = account_of(task);

	if (!account || account->is_over)
		return;
	account->on_ns = now;
	if (account->off_ns)
		charge_wait(task, account, now);
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
		charge_leave(task, account);
	}
	return 0;
}

/* Its last slice ends here, where its process's life does. */
SEC("?tp_btf/sched_process_exit")
int BPF_PROG(cpu_exit, struct task_struct *task)
{
	struct account *account = bpf_task_storage_get(&accounts, task, NULL, 0);
	u64 now = bpf_ktime_get_ns();

	if (account) {
		if (account->off_ns)
			catch_up(task, account, now);
		charge_slice(task, account, now);
		account->is_over = true;
	}
	return 0;
}
