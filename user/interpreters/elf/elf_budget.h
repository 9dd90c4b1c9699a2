/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What reading one file of a target may take. A file can be made so that every look into it is
 * dear (a hole of 250 MB, a million symbols, the same string everywhere); whoever reads it stops
 * when this is used up, and the file counts as not examined. Private to user/interpreters.
 */
#ifndef INTERPRETERS_ELF_ELF_BUDGET_H
#define INTERPRETERS_ELF_ELF_BUDGET_H

#include <linux/types.h>
#include <stdbool.h>

struct elf_budget {
	__u64 bytes_left;   /* read or searched; other work by what it costs beside that */
	__u64 cpu_end_ns;   /* of clock_thread_cpu_ns */
	__u64 unchecked;    /* bytes since that clock was read */
	bool is_spent;
};

/*
 * @cpu_ns: of a processor, by the calling thread from now on, on a machine as fast as ours; a
 * slower one, an emulated one say, gets as much more.
 */
void elf_budget__init(struct elf_budget *budget, __u64 bytes, __u64 cpu_ns);

/* False when it is used up, from then on always. */
bool elf_budget__spend(struct elf_budget *budget, __u64 bytes);

#endif
