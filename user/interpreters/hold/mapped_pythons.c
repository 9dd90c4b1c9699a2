// SPDX-License-Identifier: BSD-2-Clause
/* See mapped_pythons.h. */
#include "interpreters/hold/mapped_pythons.h"

#include <string.h>

#include "base/clock.h"
#include "interpreters/hold/holder.h"

#define RECALL_NS 500000000ULL

static void keep(struct caught_item *item, const struct mapped_event *event)
{
	size_t sz = strlen(event->path) + 1;

	*item = (struct caught_item){ .event = *event };
	if (sz <= sizeof(item->path))
		memcpy(item->path, event->path, sz);
	item->event.path = item->path;
}

static void add(struct caught *caught, const struct mapped_event *event, bool want_stop)
{
	struct caught_item *item = &caught->items[(caught->first + caught->cnt) % CAUGHT_MAX];

	keep(item, event);
	item->is_stopped = want_stop && caught->can_stop && stop_thread(event->tid);
	item->since_ns = clock_ns(); /* not before: to find out what it is took a while */
	caught->running_cnt += !item->is_stopped;
	caught->cnt++;
}

static void settle(struct caught *caught, const struct mapped_event *event, unsigned int want,
		   __u64 now_ns)
{
	if (want & HOLDER_WANT_IGNORE)
		mapped__know(caught->mapped, event, now_ns);
	if (want & (HOLDER_WANT_STOP | HOLDER_WANT_LOOK))
		add(caught, event, want & HOLDER_WANT_STOP);
}

/*
 * An answer that took too long to be waited for is still good: a busy machine that delays the one
 * who looks delays the program as well. One about a thread that may have gone since is not.
 */
static void recall(struct caught *caught, __u64 now_ns)
{
	unsigned int want;

	if (!caught->asked_ns || caught->cnt == CAUGHT_MAX)
		return;
	want = caught->recall(caught->ctx);
	if (now_ns - caught->asked_ns > RECALL_NS)
		want = want & HOLDER_WANT_IGNORE ?: HOLDER_WANT_LOOK;
	else if (want & HOLDER_WANT_TIME)
		return;
	caught->asked_ns = 0;
	settle(caught, &caught->asked.event, want, now_ns);
}

void caught__collect(struct caught *caught, __u64 now_ns)
{
	struct mapped_event event;

	recall(caught, now_ns);
	while (caught->mapped && caught->cnt < CAUGHT_MAX &&
	       mapped__next(caught->mapped, &event)) {
		unsigned int want;

		/* 0 or less: in a pid namespace that is not below ours. */
		if (event.tgid <= 0 || event.tid <= 0)
			continue;
		recall(caught, now_ns);
		want = caught->scout(caught->ctx, &event);
		if (!(want & HOLDER_WANT_TIME)) {
			settle(caught, &event, want, now_ns);
			continue;
		}
		keep(&caught->asked, &event);
		caught->asked_ns = clock_ns();
	}
}

void caught__let_go_all(struct caught *caught)
{
	struct caught_item item;

	for (unsigned int i = caught->cnt; i && caught__take(caught, &item); i--) {
		caught__let_go(caught, &item);
		if (item.is_stopped)
			continue;
		caught->items[(caught->first + caught->cnt++) % CAUGHT_MAX] = item;
		caught->running_cnt++;
	}
}

bool caught__take(struct caught *caught, struct caught_item *out)
{
	if (!caught->cnt)
		return false;
	*out = caught->items[caught->first];
	out->event.path = out->path;
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
