/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that did the same are shown as one. */
#ifndef REPORT_HEAD_GROUPS_H
#define REPORT_HEAD_GROUPS_H

#include "report/view.h"

struct spread { __u64 min_ns, median_ns, max_ns; }; /* NS_UNKNOWN: of none is it known */
/* Of own_ns, or own_measured_ns. */
struct spread spread_of(const struct group *group, bool is_measured);
bool process_is_drawn(const struct view *view, const struct process *process);
void group_add_pids(const struct group *group, struct text_buf *buf); /* "12, 13 and 7 more" */

#endif
