/* SPDX-License-Identifier: BSD-2-Clause */
/* Attaching to what runs already: its inventory, and the children it has. */
#ifndef TRACE_FOLLOW_ATTACH_RUNNING_H
#define TRACE_FOLLOW_ATTACH_RUNNING_H

#include <linux/types.h>
#include <stddef.h>
#include <sys/types.h>

struct pyi_hdr;
struct session;

/*
 * What the followed process has loaded already, into the model. Call once it is followed: what it
 * loads from then on is traced. A failure is logged for -vv only: the trace is good without.
 */
void late_take(struct session *session, pid_t tgid, __u32 serial);

/*
 * Under -a nobody names them: looks at each record for the first sign of a process that ran before
 * us, cheaply, and takes the inventories of those that were noted since the last call.
 */
void late_note(struct session *session, const struct pyi_hdr *hdr);
void late_read(struct session *session);

/*
 * Calls @fn for each running process that descends from one of @roots, parents first. Those that
 * are started meanwhile by one that @fn follows are found or followed, never neither.
 */
typedef int (*late_fn)(void *ctx, pid_t tgid);
int late_each_child(const pid_t *roots, size_t root_cnt, late_fn fn, void *ctx);

#endif
