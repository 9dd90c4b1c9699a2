// SPDX-License-Identifier: GPL-2.0-only
/* The least a probe can cost: a program that does nothing. The yardstick of `make bench`. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("uprobe.multi")
int empty(void *ctx)
{
	return 0;
}

SEC("uprobe")
int empty_perf(void *ctx)
{
	return 0;
}

SEC("?raw_tp/sys_enter")
int empty_enter(void *ctx)
{
	return 0;
}

SEC("?raw_tp/sys_exit")
int empty_exit(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
