// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resident memory, from the kernel's own counters of the process. It is looked at just before the
 * span on top may change, and when a thread leaves the CPU: what changed since the last look, by
 * whatever thread, is charged to the span on top of this one. So the charges of all spans add up
 * to the process's change.
 */
#include "core/charge.bpf.h"

#define FILE_PAGES 0
#define ANON_PAGES 1
#define SHMEM_PAGES 3
#define CPUS_MAX 64 /* with more of them the others' parts, a few dozen pages each, are left out */

static u64 cpu_offsets[CPUS_MAX];

/* Up to 6.1: one counter, and in each thread what it has not yet added. */
struct mm_rss_stat___old {
	atomic_long_t count[4];
} __attribute__((preserve_access_index));
struct mm_struct___old {
	struct mm_rss_stat___old rss_stat;
} __attribute__((preserve_access_index));
struct task_rss_stat___old {
	int count[4];
} __attribute__((preserve_access_index));
struct task_struct___faults {
	unsigned long min_flt, maj_flt;
} __attribute__((preserve_access_index));
struct task_struct___oldrss {
	struct task_rss_stat___old rss_stat;
} __attribute__((preserve_access_index));

/* Value of a pointer that the verifier would not let us count with. */
static __always_inline u64 address_of(void *ptr)
{
	u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &ptr);
	return address;
}

/*
 * How far each CPU's own variables lie from where their addresses point. No symbol tells on every
 * kernel; a value of a per-CPU map does, whose address is known both ways.
 */
__noinline int cpu_offsets_fill(void)
{
	u64 base = 0, array = address_of(&pairs);
	u32 key = 0;
	void *value;

	bpf_probe_read_kernel(&base, sizeof(base),
			      (void *)(array + bpf_core_field_offset(struct bpf_array, pptrs)));
	for (u32 cpu = 0; cpu < CPUS_MAX && base; cpu++) {
		value = bpf_map_lookup_percpu_elem(&pairs, &key, cpu);
		if (!value)
			break;
		cpu_offsets[cpu] = address_of(value) - base;
	}
	return 0;
}

static __always_inline s32 part_of(u64 parts, u64 offset)
{
	s32 part = 0;

	bpf_probe_read_kernel(&part, sizeof(part), (void *)(parts + offset));
	return part;
}

/*
 * 6.2 and later: each counter is a sum over the CPUs. Since 6.6 (14ef95be6f55) a CPU's parts of all
 * counters lie side by side and are read at once.
 */
static __always_inline void rss_sum(struct mm_struct *mm, s64 *anon, s64 *file)
{
	u64 anon_parts = (u64)mm->rss_stat[ANON_PAGES].counters;
	u64 file_parts = (u64)mm->rss_stat[FILE_PAGES].counters;
	u64 shmem_parts = (u64)mm->rss_stat[SHMEM_PAGES].counters, offset;
	bool is_grouped = anon_parts == file_parts + ANON_PAGES * sizeof(s32) &&
			  shmem_parts == file_parts + SHMEM_PAGES * sizeof(s32);
	s32 parts[SHMEM_PAGES + 1] = {};

	*anon = mm->rss_stat[ANON_PAGES].count;
	*file = mm->rss_stat[FILE_PAGES].count + mm->rss_stat[SHMEM_PAGES].count;
	if (!cpu_offsets[0])
		cpu_offsets_fill();
	for (u32 cpu = 0; cpu < CPUS_MAX; cpu++) {
		offset = cpu_offsets[cpu];
		if (!offset)
			break;
		if (is_grouped) {
			bpf_probe_read_kernel(parts, sizeof(parts), (void *)(file_parts + offset));
		} else {
			parts[ANON_PAGES] = part_of(anon_parts, offset);
			parts[FILE_PAGES] = part_of(file_parts, offset);
			parts[SHMEM_PAGES] = part_of(shmem_parts, offset);
		}
		*anon += parts[ANON_PAGES];
		*file += parts[FILE_PAGES] + parts[SHMEM_PAGES];
	}
}

/* Resident pages of the current process. */
__noinline int rss_read(struct rss *out)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_struct___oldrss *old_task = (void *)task;
	struct mm_struct *mm = task->mm; /* a pointer the verifier knows: plain loads */
	struct mm_struct___old *old_mm = (void *)mm;
	s64 anon, file;

	if (!out || !mm)
		return -1;
	if (bpf_core_type_exists(struct mm_rss_stat___old)) {
		anon = BPF_CORE_READ(old_mm, rss_stat.count[ANON_PAGES].counter);
		file = BPF_CORE_READ(old_mm, rss_stat.count[FILE_PAGES].counter) +
		       BPF_CORE_READ(old_mm, rss_stat.count[SHMEM_PAGES].counter);
		if (bpf_core_field_exists(old_task->rss_stat)) {
			anon += BPF_CORE_READ(old_task, rss_stat.count[ANON_PAGES]);
			file += BPF_CORE_READ(old_task, rss_stat.count[FILE_PAGES]) +
				BPF_CORE_READ(old_task, rss_stat.count[SHMEM_PAGES]);
		}
	} else {
		rss_sum(mm, &anon, &file);
	}
	out->anon = anon > 0 ? anon : 0;
	out->file = file > 0 ? file : 0;
	out->is_known = true;
	return 0;
}

/* What to compare the first look with: nothing, for a program that was executed under our eyes. */
static __always_inline void rss_start(struct proc *proc, const struct account *account,
				      const struct rss *now)
{
	const struct rss *start = account->start.is_known ? &account->start : now;

	proc->rss.anon = start->anon;
	proc->rss.file = start->file;
	proc->rss.is_known = true;
}

static __always_inline int rss_charge(struct account *account)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct proc *proc = bpf_map_lookup_elem(&procs, &tgid);
	struct pyi_charge *charge;
	struct rss now = {};
	u64 bytes;
	s64 anon, file;

	if (!proc || rss_read(&now))
		return 0;
	if (!proc->rss.is_known)
		rss_start(proc, account, &now);
	/* Exchanged, for another thread may be looking as well: no change is charged twice. */
	anon = now.anon - __sync_lock_test_and_set(&proc->rss.anon, now.anon);
	file = now.file - __sync_lock_test_and_set(&proc->rss.file, now.file);
	if (!anon && !file)
		return 0;
	charge = charge_of(bpf_get_current_task_btf(), account);
	if (!charge)
		return 0;
	CHARGE(charge, rss_anon, anon * cfg_page_sz);
	CHARGE(charge, rss_file, file * cfg_page_sz);
	bytes = (now.anon + now.file) * cfg_page_sz;
	if (bytes > charge->rss_peak)
		charge->rss_peak = bytes;
	return 0;
}

/*
 * Memory that a thread is given comes by a fault, counted whoever makes it (a read() into a fresh
 * page too). One that had none since it was looked at last has at most given some back, which is
 * charged with its next fault.
 */
static __always_inline bool has_faulted(struct task_struct *task, struct account *account)
{
	struct task_struct___faults *counters = (void *)task;
	u64 faults = counters->min_flt + counters->maj_flt;

	if (account->faults == faults)
		return false;
	account->faults = faults;
	return true;
}

__noinline int memory_look(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct account *account = account_of(task);

	return account && has_faulted(task, account) ? rss_charge(account) : 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(memory_switch, bool is_preempted, struct task_struct *prev)
{
	struct account *account = bpf_task_storage_get(&accounts, prev, NULL, 0);

	return account && !account->is_over && has_faulted(prev, account) ? rss_charge(account) : 0;
}

/* The last look; the kernel's own peak is exact. */
SEC("?tp_btf/sched_process_exit")
int BPF_PROG(memory_exit, struct task_struct *task)
{
	struct account *account = bpf_task_storage_get(&accounts, task, NULL, 0);
	struct pyi_charge *charge;
	u64 peak;

	if (!account)
		return 0;
	rss_charge(account);
	account->is_over = true;
	peak = BPF_CORE_READ(task, signal, maxrss) * cfg_page_sz;
	charge = charge_of(task, account);
	if (charge && peak > charge->rss_peak)
		charge->rss_peak = peak;
	return 0;
}

/* A forked child starts with what its parent has: that is no change of its own. */
SEC("?tp_btf/sched_process_fork")
int BPF_PROG(memory_fork, struct task_struct *parent, struct task_struct *child)
{
	struct account *account = bpf_task_storage_get(&accounts, child, NULL, 0);

	if (account && parent->tgid != child->tgid && parent->mm != child->mm)
		rss_read(&account->start);
	return 0;
}

SEC("?tp_btf/sched_process_exec")
int BPF_PROG(memory_exec, struct task_struct *task)
{
	struct account *account = bpf_task_storage_get(&accounts, task, NULL, 0);

	if (account)
		account->start = (struct rss){ .is_known = true };
	return 0;
}
