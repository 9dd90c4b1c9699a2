/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capabilities: what is kept while tracing, and nothing for what we start. Tracing takes
 *   CAP_BPF, CAP_PERFMON      loading programs, attaching probes, noticing mappings
 * and for more than one's own processes
 *   CAP_SYS_PTRACE            their maps, and stopping what opens a libpython
 *   CAP_DAC_READ_SEARCH       their files
 *   CAP_CHECKPOINT_RESTORE    files that were deleted or replaced while they run
 *   CAP_KILL                  passing signals on to a command of another user
 *   CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_FOWNER   only where files are made and removed meanwhile
 * CAP_SYS_ADMIN is needed to hold execs, and only until the marks are set; where probes are perf
 * events (before 6.6) as long as more of them may come, since their PMU asks for it each time.
 */
#ifndef INTERPRETERS_PROCESS_PRIVILEGE_H
#define INTERPRETERS_PROCESS_PRIVILEGE_H

#include <stdbool.h>

/*
 * Gives up, for the calling thread and those it starts, everything that is not in the list above;
 * with @is_multi (probes are uprobe_multi) CAP_SYS_ADMIN too. 0 or -errno. A privilege that was not
 * there is not needed either. @has_files: files are made, for another user, while tracing goes on.
 */
int privilege_keep_tracing(bool is_multi, bool has_files);

/* The same for the process that holds: CAP_BPF to ask who is followed, CAP_SYS_PTRACE to stop. */
int privilege_keep_holding(void);

/*
 * For a command that is about to be exec'ed by another user than root: none of what we were lent
 * in ambient or inheritable capabilities goes with it.
 */
int privilege_drop_inherited(void);

#endif
