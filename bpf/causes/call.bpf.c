// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one pair of programs that every system call of the host passes: which calls of followed
 * threads mean something, and to whom. A bystander's call that means nothing costs one look at a
 * table; one that does, failed look-ups.
 */
#include "core/io.bpf.h"
#include "pyimport_phase.h"

/* By number: enum pyi_call, and enum pyi_phase_call in the upper byte. */
const volatile __u16 cfg_calls[PYI_CALLS] = {};

static __always_inline u32 uses_of(u64 nr)
{
	return nr < PYI_CALLS ? cfg_calls[nr & (PYI_CALLS - 1)] : 0;
}

SEC("?tp_btf/sys_enter")
int BPF_PROG(call_enter, struct pt_regs *regs, long nr)
{
	u32 uses = uses_of(nr);
	struct io *io;

	if (uses >> PYI_CALL_PHASE_SHIFT)
		phase_enter(regs, uses >> PYI_CALL_PHASE_SHIFT);
	if (!(uses & PYI_CALL_MASK))
		return 0;
	io = bpf_task_storage_get(&ios, bpf_get_current_task_btf(), NULL, 0);
	if (!io)
		return 0;
	io->call = uses & PYI_CALL_MASK;
	io->read_bytes = 0;
	io->enter_ns = bpf_ktime_get_ns();
	return 0;
}

static __always_inline void end_call(struct pt_regs *regs, long ret, u32 call)
{
	struct io *io = io_now();

	if (!io)
		return;
	io->now = bpf_ktime_get_ns();
	io->ns = io->call == call && io->now > io->enter_ns ? io->now - io->enter_ns : 0;
	io->call = call;
	io->is_text_fresh = 0;
	io->args[0] = SYSCALL_ARG0(regs);
	io->args[1] = SYSCALL_ARG1(regs);
	io->args[2] = SYSCALL_ARG2(regs);
	io->args[3] = SYSCALL_ARG3(regs);
	io->args[4] = SYSCALL_ARG4(regs);
	io->ret = ret;
	if (call < PYI_CALL_NET)
		file_call(io);
	else
		net_call(io);
	io->call = PYI_CALL_NONE;
	io->spent_calls++;
	io->spent_ns += bpf_ktime_get_ns() - io->now;
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(call_exit, struct pt_regs *regs, long ret)
{
	u32 uses = uses_of(SYSCALL_NR(regs));

	if (uses & PYI_CALL_MASK)
		end_call(regs, ret, uses & PYI_CALL_MASK);
	if (uses >> PYI_CALL_PHASE_SHIFT && ret >= 0)
		phase_exit(regs, uses >> PYI_CALL_PHASE_SHIFT);
	return 0;
}

/* The image is another one now; who the thread belongs to is looked up at its next call. */
SEC("?tp_btf/sched_process_exec")
int BPF_PROG(call_exec, struct task_struct *task)
{
	struct io *io = bpf_task_storage_get(&ios, task, NULL, 0);

	if (io)
		io->serial = 0;
	return 0;
}
