// SPDX-License-Identifier: BSD-2-Clause
/* What is worth a look among the start-ups of an entry point. */
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

int main(void)
{
	RUN(test_first_is_new);
	RUN(test_slow_once_in_ten_minutes);
	RUN(test_slower_than_its_own);
	RUN(test_few_tell_nothing);
	RUN(test_what_stays_is_usual);
	RUN(test_uneven_is_not_slower);
	return unit_result();
}
