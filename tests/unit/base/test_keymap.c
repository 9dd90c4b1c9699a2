// SPDX-License-Identifier: BSD-2-Clause
/* The map of 64-bit keys: what is in it after any mixture of additions and removals. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/keymap.h"
#include "unit.h"

#define KEYS 3000
#define STEPS 200000

static void *item_of(__u64 key, int version)
{
	return (void *)(uintptr_t)(key * 64 + version + 1);
}

/* Against an array that knows the answer; the keys as they come: small numbers, addresses. */
static void test_random(__u64 stride)
{
	static int version[KEYS]; /* 0 = not there */
	struct keymap map = {};
	size_t cnt = 0;

	memset(version, 0, sizeof(version));
	for (int step = 0; step < STEPS; step++) {
		int nr = rand() % KEYS;
		__u64 key = (__u64)nr * stride;

		CHECK(keymap__find(&map, key) == (version[nr] ? item_of(key, version[nr]) : NULL));
		if (rand() % 2) {
			cnt += !version[nr];
			version[nr] = 1 + rand() % 60;
			CHECK(keymap__set(&map, key, item_of(key, version[nr])) == 0);
		} else {
			cnt -= version[nr] != 0;
			version[nr] = 0;
			keymap__remove(&map, key);
		}
		CHECK(map.cnt == cnt);
	}
	for (int nr = 0; nr < KEYS; nr++)
		CHECK(keymap__find(&map, nr * stride) ==
		      (version[nr] ? item_of(nr * stride, version[nr]) : NULL));
	keymap__free(&map);
}

static void numbers(void) { test_random(1); }
static void addresses(void) { test_random(48); }
static void high_halves(void) { test_random(1ULL << 32); }

static void empty(void)
{
	struct keymap map = {};

	CHECK(!keymap__find(&map, 0));
	keymap__remove(&map, 1);
	CHECK(!map.cnt);
	keymap__free(&map);
}

int main(void)
{
	srand(1);
	RUN(empty);
	RUN(numbers);
	RUN(addresses);
	RUN(high_halves);
	return unit_result();
}
