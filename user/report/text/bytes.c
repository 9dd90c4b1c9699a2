// SPDX-License-Identifier: BSD-2-Clause
/* Sizes in words. */
#include "report/view.h"

char *view_bytes(char buf[TEXT_NUM_SZ], __u64 bytes)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
	double value = (double)bytes / 1000;
	size_t unit = 0;

	if (bytes < 1000) {
		snprintf(buf, TEXT_NUM_SZ, "%llu B", bytes);
		return buf;
	}
	while (value >= 999.5 && unit < 5) {
		value /= 1000;
		unit++;
	}
	snprintf(buf, TEXT_NUM_SZ, value < 9.995 ? "%.2f %s" : value < 99.95 ? "%.1f %s" : "%.0f %s",
		 value, units[unit]);
	return buf;
}
