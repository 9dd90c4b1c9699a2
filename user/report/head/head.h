/* SPDX-License-Identifier: BSD-2-Clause */
/* What every text view says of a process before its table, and of the trace behind the last. */
#ifndef REPORT_HEAD_HEAD_H
#define REPORT_HEAD_HEAD_H

#include "report/view.h"

int head_write(const struct view *view, const struct process *process);
int foot_write(const struct view *view); /* legend, skipped processes, loss */
/* Calls @write for each process that is shown, then the foot. Its error, or -ENOMEM. */
int view_each_process(const struct view *view,
		      int (*write)(const struct view *view, const struct process *process));

#endif
