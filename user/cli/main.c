// SPDX-License-Identifier: BSD-2-Clause
/* The entry: standard streams, options, one command. */
#include <errno.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/output.h"

static int run_command(const struct opts *opts)
{
	switch (opts->command) {
	case COMMAND_DOCTOR:
		return doctor_run(opts);
	case COMMAND_VERSION:
		return version_run(opts);
	case COMMAND_TRACE:
		break;
	}
	return trace_run(opts);
}

int main(int argc, char **argv)
{
	struct opts opts;
	int status;

	if (output_fill_standard() || opts__parse(&opts, argc, argv))
		return EXIT_OURS;
	log_set_verbosity(opts.verbosity);
	status = run_command(&opts);
	opts__clear(&opts);
	return status;
}
