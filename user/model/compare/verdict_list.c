// SPDX-License-Identifier: BSD-2-Clause
/* The list of verdicts. */
#include "model/compare/verdict_list.h"

#include <stdlib.h>

struct verdict *verdict_add(struct verdicts *result, const struct runs *runs,
			    enum verdict_kind kind)
{
	struct verdict *verdicts = result->all;

	if (result->cnt == result->cap) {
		size_t cap = result->cap ? 2 * result->cap : 16;

		verdicts = reallocarray(verdicts, cap, sizeof(*verdicts));
		if (!verdicts)
			return NULL;
		result->all = verdicts;
		result->cap = cap;
	}
	verdicts[result->cnt] = (struct verdict){
		.entry = runs->entry, .kind = kind, .run_cnt = runs->cnt,
		.value = NS_UNKNOWN, .low = NS_UNKNOWN, .high = NS_UNKNOWN, .max = NS_UNKNOWN,
		.modules = NS_UNKNOWN, .modules_low = NS_UNKNOWN,
		.then = NS_UNKNOWN, .modules_then = NS_UNKNOWN,
		.model = runs->cnt ? runs->models[0] : NULL,
		.process = runs->cnt ? runs->processes[0] : NULL,
	};
	return &verdicts[result->cnt++];
}

void verdict_tell(struct verdict *verdict, const struct runs *runs, size_t run)
{
	verdict->model = runs->models[run];
	verdict->process = runs->processes[run];
}

void verdict_needs(struct verdict *verdict, const struct runs *runs, __u32 groups)
{
	if (verdict->result == VERDICT_BROKEN)
		return;
	for (size_t i = 0; i < runs->cnt; i++)
		verdict->lacks |= process_lacks(runs->processes[i], groups);
	if (verdict->lacks)
		verdict->result = VERDICT_UNKNOWN;
}
