/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who pays for what happens to a thread: the import span on top of its stack, or its process
 * outside imports. Threads of followed processes have an account (task storage); a bystander has
 * none, and finding that out is all it costs.
 */
#ifndef BPF_CORE_CHARGE_BPF_H
#define BPF_CORE_CHARGE_BPF_H

#include "core/core.bpf.h"

/* The account of a followed thread, made when the first probe was hit; NULL for bystanders. */
__hidden struct account *account_of(struct task_struct *task);

/*
 * The counters of the span on top of @task, which must be the current one or about to be. NULL
 * for bystanders and without memory. Those of PYI_OUTSIDE_OTHERS are shared by threads, and two
 * additions at once may lose one: CHARGE adds atomically.
 */
__hidden struct pyi_charge *charge_of(struct task_struct *task, struct account *account);

/* The same of the span that was on top when the thread left the CPU. */
__hidden struct pyi_charge *charge_left(struct account *account);
__hidden void charge_leave(struct task_struct *task, struct account *account);

static __always_inline struct pyi_charge *charge_now(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct account *account = account_of(task);

	return account ? charge_of(task, account) : NULL;
}

/* Charges what the current process's memory has changed by since the last look; memory.bpf.c. */
int memory_look(void);

/* The time slice of @task ends here; the next one, if there is one at once, begins. */
__hidden void charge_slice(struct task_struct *task, struct account *account, u64 now);

#define CHARGE(charge, field, value) __sync_fetch_and_add(&(charge)->field, value)

#endif
