// SPDX-License-Identifier: BSD-2-Clause
/* `report`: every view and format from a file, on any machine, without privilege. */
#include <errno.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "trace/output.h"
#include "cli/replay.h"
#include "model/model.h"
#include "report/report.h"

static int write_report(const struct opts *opts, const struct replay *replay)
{
	struct output output;
	int err;

	if (output__open(opts, &output))
		return EXIT_OURS;
	err = output__write(&output, opts, &(struct report_input){ .model = replay->model });
	output__close(&output);
	if (err || replay->is_partial)
		return EXIT_OURS;
	if (opts->is_strict && !model__is_complete(replay->model)) {
		log_err(0, "data was lost (--strict); the report says what");
		return EXIT_LOSS;
	}
	return EXIT_OK;
}

int report_run(const struct opts *opts)
{
	struct replay replay;
	int status;

	if (replay_load(opts, opts->words[0], &replay))
		return EXIT_OURS;
	status = write_report(opts, &replay);
	model__free(replay.model);
	return status;
}
