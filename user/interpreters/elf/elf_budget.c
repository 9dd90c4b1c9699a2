// SPDX-License-Identifier: BSD-2-Clause
/* See elf_budget.h. Bytes are the same on every machine, time is for what they do not tell. */
#include "interpreters/elf/elf_budget.h"

#include "base/clock.h"

#define CHECK_BYTES (1u << 20) /* reading the thread's clock takes a system call */

void elf_budget__init(struct elf_budget *budget, __u64 bytes, __u64 cpu_ns)
{
	*budget = (struct elf_budget){ .bytes_left = bytes,
				       .cpu_end_ns = clock_thread_cpu_ns() + cpu_ns };
}

bool elf_budget__spend(struct elf_budget *budget, __u64 bytes)
{
	if (budget->is_spent)
		return false;
	budget->unchecked += bytes;
	if (bytes > budget->bytes_left) {
		budget->is_spent = true;
	} else if (budget->unchecked >= CHECK_BYTES) {
		budget->unchecked = 0;
		budget->is_spent = clock_thread_cpu_ns() > budget->cpu_end_ns;
	}
	budget->bytes_left -= budget->is_spent ? budget->bytes_left : bytes;
	return !budget->is_spent;
}
