// SPDX-License-Identifier: BSD-2-Clause
/* `diff A B`: what changed from one capture to another. */
#include "base/log.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "trace/output.h"
#include "cli/replay.h"
#include "model/model.h"
#include "report/compare/diff_limits.h"
#include "report/report.h"

static int write_diff(const struct opts *opts, const struct model *before,
		      const struct model *after)
{
	const struct report_input input = { .model = after, .before = before };
	struct opts own = *opts;
	struct output output;
	int err;

	own.view = "diff";
	if (output__open(&own, &output))
		return EXIT_OURS;
	err = output__write(&output, &own, &input);
	output__close(&output);
	return err ? EXIT_OURS : EXIT_OK;
}

/* --fail-on: what grew by more than that is told on standard error, as a reason for the status. */
static int judge(const struct opts *opts, const struct model *before, const struct model *after)
{
	int cnt = diff_limits_apply(opts->fail_on, before, after, stderr);

	if (cnt < 0)
		log_err(cnt, "cannot judge what changed");
	return cnt ? EXIT_OURS : EXIT_OK;
}

int diff_run(const struct opts *opts)
{
	struct replay before = {}, after = {};
	int status = EXIT_OURS;

	if (!replay_load(opts, opts->words[0], &before) &&
	    !replay_load(opts, opts->words[1], &after)) {
		status = write_diff(opts, before.model, after.model);
		if (opts->fail_on && status == EXIT_OK)
			status = judge(opts, before.model, after.model);
		if (before.is_partial || after.is_partial)
			status = EXIT_OURS;
	}
	model__free(before.model);
	model__free(after.model);
	return status;
}
