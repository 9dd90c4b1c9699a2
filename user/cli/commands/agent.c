// SPDX-License-Identifier: BSD-2-Clause
/* `agent`: the host's start-ups as metrics; what it measures is in its row of commands.c,
 * beside what it sums up. */
#include "agent/agent.h"

#include <malloc.h>

#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/commands/trace.h"
#include "trace/opts.h"
#include "trace/signals.h"

#define LARGE_SZ (1 << 20)
#define SPARE_SZ (4 << 20) /* less than that at the end of the heap is kept for the next start */

/*
 * Months of it: what is large is mapped by itself and given back, whatever was large before (malloc
 * would raise the limit to 32 MB), and threads share their heaps.
 */
static void settle_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, LARGE_SZ);
	mallopt(M_TRIM_THRESHOLD, SPARE_SZ);
	mallopt(M_ARENA_MAX, 2);
}

/* The command line is read once more, and the file that it names. */
static int reread(const struct opts *opts, struct opts *fresh)
{
	return opts__parse(fresh, opts->line_cnt, opts->line);
}

int agent_run(const struct opts *opts)
{
	const struct agent_reload reload = { .opts = opts, .read = reread, .clear = opts__clear };
	struct opts cheap = *opts;
	struct agent *agent = NULL;
	int status;

	settle_memory();
	if (agent__new(&reload, &agent))
		return EXIT_OURS;
	signals_reload_at_hangup();
	cheap.want_sums = true;
	cheap.want_kept = opts->spool || (opts->otlp && !opts->want_redacted);
	cheap.want_no_frames = !cheap.want_kept; /* a capture tells who imported */
	status = trace_run_with(&cheap, &agent_hooks, agent);
	agent__free(agent);
	return status;
}
