// SPDX-License-Identifier: BSD-2-Clause
/* See caught.h. */
#include "target/caught.h"

void caught__stop(struct caught *caught, struct caught_item *item, __u64 now_ns)
{
	item->since_ns = now_ns;
	item->is_stopped = caught->can_stop && stop_thread(item->event.tid);
}

void caught__collect(struct caught *caught, __u64 now_ns)
{
	struct caught_item item = {};

	while (caught->mapped && caught->cnt < CAUGHT_MAX &&
	       mapped__next(caught->mapped, &item.event)) {
		/* 0 or less: in a pid namespace that is not below ours. */
		if (item.event.tgid <= 0 || item.event.tid <= 0 ||
		    !caught->wants(caught->ctx, item.event.tgid))
			continue;
		item.is_stopped = false;
		if (item.event.is_likely)
			caught__stop(caught, &item, now_ns);
		caught->running_cnt += item.event.is_likely && !item.is_stopped;
		caught->items[(caught->first + caught->cnt++) % CAUGHT_MAX] = item;
	}
}

bool caught__take(struct caught *caught, struct caught_item *out)
{
	if (!caught->cnt)
		return false;
	*out = caught->items[caught->first];
	caught->first = (caught->first + 1) % CAUGHT_MAX;
	caught->cnt--;
	caught->running_cnt -= out->event.is_likely && !out->is_stopped;
	return true;
}

void caught__let_go(struct caught *caught, const struct caught_item *item)
{
	if (item->is_stopped)
		stops__let_go(&caught->stops, item->event.tid);
}
