// SPDX-License-Identifier: BSD-2-Clause
/* What goes into a model, told to whoever keeps it, and given again by whoever kept it. */
#include <errno.h>

#include "model/state.h"

void model__set_tap(struct model *model, const struct model_tap *tap)
{
	model->tap = tap ? *tap : (struct model_tap){};
}

void tap_record(const struct model *model, const void *record, size_t size)
{
	if (model->tap.record)
		model->tap.record(model->tap.ctx, record, size);
}

void tap_fact(const struct model *model, enum model_fact fact, __u32 id, const void *info)
{
	if (model->tap.fact)
		model->tap.fact(model->tap.ctx, fact, id, info);
}

int model__set_fact(struct model *model, enum model_fact fact, __u32 id, const void *info)
{
	switch (fact) {
	case FACT_HOST: return model__set_host(model, info);
	case FACT_PYTHON: return model__set_python_info(model, id, info);
	case FACT_PROCESS: return model__set_process_info(model, id, info);
	case FACT_LIB: return model__set_lib_info(model, info);
	case FACT_STATS:
		model__set_stats(model, info);
		return 0;
	case FACT_UNPROBED: return model__add_unprobed(model, info);
	case FACT_LATE_STARTS:
		model__set_late_starts(model, *(const __u64 *)info);
		return 0;
	case FACT_UNKNOWN_STARTS:
		model__set_unknown_starts(model, *(const __u64 *)info);
		return 0;
	case FACT_THROTTLE: return model__add_throttle(model, id, info);
	case FACT_SAME: return model__add_same(model, id, info);
	case FACT_HOLD: return model__add_hold(model, info);
	}
	return -EINVAL;
}

void model__set_cut(struct model *model)
{
	model->is_cut = true;
}

bool model__is_cut(const struct model *model)
{
	return model->is_cut;
}
