// SPDX-License-Identifier: BSD-2-Clause
/* `why MODULE [FILE]`: the chains to one module, of a capture file or of a trace. */
#include "base/log.h"
#include "cli/cli.h"
#include "cli/opts.h"

int why_run(const struct opts *opts)
{
	struct opts own = *opts;

	own.view = "why";
	own.module = opts->words[0];
	if (opts->word_cnt == 1)
		return trace_run(&own);
	if (opts->argv || opts->tgid_cnt) {
		log_err(0, "why: either a capture file or something to trace, not both");
		return EXIT_USAGE;
	}
	own.words++;
	own.word_cnt--;
	return report_run(&own);
}
