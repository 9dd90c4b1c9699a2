/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logs of `python -X importtime`, as records: what the log tells and nothing else. Times of begin
 * are not in a log; imports are laid one after another, children at the start of their parent.
 */
#ifndef EVENT_IMPORTTIME_H
#define EVENT_IMPORTTIME_H

#include <linux/types.h>
#include <stddef.h>
#include <stdio.h>

/* One record. A negative errno ends the reading. */
typedef int (*importtime_fn)(void *ctx, const void *record, size_t size);

struct importtime_result {
	__u64 import_cnt;   /* lines with times */
	__u64 cached_cnt;   /* lines of -X importtime=2 for what was in sys.modules */
	__u64 other_cnt;    /* lines of whatever else writes to stderr */
	__u64 negative_cnt; /* impossible self times: several threads imported at once */
	__u64 orphan_cnt;   /* indented below a line that is not there */
	__u64 process_cnt;
};

/*
 * Reads @in to its end. A header line begins another process; the comments that --format importtime
 * writes give pid and thread. 0, or what @fn returned, or an errno of reading; -ENOMEM.
 */
int importtime_read(FILE *in, importtime_fn fn, void *ctx, struct importtime_result *result);

#endif
