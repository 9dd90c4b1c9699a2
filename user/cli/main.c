// SPDX-License-Identifier: BSD-2-Clause
/* The entry: standard streams, options, one command. */
#include <errno.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "trace/output.h"

static int (*const runs[])(const struct opts *opts) = {
	[COMMAND_TRACE] = trace_run, [COMMAND_RECORD] = trace_run, [COMMAND_REPORT] = report_run,
	[COMMAND_DIFF] = diff_run, [COMMAND_DOCTOR] = doctor_run, [COMMAND_WHY] = why_run,
	[COMMAND_CHECK] = check_run, [COMMAND_BENCH] = bench_run, [COMMAND_TOP] = top_run,
	[COMMAND_AGENT] = agent_run,
	[COMMAND_HELP] = help_run, [COMMAND_VERSION] = version_run, [COMMAND_SCHEMA] = schema_run,
	[COMMAND_COMPLETION] = completion_run,
};

int main(int argc, char **argv)
{
	struct opts opts;
	int status, err = output_fill_standard();

	if (err)
		return EXIT_OURS;
	err = opts__parse(&opts, argc, argv);
	if (err)
		return err == -EINVAL ? EXIT_USAGE : EXIT_OURS;
	log_set_verbosity(opts.verbosity);
	status = runs[opts.command](&opts);
	opts__clear(&opts);
	return status;
}
