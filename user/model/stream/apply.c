// SPDX-License-Identifier: BSD-2-Clause
/* Records in, in the order in which the kernel reserved them: each to whoever it concerns. */
#include "event/event.h"
#include "model/causes/charge.h"
#include "model/causes/files.h"
#include "model/causes/libs.h"
#include "model/causes/net.h"
#include "model/causes/phases.h"
#include "model/state/code.h"
#include "model/state/path.h"
#include "model/state/process_table.h"
#include "model/state/tap.h"
#include "model/stream/marks.h"
#include "model/stream/inventory.h"
#include "model/stream/process.h"
#include "model/stream/span.h"
#include "model/stream/stmt.h"

int model__apply(struct model *model, const void *record, size_t size)
{
	const struct event event = event_of(record, size);

	return model__apply_event(model, &event);
}

int model__apply_event(struct model *model, const struct event *event)
{
	const struct pyi_hdr *hdr = event->hdr;
	const void *record = hdr;
	struct process_state *state;

	model->ended = NULL;
	tap_record(model, event);
	if (model->is_finished || !hdr) {
		model->malformed++;
		return 0;
	}
	if (model->lean)
		return model->lean_ops->apply(model, record, event->size);
	switch (hdr->kind) {
	case PYI_EV_EXEC: return process_exec(model, record);
	case PYI_EV_LOG: return process_log(model, record);
	case PYI_EV_FORK: return process_fork(model, record);
	case PYI_EV_PYTHON: return process_python(model, record);
	case PYI_EV_BEGIN: return span_begin(model, record);
	case PYI_EV_END: return span_end(model, record);
	case PYI_EV_MARK: return span_mark(model, record);
	case PYI_EV_FRAMES: return span_frames(model, record);
	case PYI_EV_EDGE: return stmt_first(model, record);
	case PYI_EV_FROM: return stmt_from(model, record);
	case PYI_EV_BOUND: return stmt_bound(model, record);
	case PYI_EV_EDGE_COUNT: return stmt_count(model, record);
	case PYI_EV_INVENTORY: return inventory_add(model, record);
	case PYI_EV_NAMESPACE: return process_namespace(model, record);
	case PYI_EV_CODE: return code_add(model, record);
	case PYI_EV_CHARGE: return charge_apply(model, record);
	case PYI_EV_CHARGED:
		charge_settled(model, record);
		charge_note_own(model, hdr->ts_ns);
		return 0;
	case PYI_EV_PHASE:
		phase_add(model, record);
		return 0;
	case PYI_EV_PATH: return path_add(model, record);
	case PYI_EV_FILE: return file_add(model, record);
	case PYI_EV_NET: return net_add(model, record);
	case PYI_EV_EFFECT: return effect_add(model, record);
	case PYI_EV_SPAWN: return spawn_add(model, record);
	case PYI_EV_LINK:
		link_add(model, record);
		return 0;
	case PYI_EV_EXIT:
		process_exit(model, record);
		return 0;
	case PYI_EV_THREAD_EXIT:
		state = process_find(model, hdr->proc);
		if (state)
			spans_abandon(model, state, hdr->tid);
		return 0;
	}
	return 0;
}
