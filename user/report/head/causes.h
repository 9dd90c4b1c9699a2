/* SPDX-License-Identifier: BSD-2-Clause */
/* Where time goes: one row per cause, for every view and format. */
#ifndef REPORT_HEAD_CAUSES_H
#define REPORT_HEAD_CAUSES_H

#include "report/view.h"
#include "report/text/ranking.h"

/* Time on a CPU stands before the waits. */
enum { CAUSE_CPU = 0, CAUSE_WAITS = 1, CAUSE_CNT = CAUSE_WAITS + PYI_WAIT_CNT };

extern const struct cause {
	const char *key;   /* in JSON and the formats made of it */
	char mark;         /* of its part of a bar */
	const char *word, *doing;
} causes[CAUSE_CNT];

/* @charge by cause; an unknown CPU time counts as none. */
void causes_split(const struct pyi_charge *charge, __u64 cpu_ns, __u64 parts[CAUSE_CNT]);

/* One sentence: what most of the imports' time went to, and under which module. */
void causes_head(const struct view *view, const struct process *process,
		 const struct headline *headline);

#endif
