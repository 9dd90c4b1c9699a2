// SPDX-License-Identifier: BSD-2-Clause
/* The entry: standard streams, options, one command. */
#include <errno.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/opts.h"
#include "trace/output.h"

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
	status = commands_get(opts.command)->run(&opts);
	opts__clear(&opts);
	return status;
}
