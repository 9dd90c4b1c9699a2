// SPDX-License-Identifier: BSD-2-Clause
/* See mapped_pythons.h. */
#include "interpreters/hold/mapped_pythons.h"

#include "interpreters/hold/holder.h"

static void add(struct caught *caught, const struct mapped_event *event, bool want_stop,
		__u64 now_ns)
{
	struct caught_item *item = &caught->items[(caught->first + caught->cnt) % CAUGHT_MAX];

	*item = (struct caught_item){ .event = *event, .since_ns = now_ns };
	item->event.path = NULL;
	item->is_stopped = want_stop && caught->can_stop && stop_thread(event->tid);
	caught->running_cnt += !item->is_stopped;
	caught->cnt++;
}

void caught__collect(struct caught *caught, __u64 now_ns)
{
	struct mapped_event event;

	while (caught->mapped && caught->cnt < CAUGHT_MAX &&
	       mapped__next(caught->mapped, &event)) {
		unsigned int want;

		/* 0 or less: in a pid namespace that is not below ours. */
		if (event.tgid <= 0 || event.tid <= 0)
			continue;
		want = caught->scout(caught->ctx, &event);
		if (want & HOLDER_WANT_IGNORE)
			mapped__know(caught->mapped, &event, now_ns);
		if (want & (HOLDER_WANT_STOP | HOLDER_WANT_LOOK))
			add(caught, &event, want & HOLDER_WANT_STOP, now_ns);
	}
}

bool caught__take(struct caught *caught, struct caught_item *out)
{
	if (!caught->cnt)
		return false;
	*out = caught->items[caught->first];
	caught->first = (caught->first + 1) % CAUGHT_MAX;
	caught->cnt--;
	caught->running_cnt -= !out->is_stopped;
	return true;
}

void caught__let_go(struct caught *caught, const struct caught_item *item)
{
	if (item->is_stopped)
		stops__let_go(&caught->stops, item->event.tid);
}
