// SPDX-License-Identifier: BSD-2-Clause
/* See keep_fds.h. */
#include "interpreters/process/keep_fds.h"

#include <sys/syscall.h>
#include <unistd.h>

/* By hand: qsort may allocate. Nearly sorted as it is. */
static void sort_fds(int *fds, int cnt)
{
	for (int i = 1; i < cnt; i++) {
		for (int j = i; j > 0 && fds[j] < fds[j - 1]; j--) {
			int low = fds[j];

			fds[j] = fds[j - 1];
			fds[j - 1] = low;
		}
	}
}

void keep_fds(int *fds, int cnt)
{
	int from = 0;

	sort_fds(fds, cnt);
	for (int i = 0; i < cnt; i++) {
		if (fds[i] > from)
			syscall(SYS_close_range, from, fds[i] - 1, 0u);
		from = fds[i] + 1;
	}
	syscall(SYS_close_range, from, ~0u, 0u);
}
