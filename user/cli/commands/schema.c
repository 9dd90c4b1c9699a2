// SPDX-License-Identifier: BSD-2-Clause
/* --json-schema: docs/report.schema.json, which the build puts into the program. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/opts.h"
#include "report_schema.h"

int schema_run(const struct opts *opts)
{
	(void)opts;
	fputs(report_schema, stdout);
	return fflush(stdout) || ferror(stdout) ? EXIT_OURS : EXIT_OK;
}
