/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls of followed processes: files, network, waiting. Private to user/probe. */
#ifndef PROBE_CALLS_H
#define PROBE_CALLS_H

#include "probe/private.h"

/* Before load: which calls are looked at, how large their maps are. */
void calls_prepare(struct probes *probes);

/* Is it time to empty the map of files? */
bool calls_are_many(const struct probes *probes);

/* What was counted with @parity, which nobody counts with any more, to on_record; it is deleted. */
int calls_take(struct probes *probes, __u32 parity);

/* The dlopen of this span has ended: what was seen of its stages, to on_record; it is deleted. */
void calls_linked(struct probes *probes, __u32 span);

/* After detach: the rest. All return 0 or -errno, logged. */
int calls_drain(struct probes *probes);

#endif
