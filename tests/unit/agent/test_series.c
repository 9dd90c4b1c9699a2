// SPDX-License-Identifier: BSD-2-Clause
/* What is worth a look among the start-ups of an entry point; as many of these as there may be. */
#include "agent/series.h"
#include "unit.h"

#define MS 1000000ULL
#define MINUTE (60000 * MS)

static enum notable_why add(struct history *history, __u64 ms, __u64 minute)
{
	return history_add(history, ms * MS, 1000 * MS, minute * MINUTE);
}

static struct history settled(void)
{
	struct history history = {};

	for (int i = 0; i < 30; i++)
		add(&history, 100 + (i % 3) * 5, 1);
	return history;
}

static void test_first_is_new(void)
{
	struct history history = {};

	CHECK(add(&history, 100, 1) == NOTABLE_NEW);
	CHECK(add(&history, 100, 1) == NOTABLE_NO);
}

static void test_slow_once_in_ten_minutes(void)
{
	struct history history = settled();

	CHECK(add(&history, 1000, 20) == NOTABLE_SLOW);
	CHECK(add(&history, 3000, 29) == NOTABLE_NO);
	CHECK(add(&history, 1000, 31) == NOTABLE_SLOW);
}

static void test_slower_than_its_own(void)
{
	struct history history = settled();

	CHECK(add(&history, 150, 20) == NOTABLE_NO); /* less than 1.5 times */
	CHECK(add(&history, 300, 20) == NOTABLE_SLOWER);
	CHECK(history.mean_ns < 120 * MS);           /* it does not count as usual */
}

static void test_few_tell_nothing(void)
{
	struct history history = {};

	for (int i = 0; i < 10; i++)
		add(&history, 100, 1);
	CHECK(add(&history, 500, 20) == NOTABLE_NO);
}

static void test_what_stays_is_usual(void)
{
	struct history history = settled();
	int told = 0;

	for (int i = 0; i < 100; i++)
		told += add(&history, 300, 20 + (__u64)i * 20) == NOTABLE_SLOWER;
	CHECK(told >= 3 && told < 30);
	CHECK(add(&history, 305, 10000) == NOTABLE_NO);
}

static void test_uneven_is_not_slower(void)
{
	struct history history = {};

	for (int i = 0; i < 60; i++)
		add(&history, i % 2 ? 100 : 400, 1);
	CHECK(add(&history, 450, 20) == NOTABLE_NO);
}

/* A series for each of @cnt names that were not there before, @day; how many starts they got. */
static __u64 start_many(struct series_table *table, int first, int cnt, __u64 day)
{
	__u64 sum = 0;

	for (int i = first; i < first + cnt; i++) {
		struct labels labels = {};

		snprintf(labels.entry, sizeof(labels.entry), "/bomb/%d.py", i);
		series_table__get(table, &labels, day * 1440 * MINUTE)->counts[COUNT_STARTS]++;
	}
	for (size_t i = 0; i < table->cnt; i++)
		sum += table->series[i].counts[COUNT_STARTS];
	return sum;
}

static void test_names_without_end(void)
{
	struct series_table table;

	CHECK(!series_table__new(&table, 50));
	CHECK(start_many(&table, 0, 100000, 1) == 100000);
	CHECK(table.cnt == 51 && table.cap == 51);
	CHECK(table.refused_cnt == 100000 - 50);
	CHECK(table.series[0].counts[COUNT_STARTS] == 100000 - 50);
	series_table__free(&table);
}

static void test_another_limit(void)
{
	struct series_table table;

	CHECK(!series_table__new(&table, 5));
	start_many(&table, 0, 10, 1);
	CHECK(table.cnt == 6);
	CHECK(!series_table__limit(&table, 8));
	CHECK(start_many(&table, 10, 10, 1) == 20);
	CHECK(table.cnt == 9 && table.series[0].counts[COUNT_STARTS] == 12);
	CHECK(!series_table__limit(&table, 2)); /* those that are there stay */
	CHECK(start_many(&table, 20, 3, 1) == 23);
	CHECK(table.cnt == 9 && table.series[0].counts[COUNT_STARTS] == 15);
	series_table__free(&table);
}

int main(void)
{
	RUN(test_first_is_new);
	RUN(test_slow_once_in_ten_minutes);
	RUN(test_slower_than_its_own);
	RUN(test_few_tell_nothing);
	RUN(test_what_stays_is_usual);
	RUN(test_uneven_is_not_slower);
	RUN(test_names_without_end);
	RUN(test_another_limit);
	return unit_result();
}
