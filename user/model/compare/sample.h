/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures of repeated runs: medians, how sure they are, and which runs stand out. */
#ifndef MODEL_COMPARE_SAMPLE_H
#define MODEL_COMPARE_SAMPLE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Median of @cnt values (which are sorted) and the interval that holds it with 95 %: order
 * statistics, no assumption about their distribution. Below 6 values it is all of them.
 */
void median_of(__u64 *values, size_t cnt, __u64 *median, __u64 *low, __u64 *high);

/* Of differences, which may be negative. */
void median_of_signed(__s64 *values, size_t cnt, __s64 *median, __s64 *low, __s64 *high);

/* Beyond these is what stands out: one and a half times the quartiles' distance from them. */
void fences_of(const __u64 *sorted, size_t cnt, __u64 *low, __u64 *high);

/* One command of a bench, its runs in the order in which they ran. */
struct bench_side {
	const char *command;
	__u64 *wall_ns, *cpu_ns;
	size_t cnt;
	int status;              /* wait status of all runs: they ended well, or it is no bench */
};

struct bench {
	/* What this machine asks for a system call and an empty probe; 0 = unknown. */
	__u64 syscall_ns, probe_ns;
	struct bench_side sides[2];
	size_t side_cnt;
	bool is_cold;
	/* COLD: files the program reads, and what of them was still cached at the worst run. */
	size_t file_cnt, held_cnt;
	__u64 file_bytes, held_bytes;
};

#endif
