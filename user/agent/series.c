// SPDX-License-Identifier: BSD-2-Clause
/* See series.h. */
#include "agent/series.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HISTORY_LEAST 20
#define HISTORY_PARTS 16
#define HISTORY_TURN 4
#define SLOWER_NS 50000000ULL
#define KEPT_GAP_NS (600 * 1000000000ULL)
#define IDLE_NS (24 * 3600 * 1000000000ULL)

const __u64 bucket_ns[BUCKET_CNT] = {
	10000000, 25000000, 50000000, 100000000, 250000000, 500000000, 1000000000, 2500000000,
	5000000000, 10000000000, 30000000000, 60000000000, 120000000000, 300000000000,
};

int series_table__new(struct series_table *table, size_t max)
{
	/* Pages that no series has come to are not resident. */
	*table = (struct series_table){ .series = calloc(max + 1, sizeof(*table->series)),
					.cnt = 1, .max = max + 1, .cap = max + 1 };
	if (!table->series)
		return -ENOMEM;
	memcpy(table->series[0].labels.entry, "other", sizeof("other"));
	return 0;
}

void series_table__free(struct series_table *table)
{
	free(table->series);
	*table = (struct series_table){};
}

int series_table__limit(struct series_table *table, size_t max)
{
	struct series *larger;

	if (max + 1 > table->cap) {
		larger = calloc(max + 1, sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		memcpy(larger, table->series, table->cnt * sizeof(*larger));
		free(table->series);
		table->series = larger;
		table->cap = max + 1;
	}
	table->max = max + 1;
	return 0;
}

static bool is_same(const struct labels *a, const struct labels *b)
{
	return !strcmp(a->entry, b->entry) && !strcmp(a->container, b->container) &&
	       !strcmp(a->image, b->image) && !strcmp(a->unit, b->unit) &&
	       !strcmp(a->pod, b->pod) && !strcmp(a->space, b->space);
}

void labels_list(const struct labels *labels, struct label out[LABEL_CNT])
{
	out[0] = (struct label){ "namespace", labels->space };
	out[1] = (struct label){ "pod", labels->pod };
	out[2] = (struct label){ "container", labels->container };
	out[3] = (struct label){ "image", labels->image };
	out[4] = (struct label){ "unit", labels->unit };
}

struct series *series_table__get(struct series_table *table, const struct labels *labels,
				 __u64 now_ns)
{
	struct series *series = table->series, *at;
	size_t oldest = 0; /* the first is "other" and stays */

	for (size_t i = 1; i < table->cnt; i++) {
		if (is_same(&series[i].labels, labels)) {
			series[i].last_ns = now_ns;
			return &series[i];
		}
		if (!oldest || series[i].last_ns < series[oldest].last_ns)
			oldest = i;
	}
	if (table->cnt < table->max) {
		at = &series[table->cnt++];
	} else if (oldest && series[oldest].last_ns + IDLE_NS < now_ns) {
		at = &series[oldest];
	} else {
		table->refused_cnt++;
		series[0].last_ns = now_ns;
		return &series[0];
	}
	*at = (struct series){ .labels = *labels, .last_ns = now_ns };
	return at;
}

static bool is_slower(const struct history *history, __u64 ns)
{
	return history->cnt >= HISTORY_LEAST && ns > history->mean_ns + history->mean_ns / 2 &&
	       ns > history->mean_ns + 4 * history->deviation_ns + SLOWER_NS;
}

static __u64 moved(__u64 mean, __u64 value, __u64 parts)
{
	return value > mean ? mean + (value - mean) / parts : mean - (mean - value) / parts;
}

enum notable_why history_add(struct history *history, __u64 ns, __u64 slow_ns, __u64 now_ns)
{
	bool is_first = !history->cnt, is_odd = is_slower(history, ns);
	__u64 parts = history->cnt < HISTORY_PARTS ? history->cnt + 1 : HISTORY_PARTS;
	enum notable_why why = is_first ? NOTABLE_NEW :
			       slow_ns && ns >= slow_ns ? NOTABLE_SLOW :
			       is_odd ? NOTABLE_SLOWER : NOTABLE_NO;

	history->cnt++;
	history->slower_cnt = is_odd ? history->slower_cnt + 1 : 0;
	if (!is_odd || history->slower_cnt >= HISTORY_TURN) {
		__u64 off = ns > history->mean_ns ? ns - history->mean_ns : history->mean_ns - ns;

		history->deviation_ns = is_first ? 0 : moved(history->deviation_ns, off, parts);
		history->mean_ns = moved(history->mean_ns, ns, parts);
	}
	if (why == NOTABLE_NO || why == NOTABLE_NEW)
		return why;
	if (history->kept_ns && now_ns < history->kept_ns + KEPT_GAP_NS)
		return NOTABLE_NO;
	history->kept_ns = now_ns;
	return why;
}

void histogram_add(struct histogram *histogram, __u64 ns)
{
	size_t i = 0;

	while (i < BUCKET_CNT && ns > bucket_ns[i])
		i++;
	if (i < BUCKET_CNT)
		histogram->buckets[i]++;
	histogram->cnt++;
	histogram->sum_ns += ns;
}
