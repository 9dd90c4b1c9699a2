// SPDX-License-Identifier: BSD-2-Clause
/*
 * Line tables of three generations, put together by hand after CPython's description of each;
 * tests/e2e/record/test_lines.py holds real ones against tracebacks.
 */
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "unit.h"

static int line_of(__u32 kind, int first, const char *table, size_t sz, int lasti)
{
	/* A block of the exact size, so that ASan sees a read beyond it. */
	unsigned char *copy = malloc(sz ? sz : 1);
	int line;

	memcpy(copy, table, sz);
	line = event_line(kind, first, copy, sz, false, lasti);
	free(copy);
	return line;
}

#define LNOTAB(first, table, lasti) \
	line_of(PYI_LINES_LNOTAB, first, table, sizeof(table) - 1, lasti)
#define RANGES(first, table, lasti) \
	line_of(PYI_LINES_RANGES, first, table, sizeof(table) - 1, lasti)
#define LOCATIONS(first, table, lasti) \
	line_of(PYI_LINES_LOCATIONS, first, table, sizeof(table) - 1, lasti)

static void test_lnotab(void)
{
	/* (0,0) implied; 8 bytes to line +1, 4 to +2, 0 to +127 then +73 more, 6 to -10 */
	static const char table[] = "\x08\x01\x04\x02\x02\x7f\x00\x49\x06\xf6";

	CHECK(LNOTAB(1, table, 0) == 1);
	CHECK(LNOTAB(1, table, 7) == 1);
	CHECK(LNOTAB(1, table, 8) == 2);
	CHECK(LNOTAB(1, table, 12) == 4);
	CHECK(LNOTAB(1, table, 13) == 4);
	CHECK(LNOTAB(1, table, 14) == 204);
	CHECK(LNOTAB(1, table, 20) == 194);
	CHECK(LNOTAB(1, table, 5000) == 194);
	/* A gap of more than 255 bytes: (255,0) (45,1) */
	CHECK(LNOTAB(10, "\xff\x00\x2d\x01", 299) == 10);
	CHECK(LNOTAB(10, "\xff\x00\x2d\x01", 300) == 11);
	/* Everything on one line: the table is empty, and that is an answer. */
	CHECK(LNOTAB(7, "", 4) == 7);
	CHECK(LNOTAB(7, "\x08", 20) == 7); /* half a pair */
	CHECK(event_line(PYI_LINES_LNOTAB, 1, (const unsigned char *)table, 4, true, 7) == 1);
	CHECK(event_line(PYI_LINES_LNOTAB, 1, (const unsigned char *)table, 4, true, 13) == 0);
}

static void test_ranges(void)
{
	/* line 1 for 4 bytes, +1 for 6, no line for 2, +2 for 250 and 4 more, -3 for 2 */
	static const char table[] = "\x04\x00\x06\x01\x02\x80\xfe\x02\x04\x00\x02\xfd";

	CHECK(RANGES(1, table, 0) == 1);
	CHECK(RANGES(1, table, 4) == 2);
	CHECK(RANGES(1, table, 9) == 2);
	CHECK(RANGES(1, table, 10) == 0);
	CHECK(RANGES(1, table, 12) == 4);
	CHECK(RANGES(1, table, 268) == 4);
	CHECK(RANGES(1, table, 270) == 1);
	CHECK(RANGES(1, table, 272) == 0); /* beyond the table */
	/* A jump of more than 127 lines: empty ranges that only move the line */
	CHECK(RANGES(1, "\x02\x00\x00\x7f\x00\x7f\x04\x02", 1) == 1);
	CHECK(RANGES(1, "\x02\x00\x00\x7f\x00\x7f\x04\x02", 2) == 257);
	CHECK(RANGES(1, "", 0) == 0);
}

static void test_locations(void)
{
	static const char table[] =
		"\xf0\x00\x01\x00\x00"     /* long, 1 unit, delta 0, end +1, columns */
		"\x83\x10"                 /* short 0, 4 units, same line */
		"\xe8\x56\x09"             /* no columns, 1 unit, svarint +299 */
		"\xf9"                     /* none, 2 units */
		"\xe0\x04\x08"             /* one line, +2, 1 unit */
		"\xea\x03";                /* no columns, 3 units, -1 */

	CHECK(LOCATIONS(1, table, 0) == 1);
	CHECK(LOCATIONS(1, table, 2) == 1);
	CHECK(LOCATIONS(1, table, 8) == 1);
	CHECK(LOCATIONS(1, table, 10) == 300);
	CHECK(LOCATIONS(1, table, 12) == 0);
	CHECK(LOCATIONS(1, table, 15) == 0);
	CHECK(LOCATIONS(1, table, 16) == 302);
	CHECK(LOCATIONS(1, table, 18) == 301);
	CHECK(LOCATIONS(1, table, 23) == 301);
	CHECK(LOCATIONS(1, table, 24) == 0);
	CHECK(LOCATIONS(1, "", 0) == 0);
}

static void test_hostile(void)
{
	unsigned char table[64];
	unsigned int seed = 1;

	CHECK(LOCATIONS(1, "\xe8", 0) >= 0); /* varint missing */
	CHECK(LOCATIONS(1, "\xe8\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f", 0) >= 0);
	CHECK(LOCATIONS(0x7fffffff, "\xe8\x7e\x7f\x7f\x7f\x7f\x01", 0) >= 0);
	CHECK(LOCATIONS(-0x7fffffff - 1, "\xe8\x7f\x7f\x7f\x7f\x7f\x03", 0) >= 0);
	CHECK(LNOTAB(0x7fffffff, "\x01\x7f\x01\x7f", 100) >= 0);
	CHECK(LNOTAB(-5, "\x01\x01", 100) == 0);
	CHECK(RANGES(0x7fffffff, "\x01\x7f\x01\x7f", 100) >= 0);
	for (int kind = 0; kind <= 5; kind++)
		CHECK(line_of(kind, 1, "\x01\x01", 2, -1) == 0); /* unknown instruction */
	CHECK(line_of(PYI_LINES_NONE, 5, "\x01\x01", 2, 0) == 0);
	CHECK(line_of(77, 5, "\x01\x01", 2, 0) == 0);
	for (int i = 0; i < 200000; i++) {
		size_t sz = rand_r(&seed) % sizeof(table);

		for (size_t j = 0; j < sz; j++)
			table[j] = rand_r(&seed) >> 4;
		CHECK(line_of(1 + i % 3, rand_r(&seed), (const char *)table, sz,
			      rand_r(&seed) % 300) >= 0);
	}
}

int main(void)
{
	RUN(test_lnotab);
	RUN(test_ranges);
	RUN(test_locations);
	RUN(test_hostile);
	return unit_result();
}
