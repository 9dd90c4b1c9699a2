/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines that head and foot are made of. Each writes nothing where it has nothing to say.
 */
#ifndef REPORT_HEAD_LINES_H
#define REPORT_HEAD_LINES_H

#include "report/view.h"

/* Processes that did the same: which, and how far apart their times are. */
void workers_head(const struct view *view, const struct process *process);
/* What was there before tracing began. */
void inventory_head(const struct view *view, const struct process *process);
/* Imports made when it was up. */
void late_head(const struct view *view, const struct process *process);

/* What tracing took: how much, or why it is not known. */
void overhead_head(const struct view *view, const struct process *process);
void overhead_foot(const struct view *view);
/* The CPU quota of the cgroup: in one line if it mattered, and as a table. */
void throttle_head(const struct view *view, const struct process *process);
void throttle_write(const struct view *view, const struct process *process);
/* What the trace has not, and which option records it. */
void recorded_foot(const struct view *view);
/* Of @groups (enum pyi_group) in words: "files and memory". */
void recorded_words(__u32 groups, struct text_buf *buf);
/* Their names in JSON, one after another; NULL at the end. */
const char *recorded_key(size_t index, __u32 *group);
/* Those that the trace says it did not record. */
__u32 recorded_lacks(const struct model *model);
/* The smallest profile that records @groups beside what was recorded. */
const char *recorded_profile(__u32 groups, __u32 measured);
/* "full", "standard" or "loads"; NULL: it recorded something else, or it is not known what. */
const char *recorded_name(const struct model *model);
/* Starts that waited for their probes. */
void holds_write_text(const struct view *view);
/* Interpreters without probes and files not examined, with the reasons. */
void unprobed_write_text(const struct view *view);
void unexamined_write_text(const struct view *view);
/* What was lost; the counters are in loss.h. */
int loss_write_text(const struct view *view);

#endif
