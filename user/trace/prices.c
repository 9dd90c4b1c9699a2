// SPDX-License-Identifier: BSD-2-Clause
/* See prices.h. */
#include "trace/prices.h"

#include <string.h>

#include "base/log.h"
#include "model/model.h"

void prices_begin(struct prices *prices, bool want_perf)
{
	int err = price_meter__new(want_perf, &prices->meter);

	if (err)
		log_debug("what a probe costs here is not known: %s", strerror(-err));
	prices->syscall_ns = price_syscall_ns();
}

void prices_measure(struct prices *prices, struct model *model)
{
	struct price_info info = {};

	if (!prices->meter)
		return;
	price_meter__measure(prices->meter, prices->begin.trap_ns ? &prices->end : &prices->begin);
	info.trap_ns = prices->begin.trap_ns;
	info.step_ns = prices->begin.step_ns;
	info.end_trap_ns = prices->end.trap_ns;
	info.end_step_ns = prices->end.step_ns;
	if (prices->begin.syscall_ns > prices->syscall_ns)
		info.call_ns = prices->begin.syscall_ns - prices->syscall_ns;
	model__set_price(model, &info);
}

void prices_end(struct prices *prices)
{
	price_meter__free(prices->meter);
	prices->meter = NULL;
}
