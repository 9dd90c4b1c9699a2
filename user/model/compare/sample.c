// SPDX-License-Identifier: BSD-2-Clause
/* See sample.h. */
#include "model/compare/sample.h"

#include <stdlib.h>

#define RUNS_EXACT 1000 /* beyond, 2^-n is no double any more: the interval is too wide then */

/* Largest rank whose order statistic is above the median with at most 2.5 %; at least 1. */
static size_t low_rank(size_t cnt)
{
	double term = 1, below = 0;
	size_t rank = 0;

	cnt = cnt < RUNS_EXACT ? cnt : RUNS_EXACT;
	for (size_t i = 0; i < cnt; i++)
		term /= 2;
	while (rank < cnt / 2 && below + term <= 0.025) {
		below += term;
		term = term * (double)(cnt - rank) / (double)(rank + 1);
		rank++;
	}
	return rank ? rank : 1;
}

static int cmp_values(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

static int cmp_signed(const void *a, const void *b)
{
	__s64 x = *(const __s64 *)a, y = *(const __s64 *)b;

	return x < y ? -1 : x > y;
}

void median_of(__u64 *values, size_t cnt, __u64 *median, __u64 *low, __u64 *high)
{
	size_t rank = low_rank(cnt);

	qsort(values, cnt, sizeof(*values), cmp_values);
	*median = cnt % 2 ? values[cnt / 2] :
			    values[cnt / 2 - 1] + (values[cnt / 2] - values[cnt / 2 - 1]) / 2;
	*low = values[rank - 1];
	*high = values[cnt - rank];
}

void median_of_signed(__s64 *values, size_t cnt, __s64 *median, __s64 *low, __s64 *high)
{
	size_t rank = low_rank(cnt);

	qsort(values, cnt, sizeof(*values), cmp_signed);
	*median = cnt % 2 ? values[cnt / 2] :
			    values[cnt / 2 - 1] + (values[cnt / 2] - values[cnt / 2 - 1]) / 2;
	*low = values[rank - 1];
	*high = values[cnt - rank];
}

void fences_of(const __u64 *sorted, size_t cnt, __u64 *low, __u64 *high)
{
	__u64 first = sorted[cnt / 4], third = sorted[cnt - 1 - cnt / 4];
	__u64 room = (third - first) + (third - first) / 2;

	*low = first > room ? first - room : 0;
	*high = third + room;
}
