// SPDX-License-Identifier: BSD-2-Clause
/* See profile.h. */
#include "cli/line/profile.h"

#include <string.h>

#include "cli/line/commands.h"
#include "report/uses.h"

static const struct profile profiles[] = {
	{ "full", USES_ALL },
	{ "standard", USES_CAUSES },
	{ "loads", USES_LOADS },
};

const struct profile *profile_find(const char *name)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (!strcmp(profiles[i].name, name))
			return &profiles[i];
	return NULL;
}

/* A capture is for whatever is asked later; what runs already should not pay for all of it. */
static unsigned int uses_of(const struct opts *opts)
{
	unsigned int uses = commands_get(opts->command)->uses;

	if (uses == USES_OF_VIEW)
		uses = report_uses(opts->view, opts->format, opts->by);
	if (uses & USES_SOME_STATEMENTS && opts->argv)
		uses |= USES_STATEMENTS;
	if (opts->capture_path)
		uses |= opts->argv ? USES_ALL : USES_CAUSES;
	return opts->want_until_ready ? uses | USES_PHASES : uses;
}

void profile_settle(struct opts *opts)
{
	const struct profile *profile = opts->profile ? profile_find(opts->profile) : NULL;
	unsigned int uses = profile ? profile->uses : uses_of(opts);

	opts->groups_off |= USES_CAUSES & ~uses & ~PYI_GROUP_WAKE;
	opts->want_no_edges |= !(uses & USES_STATEMENTS);
}
