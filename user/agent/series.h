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

/*
 * What start-ups of an entry point usually take: running means, to which each adds a sixteenth,
 * and the first ones their share. One that is NOTABLE_SLOWER is not added, unless four in a row
 * are: then that is what they take now.
 */
struct history {
	__u64 cnt;           /* measured start-ups */
	__u64 mean_ns, deviation_ns; /* … and by how much they differ from it */
	__u32 slower_cnt;    /* in a row */
	__u64 kept_ns;       /* when one was last kept for being slow */
};

enum notable_why { NOTABLE_NO = 0, NOTABLE_NEW, NOTABLE_SLOW, NOTABLE_SLOWER };

/* "": there is none. Namespace and pod are of Kubernetes. */
struct labels {
	char entry[LABEL_SZ], space[LABEL_SZ], pod[LABEL_SZ], container[LABEL_SZ];
	char image[LABEL_SZ], unit[LABEL_SZ];
};

/* What else tells an entry point from others; the entry itself comes first, and always. */
#define LABEL_CNT 5
struct label {
	const char *name, *value; /* value "": there is none */
};
void labels_list(const struct labels *labels, struct label out[LABEL_CNT]);

struct series {
	struct labels labels;
	struct histogram times[TIME_CNT];
	__u64 counts[COUNT_CNT];
	__u64 last_ns;       /* when something was added */
	struct history history;
};

struct series_table {
	struct series *series; /* the first is `other` */
	size_t cnt, max, cap;  /* with it; how many there are, may be, have room */
	bool is_redacted;      /* labels tell no directories */
	__u64 refused_cnt;     /* start-ups and late imports that went to `other` */
};

int series_table__new(struct series_table *table, size_t max);
void series_table__free(struct series_table *table);

/* Another limit; series that are there stay, beyond a smaller one too. -ENOMEM: as it was. */
int series_table__limit(struct series_table *table, size_t max);

/*
 * Never NULL. When there are as many as may be, the place of one that was not added to for a day is
 * taken, else it is `other`. Valid until the next call.
 */
struct series *series_table__get(struct series_table *table, const struct labels *labels,
				 __u64 now_ns);

/*
 * Is a start-up of @ns worth a look? The first of its entry point; one of @slow_ns or longer (0 =
 * none is); one that takes 1.5 times the mean, and 50 ms and four deviations more than it, behind
 * 20 others. Only one of the latter two kinds in ten minutes. It is added to the history.
 */
enum notable_why history_add(struct history *history, __u64 ns, __u64 slow_ns, __u64 now_ns);

void histogram_add(struct histogram *histogram, __u64 ns);

#endif
