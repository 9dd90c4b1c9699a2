// SPDX-License-Identifier: BSD-2-Clause
/*
 * --rotate: when another file is due, all that was charged until then is told first, so that a load
 * has its causes in the file where it ended; then what was lost so far, and the machine.
 */
#include "base/log.h"
#include "model/model.h"
#include "probe/probes.h"
#include "trace/facts/facts.h"
#include "trace/facts/identity.h"
#include "trace/follow/pythons.h"
#include "trace/opts.h"
#include "trace/session.h"

static void end_file(struct session *session, __u64 now_ns)
{
	struct pyi_stats stats = {};

	if (!session->opts->want_no_edges && probes__tell_counts(session->probes))
		log_debug("what statements count is told in the next file");
	facts__finish(session->facts, session->model);
	identity__finish(session->identity, session->model);
	session__tell_starts(session);
	if (!probes__stats(session->probes, &stats))
		model__set_stats(session->model, &stats);
	if (session__describe_host(session, now_ns))
		log_debug("the capture lacks its end: out of memory");
}

void session__rotate(struct session *session, __u64 now_ns)
{
	if (!session->due_ns) {
		if (!recording__is_due(&session->recording, now_ns))
			return;
		session->due_ns = now_ns;
		probes__settle(session->probes);
	}
	if (probes__settled_ns(session->probes) < session->due_ns)
		return;
	session->due_ns = 0;
	end_file(session, now_ns);
	if (recording__rotate(&session->recording, now_ns))
		return;
	session->file_ns = now_ns;
	if (session__describe_host(session, 0) ||
	    pythons__describe(session->pythons, session->model))
		log_debug("the capture lacks its description: out of memory");
	recording__placed(&session->recording);
}
