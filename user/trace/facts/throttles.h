/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks at the CPU quotas of the processes in the stream while they live and tells the model how
 * their counters grow: often while a process is young, ever more rarely later.
 */
#ifndef TRACE_FACTS_THROTTLES_H
#define TRACE_FACTS_THROTTLES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct pyi_hdr;
struct throttles;
struct model;

int throttles__new(struct throttles **out);
void throttles__free(struct throttles *throttles); /* NULL-safe */

/* A process that runs already; its quotas are looked at by the next throttles__read. */
void throttles__follow(struct throttles *throttles, pid_t tgid, __u32 serial);

/* Looks at one raw record; cheap. */
void throttles__note(struct throttles *throttles, const struct pyi_hdr *hdr);

/* Looks at the quotas of those whose turn it is; at the end of the trace (@is_last) at all. */
void throttles__read(struct throttles *throttles, struct model *model, __u64 now_ns, bool is_last);

#endif
