/* SPDX-License-Identifier: BSD-2-Clause */
/* What a trace records: what its profile says, or what is to be shown of it. */
#ifndef CLI_LINE_PROFILE_H
#define CLI_LINE_PROFILE_H

#include "trace/opts.h"

struct profile {
	const char *name;
	unsigned int uses; /* enum uses */
};

const struct profile *profile_find(const char *name); /* NULL: there is none */

/* Once everything is parsed: opts->groups_off and want_no_edges get what is not asked for. */
void profile_settle(struct opts *opts);

#endif
