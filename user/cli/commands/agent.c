// SPDX-License-Identifier: BSD-2-Clause
/* `agent`: the host's start-ups as metrics; what it measures is in its row of commands.c,
 * beside what it sums up. */
#include "agent/agent.h"

#include "cli/cli.h"
#include "cli/commands/trace.h"
#include "trace/opts.h"

int agent_run(const struct opts *opts)
{
	struct opts cheap = *opts;
	struct agent *agent = NULL;
	int status;

	if (agent__new(opts, &agent))
		return EXIT_OURS;
	cheap.want_sums = true;
	cheap.want_kept = opts->spool || (opts->otlp && !opts->want_redacted);
	cheap.want_no_frames = !cheap.want_kept; /* a capture tells who imported */
	status = trace_run_with(&cheap, &agent_hooks, agent);
	agent__free(agent);
	return status;
}
