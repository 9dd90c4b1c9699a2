// SPDX-License-Identifier: BSD-2-Clause
/* A log of -X importtime. */
#include "event/importtime.h"
#include "fuzz.h"
#include "model/tape/importtime_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *in = size ? fmemopen((void *)data, size, "r") : NULL;
	struct importtime_result result;
	struct model *model;

	if (!in)
		return 0;
	if (model__new(&model))
		abort();
	if (!log_play(in, model, &result)) {
		fuzz_check(model);
		if (model__malformed(model)) /* what we make ourselves is well formed */
			abort();
		fuzz_report(model);
	}
	model__free(model);
	fclose(in);
	return 0;
}
