/* SPDX-License-Identifier: GPL-2.0-only */
/* Waits for what another thread imports. */
#ifndef BPF_CAUSES_IMPORT_WAIT_BPF_H
#define BPF_CAUSES_IMPORT_WAIT_BPF_H

#include "core/core.bpf.h"

/*
 * The current thread @task blocks on a lock, however long it takes: is it that of a module which
 * another thread imports? Then an id, under which the wait is reported until import_wait_end.
 */
__hidden u32 import_wait_begin(struct task_struct *task, const struct account *account, u64 now);
__hidden void import_wait_end(struct task_struct *task, u32 id, u64 now);

#endif
