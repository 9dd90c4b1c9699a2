// SPDX-License-Identifier: BSD-2-Clause
/* For hooks that want start-ups one by one, and what was lost so far. */
#include "model/model.h"
#include "probe/probes.h"
#include "trace/session.h"
#include "trace/signals.h"

#define FOLD_GAP_NS 250000000ULL
#define MEASURE_GAP_NS 1000000000ULL

void session__fold(struct session *session, __u64 now_ns)
{
	struct pyi_stats stats = {};

	if (session->hooks->reload && signals_take_reload())
		session->hooks->reload(session->hooks_ctx);
	if (!session->hooks->fold || now_ns - session->folded_ns < FOLD_GAP_NS)
		return;
	session->folded_ns = now_ns;
	model__fold(session->model, now_ns);
	if (now_ns - session->measured_ns < MEASURE_GAP_NS)
		return;
	session->measured_ns = now_ns;
	if (!probes__stats(session->probes, &stats))
		model__set_stats(session->model, &stats);
	session->hooks->measure(session->hooks_ctx, session->model, session->record_cnt);
}
