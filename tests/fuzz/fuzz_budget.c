// SPDX-License-Identifier: BSD-2-Clause
/* A budget file: refused with a message, or read; never more entries than it has bytes. */
#include "base/log.h"
#include "cli/budget/budget.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *in = size ? fmemopen((void *)data, size, "r") : NULL;
	char value[BUDGET_VALUE_SZ];
	struct budget budget;

	if (!in)
		return 0;
	log_set_verbosity(-3);
	if (!budget_parse(in, "budget.yaml", &budget)) {
		if (!budget.entry_cnt || budget.entry_cnt > size)
			abort();
		for (size_t i = 0; i < budget.entry_cnt; i++)
			for (int metric = 0; metric < METRIC_CNT; metric++)
				budget_value(value, metric, budget.entries[i].limits[metric].max);
		budget_clear(&budget);
	}
	fclose(in);
	return 0;
}
