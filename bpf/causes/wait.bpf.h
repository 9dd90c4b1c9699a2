/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a thread that leaves the CPU is going to wait for: the kernel's own word for disk
 * (in_iowait), else the system call it is in and, where that says little, the kind of file.
 */
#ifndef BPF_CAUSES_WAIT_BPF_H
#define BPF_CAUSES_WAIT_BPF_H

#include "core/core.bpf.h"

enum call { CALL_OTHER = 0, CALL_LOCK, CALL_SLEEP, CALL_CHILD, CALL_NETWORK, CALL_PATH, CALL_FD,
	    CALL_POLL, CALL_SELECT };

#define NR_CNT 512
#if defined(__TARGET_ARCH_x86)
static const u8 calls[NR_CNT] = {
	/* futex, futex_waitv, futex_wait */
	[202] = CALL_LOCK, [449] = CALL_LOCK, [455] = CALL_LOCK,
	[72] = CALL_LOCK, [73] = CALL_LOCK, /* fcntl, flock */
	[65] = CALL_LOCK, [220] = CALL_LOCK, /* semop, semtimedop */
	[35] = CALL_SLEEP, [230] = CALL_SLEEP, /* nanosleep, clock_nanosleep */
	[61] = CALL_CHILD, [247] = CALL_CHILD, /* wait4, waitid */
	[56] = CALL_CHILD, [58] = CALL_CHILD, [435] = CALL_CHILD, /* clone, vfork, clone3: vfork */
	/* connect, accept, accept4 */
	[42] = CALL_NETWORK, [43] = CALL_NETWORK, [288] = CALL_NETWORK,
	[44] = CALL_NETWORK, [45] = CALL_NETWORK, /* sendto, recvfrom */
	[46] = CALL_NETWORK, [47] = CALL_NETWORK, /* sendmsg, recvmsg */
	[299] = CALL_NETWORK, [307] = CALL_NETWORK, /* recvmmsg, sendmmsg */
	[232] = CALL_NETWORK, [281] = CALL_NETWORK, [441] = CALL_NETWORK, /* epoll_wait … pwait2 */
	[2] = CALL_PATH, [257] = CALL_PATH, [437] = CALL_PATH, /* open, openat, openat2 */
	[4] = CALL_PATH, [6] = CALL_PATH, [262] = CALL_PATH, [332] = CALL_PATH, /* stat … statx */
	[21] = CALL_PATH, [269] = CALL_PATH, [439] = CALL_PATH, /* access, faccessat, -2 */
	[89] = CALL_PATH, [267] = CALL_PATH, /* readlink, readlinkat */
	[78] = CALL_PATH, [217] = CALL_PATH, /* getdents, getdents64 */
	[74] = CALL_PATH, [75] = CALL_PATH, [162] = CALL_PATH, [26] = CALL_PATH, /* fsync … msync */
	[59] = CALL_PATH, [82] = CALL_PATH, [83] = CALL_PATH, [258] = CALL_PATH, /* exec … mkdir */
	[0] = CALL_FD, [1] = CALL_FD, [3] = CALL_FD, [5] = CALL_FD, /* read, write, close, fstat */
	[17] = CALL_FD, [18] = CALL_FD, [19] = CALL_FD, [20] = CALL_FD, /* pread … writev */
	[295] = CALL_FD, [296] = CALL_FD, /* preadv, pwritev */
	[7] = CALL_POLL, [271] = CALL_POLL, /* poll, ppoll */
	[23] = CALL_SELECT, [270] = CALL_SELECT, /* select, pselect6 */
};
#define CALL_NR(regs) ((long)BPF_CORE_READ(regs, orig_ax))
#define NR_FUTEX 202
#else /* arm64, and whatever has the generic table */
static const u8 calls[NR_CNT] = {
	[98] = CALL_LOCK, [449] = CALL_LOCK, [455] = CALL_LOCK, [25] = CALL_LOCK, [32] = CALL_LOCK,
	[193] = CALL_LOCK, [192] = CALL_LOCK, [101] = CALL_SLEEP, [115] = CALL_SLEEP,
	[260] = CALL_CHILD, [95] = CALL_CHILD, [220] = CALL_CHILD, [435] = CALL_CHILD,
	[203] = CALL_NETWORK, [202] = CALL_NETWORK, [242] = CALL_NETWORK, [206] = CALL_NETWORK,
	[207] = CALL_NETWORK, [211] = CALL_NETWORK, [212] = CALL_NETWORK, [243] = CALL_NETWORK,
	[269] = CALL_NETWORK, [22] = CALL_NETWORK, [441] = CALL_NETWORK,
	[56] = CALL_PATH, [437] = CALL_PATH, [79] = CALL_PATH, [291] = CALL_PATH, [48] = CALL_PATH,
	[439] = CALL_PATH, [78] = CALL_PATH, [61] = CALL_PATH, [82] = CALL_PATH, [83] = CALL_PATH,
	[81] = CALL_PATH, [227] = CALL_PATH, [221] = CALL_PATH, [34] = CALL_PATH,
	[63] = CALL_FD, [64] = CALL_FD, [57] = CALL_FD, [80] = CALL_FD, [67] = CALL_FD,
	[68] = CALL_FD, [65] = CALL_FD, [66] = CALL_FD, [69] = CALL_FD, [70] = CALL_FD,
	[73] = CALL_POLL, [72] = CALL_SELECT,
};
#define CALL_NR(regs) ((long)BPF_CORE_READ(regs, syscallno))
#define NR_FUTEX 98
#endif

#define STOPPED (4 | 8) /* by a signal, by a debugger */
#define FILE_TYPE 0170000
#define FILE_SOCKET 0140000
#define FILE_FIFO 0010000
#define FILE_CHAR 0020000

/* Up to 5.13 it was called `state`. */
struct task_struct___old {
	long state;
} __attribute__((preserve_access_index));

static __always_inline u32 task_state(struct task_struct *task)
{
	if (bpf_core_field_exists(task->__state))
		return BPF_CORE_READ(task, __state);
	return BPF_CORE_READ((struct task_struct___old *)task, state);
}

static __always_inline u32 cause_of_fd(struct task_struct *task, u32 fd)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd), *file = NULL;
	u32 type;

	if (!files || fd >= BPF_CORE_READ(table, max_fds))
		return PYI_WAIT_OTHER;
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	type = BPF_CORE_READ(file, f_inode, i_mode) & FILE_TYPE;
	return type == FILE_SOCKET ? PYI_WAIT_NETWORK : type == FILE_FIFO ? PYI_WAIT_CHILD :
	       type == FILE_CHAR || !type ? PYI_WAIT_OTHER : PYI_WAIT_DISK;
}

/* poll() on several files: the first one tells. */
static __always_inline u32 cause_of_poll(struct task_struct *task, u64 fds, u64 cnt)
{
	s32 fd = -1;

	if (!cnt)
		return PYI_WAIT_SLEEP;
	if (bpf_probe_read_user(&fd, sizeof(fd), (void *)fds) || fd < 0)
		return PYI_WAIT_OTHER;
	return cause_of_fd(task, fd);
}

/* @task is the current one, and about to leave the CPU. */
static __always_inline u32 wait_cause(struct task_struct *task)
{
	struct pt_regs *regs;
	long nr;

	if (task_state(task) & STOPPED)
		return PYI_WAIT_OTHER;
	if (BPF_CORE_READ_BITFIELD_PROBED(task, in_iowait))
		return PYI_WAIT_DISK;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	nr = CALL_NR(regs);
	if (nr < 0 || nr >= NR_CNT) /* no system call: a page fault */
		return PYI_WAIT_OTHER;
	switch (calls[nr]) {
	case CALL_LOCK: return PYI_WAIT_LOCK;
	case CALL_SLEEP: return PYI_WAIT_SLEEP;
	case CALL_CHILD: return PYI_WAIT_CHILD;
	case CALL_NETWORK: return PYI_WAIT_NETWORK;
	case CALL_PATH: return PYI_WAIT_DISK;
	case CALL_FD: return cause_of_fd(task, PT_REGS_PARM1_CORE_SYSCALL(regs));
	case CALL_POLL: return cause_of_poll(task, PT_REGS_PARM1_CORE_SYSCALL(regs),
					     PT_REGS_PARM2_CORE_SYSCALL(regs));
	case CALL_SELECT: /* select() on nothing is how Python slept up to 3.10 */
		return PT_REGS_PARM1_CORE_SYSCALL(regs) ? PYI_WAIT_NETWORK : PYI_WAIT_SLEEP;
	}
	return PYI_WAIT_OTHER;
}

/* A lock that is waited for however long it takes. The interpreter's own is asked for in turns. */
static __always_inline bool is_endless_futex(struct task_struct *task)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	return CALL_NR(regs) == NR_FUTEX && !PT_REGS_PARM4_CORE_SYSCALL(regs);
}

#endif
