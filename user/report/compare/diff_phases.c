// SPDX-License-Identifier: BSD-2-Clause
/*
 * Phases of two processes side by side: how long a stretch took, and of a moment (listen, ready …)
 * how long after the start of the process it came.
 */
#include <string.h>

#include "report/compare/diff_out.h"

static const struct phase *find(const struct process *process, const char *name)
{
	for (size_t i = 0; i < process->phase_cnt; i++)
		if (!strcmp(process->phases[i].name, name))
			return &process->phases[i];
	return NULL;
}

static __u64 length_of(const struct process *process, const char *name)
{
	const struct phase *phase = find(process, name);
	__u64 from_ns = process->start_ns;

	if (!phase)
		return NS_UNKNOWN;
	if (phase->start_ns != phase->end_ns)
		from_ns = phase->start_ns;
	return phase->end_ns >= from_ns ? phase->end_ns - from_ns : NS_UNKNOWN;
}

size_t diff_phases(const struct diff_pair *pair, struct diff_phase out[DIFF_PHASES_MAX])
{
	const struct process *sides[] = { pair->before, pair->after };
	size_t cnt = 0;

	for (size_t side = 0; side < 2; side++) {
		for (size_t i = 0; i < sides[side]->phase_cnt && cnt < DIFF_PHASES_MAX; i++) {
			const struct phase *phase = &sides[side]->phases[i];
			const char *name = phase->name;

			if (side && find(pair->before, name))
				continue;
			out[cnt++] = (struct diff_phase){
				name, phase->start_ns == phase->end_ns,
				length_of(pair->before, name), length_of(pair->after, name) };
		}
	}
	return cnt;
}
