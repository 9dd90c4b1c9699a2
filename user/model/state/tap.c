// SPDX-License-Identifier: BSD-2-Clause
/* What goes into a model, told to whoever keeps it. */
#include "model/state/tap.h"

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

void model__set_cut(struct model *model)
{
	model->is_cut = true;
}

bool model__is_cut(const struct model *model)
{
	return model->is_cut;
}
