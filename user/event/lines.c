// SPDX-License-Identifier: BSD-2-Clause
/* Line tables of code objects, three generations of them. */
#include "event/event.h"

static int signed_byte(unsigned char byte)
{
	return byte < 128 ? byte : byte - 256;
}

/* Pairs of (bytes of code, signed line delta): up to 3.9. */
static __s64 line_lnotab(__s64 line, const unsigned char *table, size_t sz, bool is_cut, int lasti)
{
	int addr = 0;

	for (size_t i = 0; i + 1 < sz; i += 2) {
		addr += table[i];
		if (addr > lasti)
			return line;
		line += signed_byte(table[i + 1]);
	}
	/* The last line goes on to the end of the code, if this is the table's end. */
	return is_cut ? 0 : line;
}

/* 3.10: (bytes the range covers, signed delta of its line, -128 = no line). */
static __s64 line_ranges(__s64 line, const unsigned char *table, size_t sz, int lasti)
{
	int addr = 0;

	for (size_t i = 0; i + 1 < sz; i += 2) {
		int delta = signed_byte(table[i + 1]);

		if (delta != -128)
			line += delta;
		addr += table[i];
		if (addr > lasti)
			return delta == -128 ? 0 : line;
	}
	return 0;
}

/* Six bits a byte, least significant first, bit 6 = more; the value's lowest bit is its sign. */
static int take_svarint(const unsigned char *table, size_t sz, size_t *at)
{
	__u32 value = 0;
	int shift = 0, byte;

	do {
		if (*at >= sz || shift > 30)
			return 0;
		byte = table[(*at)++];
		value |= (__u32)(byte & 63) << shift;
		shift += 6;
	} while (byte & 64);
	return value & 1 ? -(int)(value >> 1) : (int)(value >> 1);
}

/* 3.11+: entries start with a byte 1cccclll: form c, l + 1 code units; others have bit 7 clear. */
static __s64 line_locations(__s64 line, const unsigned char *table, size_t sz, int lasti)
{
	int addr = 0;

	for (size_t i = 0; i < sz;) {
		int first = table[i++], form = first >> 3 & 15;

		if (form == 13 || form == 14)
			line += take_svarint(table, sz, &i);
		else if (form >= 10 && form <= 12)
			line += form - 10;
		addr += 2 * ((first & 7) + 1);
		if (addr > lasti)
			return form == 15 ? 0 : line;
		while (i < sz && !(table[i] & 128)) /* columns */
			i++;
	}
	return 0;
}

int event_line(__u32 lines, int firstlineno, const unsigned char *table, size_t table_sz,
	       bool is_cut, int lasti)
{
	__s64 line = 0; /* no table that fits a record can add up to more */

	if (lasti < 0)
		return 0;
	if (lines == PYI_LINES_LNOTAB)
		line = line_lnotab(firstlineno, table, table_sz, is_cut, lasti);
	else if (lines == PYI_LINES_RANGES)
		line = line_ranges(firstlineno, table, table_sz, lasti);
	else if (lines == PYI_LINES_LOCATIONS)
		line = line_locations(firstlineno, table, table_sz, lasti);
	return line > 0 && line <= 0x7fffffff ? line : 0;
}
