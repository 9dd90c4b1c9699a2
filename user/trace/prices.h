/* SPDX-License-Identifier: BSD-2-Clause */
/* What this machine asks for our probes, before and after a trace. Private to user/trace. */
#ifndef TRACE_PRICES_H
#define TRACE_PRICES_H

#include <stdbool.h>
#include "probe/price.h"

struct model;

struct prices {
	struct price_meter *meter; /* NULL: it cannot be measured here */
	__u64 syscall_ns;          /* before anything of ours looked at system calls */
	struct price begin, end;
};

/* Before the programs are attached. */
void prices_begin(struct prices *prices, bool want_perf);

/* Once they are, and once more when the trace is over; tells the model. */
void prices_measure(struct prices *prices, struct model *model);

void prices_end(struct prices *prices); /* waits for the kernel, 30 ms */

#endif
