/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What start-ups were, summed per entry point: a bounded number of label sets, the rest together.
 * Labels are harmless text (text_buf__escape), cut to fit.
 */
#ifndef AGENT_SERIES_H
#define AGENT_SERIES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define SERIES_MAX_DEFAULT 100
#define LABEL_SZ 200

enum series_time { TIME_STARTUP, TIME_INTERPRETER, TIME_IMPORTS, TIME_READY, TIME_CNT };
enum series_count {
	COUNT_STARTS, COUNT_FAILED_STARTS, COUNT_LOADED, COUNT_FAILED, COUNT_UNFINISHED,
	COUNT_COMPILED, COUNT_READ_BYTES, COUNT_DISK_BYTES, COUNT_NET, COUNT_NET_BLOCKED_NS,
	COUNT_LATE, COUNT_LATE_NS, COUNT_LATE_BLOCKED_NS, COUNT_CNT
};

/* Upper limits; what is above the last is counted in the sum alone. */
#define BUCKET_CNT 14
extern const __u64 bucket_ns[BUCKET_CNT];

struct histogram {
	__u64 buckets[BUCKET_CNT]; /* not cumulative */
	__u64 cnt, sum_ns;
};

struct labels {
	char entry[LABEL_SZ], container[LABEL_SZ], unit[LABEL_SZ];
};

struct series {
	struct labels labels;
	struct histogram times[TIME_CNT];
	__u64 counts[COUNT_CNT];
	__u64 last_ns;       /* when something was added */
};

struct series_table {
	struct series *series; /* the first is `other` */
	size_t cnt, max;       /* with it */
	__u64 refused_cnt;     /* start-ups and late imports that went to `other` */
};

int series_table__new(struct series_table *table, size_t max);
void series_table__free(struct series_table *table);

/*
 * Never NULL. When there are as many as may be, the place of one that was not added to for a day is
 * taken, else it is `other`. Valid until the next call.
 */
struct series *series_table__get(struct series_table *table, const struct labels *labels,
				 __u64 now_ns);

void histogram_add(struct histogram *histogram, __u64 ns);

#endif
