// SPDX-License-Identifier: BSD-2-Clause
/* The entry: standard streams, options, one command. */
#include "base/log.h"
#include "cli/commands.h"
#include "cli/opts.h"
#include "trace/output.h"

int main(int argc, char **argv)
{
	struct opts opts;
	int status;

	if (output_fill_standard() || opts__parse(&opts, argc, argv))
		return EXIT_OURS;
	log_set_verbosity(opts.verbosity);
	status = commands_get(opts.command)->run(&opts);
	opts__clear(&opts);
	return status;
}
