// SPDX-License-Identifier: BSD-2-Clause
/* See elf_budget.h. Bytes are the same on every machine, time is for what they do not tell. */
#include "interpreters/elf/elf_budget.h"

#include <pthread.h>
#include <zlib.h>

#include "base/clock.h"

#define CHECK_BYTES (1u << 20) /* reading the thread's clock takes a system call */

/* What the sum of SUM_BYTES takes where the limits were found; how much slower others may be. */
#define SUM_BYTES (256u << 10)
#define SUM_NS 150000ULL
#define SLOWER_MAX 20

static __u64 slower = 1;

static void measure(void)
{
	static const unsigned char bytes[SUM_BYTES];
	__u64 least_ns = ~0ULL;

	for (int i = 0; i < 4; i++) {
		__u64 start_ns = clock_thread_cpu_ns(), took_ns;

		crc32(0, bytes, sizeof(bytes));
		took_ns = clock_thread_cpu_ns() - start_ns;
		least_ns = took_ns < least_ns ? took_ns : least_ns;
	}
	slower = (least_ns + SUM_NS / 2) / SUM_NS;
	slower = slower < 1 ? 1 : slower > SLOWER_MAX ? SLOWER_MAX : slower;
}

void elf_budget__init(struct elf_budget *budget, __u64 bytes, __u64 cpu_ns)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, measure);
	*budget = (struct elf_budget){ .bytes_left = bytes,
				       .cpu_end_ns = clock_thread_cpu_ns() + cpu_ns * slower };
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
