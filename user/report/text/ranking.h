/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads by what they took, and what the headline says of them. */
#ifndef REPORT_TEXT_RANKING_H
#define REPORT_TEXT_RANKING_H

#include "report/view.h"

enum rank { RANK_SELF, RANK_TOTAL };
/* All loads, dearest first, unknown times last. malloc'd, load_cnt entries. */
int rank_loads(const struct process *process, enum rank by, struct load ***out);

/* What the headline says. Times NS_UNKNOWN when unknown. */
struct headline {
	__u64 startup_ns, interpreter_ns, imports_ns;
	const struct load *heavy; /* most of the import time is below this one; or NULL */
	unsigned int heavy_pct;
	size_t thread_cnt;        /* threads that loaded something */
	size_t approx_cnt, wait_cnt;
	__u64 wait_ns;            /* sum of lock waits */
	const struct load *longest_wait;
	__u64 main_self_ns;       /* __main__ without its imports */
};
int headline_find(const struct process *process, struct headline *headline);
/* --min: of the imports of @process; what took less is left out of trees. 0 = nothing is. */
__u64 view_least_ns(const struct view *view, const struct process *process);
__u64 process_base_ns(const struct process *process); /* offsets count from here */

#endif
