/* SPDX-License-Identifier: BSD-2-Clause */
/* What the process that holds knows. Private to holder.c and holder_begin.c. */
#ifndef INTERPRETERS_HOLD_HOLDER_STATE_H
#define INTERPRETERS_HOLD_HOLDER_STATE_H

#include "interpreters/hold/mapped_pythons.h"
#include "interpreters/hold/channel.h"
#include "interpreters/hold/execs.h"
#include "interpreters/hold/holder.h"
#include "interpreters/hold/readers.h"

struct holder {
	const struct holder_opts *opts;
	struct channel tracer, scout;
	struct readers readers;
	struct execs execs;
	int map_fd;       /* readable when mappings wait to be read */
	struct mapped *mapped;
	struct caught caught;
	struct holder_counts *counts;
	__u64 scout_debt_ns, scouted_ns;
	bool can_ignore, is_ending;
};

/* From its end on nothing is missed. */
void holder_begin(struct holder *holder);

#endif
