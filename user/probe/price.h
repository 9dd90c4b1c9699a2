/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this machine asks for a system call, and for a probe whose program does nothing: measured,
 * in some milliseconds, on functions of our own that nobody else calls.
 */
#ifndef PROBE_PRICE_H
#define PROBE_PRICE_H

#include <linux/types.h>
#include <stdbool.h>

/* Nanoseconds each; 0 = not known. */
struct price {
	__u64 syscall_ns; /* the shortest system call there is, as things are now */
	__u64 trap_ns;    /* a probe on an instruction that the kernel emulates */
	__u64 step_ns;    /* … that it lets the processor execute by itself: two traps */
};

/* A system call alone: needs nothing. */
__u64 price_syscall_ns(void);

/* Probes of our own, on nobody's way, that can be hit again and again. */
struct price_meter;

/* @want_perf: perf uprobes, even where uprobe_multi exists. 0 or -errno. */
int price_meter__new(bool want_perf, struct price_meter **out);

/* Takes some 5 ms. What another thread or machine takes away meanwhile does not count. */
void price_meter__measure(const struct price_meter *meter, struct price *out);

void price_meter__free(struct price_meter *meter); /* NULL-safe; waits for the kernel, 30 ms */

/* "a system call takes 170 ns, an empty probe 834 ns (single-stepped 7274 ns)", into @text. */
#define PRICE_TEXT_SZ 128
const char *price_text(const struct price *price, char text[PRICE_TEXT_SZ]);

/* All of the above, once. False: probes cannot be used here, only the system call is known. */
bool price_measure(bool want_perf, struct price *out);

#endif
