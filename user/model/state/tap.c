// SPDX-License-Identifier: BSD-2-Clause
/* What goes into a model, told to whoever keeps it. */
#include "event/event.h"
#include "model/state/tap.h"

void model__set_tap(struct model *model, const struct model_tap *tap)
{
	model->tap = tap ? *tap : (struct model_tap){};
}

void tap_record(struct model *model, const struct event *event)
{
	struct model *whole = model->whole ? model->whole : model;
	const void *record = event->raw;
	size_t size = event->size;

	if (!model->tap.record)
		return;
	if (event->hdr && event_has_slack(event->hdr->kind) &&
	    !capture_buf__reserve(&whole->trimmed, size)) {
		size = event_trim(record, size, whole->trimmed.data);
		record = whole->trimmed.data;
	}
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
