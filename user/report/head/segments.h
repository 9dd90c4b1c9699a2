/* SPDX-License-Identifier: BSD-2-Clause */
/* What the first thread did from the begin of the program to its readiness, without a gap. */
#ifndef REPORT_HEAD_SEGMENTS_H
#define REPORT_HEAD_SEGMENTS_H

#include "report/view.h"

/* One outermost import, or the program's own work, or several of both that are short. */
struct segment {
	const struct load *load;   /* the import; NULL = own work, alone or beside imports */
	__u64 start_ns, end_ns;
	size_t import_cnt;
};

/*
 * malloc'd, in order. They begin where the program does and end when it is ready, else with the
 * last import that was seen; less than 1/400 of it is left out. None of a process whose start was
 * not seen.
 */
int segments_find(const struct process *process, struct segment **out, size_t *cnt);

/* "imports torch (app.py:3), 80% of it waiting for disk", "own work". */
void phrase_segment(const struct view *view, const struct process *process,
		    const struct segment *segment, struct text_buf *buf);

#endif
