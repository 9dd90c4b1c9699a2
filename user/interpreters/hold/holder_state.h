/* SPDX-License-Identifier: BSD-2-Clause */
/* What the process that holds knows. Private to holder.c and holder_begin.c. */
#ifndef INTERPRETERS_HOLD_HOLDER_STATE_H
#define INTERPRETERS_HOLD_HOLDER_STATE_H

#include "base/clock.h"
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

/* How long it was held, for whoever asks by the slot. */
static inline void fill_slot(struct holder *holder, __s32 slot, __u64 start_ns, __u64 took_ns)
{
	if (slot < 0 || slot >= HOLDER_SLOTS)
		return;
	atomic_store(&holder->counts->slots_start_ns[slot], start_ns);
	atomic_store(&holder->counts->slots_ns[slot], took_ns);
}

/* What the late answer is about has gone on; how long it was held is still told. */
static inline void take_owed(struct holder *holder, const struct holder_reply *late)
{
	fill_slot(holder, late->slot, holder->tracer.owed_start_ns, holder->tracer.owed_ns);
}

/*
 * To start one program is to open several files, its own and those of its loader: each would wait
 * for as long as an exec may. So no exec waits behind an answer that has taken that long already.
 */
static inline bool is_exec_due(const struct holder *holder)
{
	__u64 now = clock_ns(), asked_ns = holder->tracer.asked_ns;

	return execs__due_ns(&holder->execs) <= now ||
	       (asked_ns && now - asked_ns >= HOLD_EXEC_LIMIT_NS);
}

/* From its end on nothing is missed. */
void holder_begin(struct holder *holder);

#endif
