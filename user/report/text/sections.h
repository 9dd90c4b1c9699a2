/* SPDX-License-Identifier: BSD-2-Clause */
/* Short lists below the tables of several views. */
#ifndef REPORT_TEXT_SECTIONS_H
#define REPORT_TEXT_SECTIONS_H

#include "report/text/ranking.h"

/* What began before @until_ns, @max rows; NS_UNKNOWN = whenever. */
int net_uses_write(const struct view *view, const struct process *process, __u64 until_ns,
		   size_t max);

/* Lazy imports of 3.15, and what became of them. */
int lazy_write(const struct view *view, const struct process *process);

/* Who was ready when; nothing when nobody ever served. */
int ready_write(const struct view *view);

/*
 * Of a worker that waited for a connection: how long that was after the begin of the program it
 * comes from. NS_UNKNOWN: it never did, comes from none that was traced, or that ran already.
 */
__u64 ready_in_program_ns(const struct view *view, const struct process *process);

/* Large files, and files of the same content. */
/* Those below @least_pct of the largest are left out. */
int biggest_write(const struct view *view, const struct process *process, size_t max,
		  unsigned int least_pct);
void same_write(const struct view *view, const struct process *process);
void phrase_same(const struct view *view, const struct same_files *same, struct text_buf *buf);

/* Failed and circular imports, waits. */
int problems_write(const struct view *view, const struct process *process,
		const struct headline *headline);

#endif
