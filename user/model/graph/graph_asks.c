// SPDX-License-Identifier: BSD-2-Clause
/* Asks in order, and which of them only pass on what others ask. */
#include "model/graph/graph_asks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define WRAPPER_CNT 3 /* modules asked for by one line of a function */
#define HOOK_PART 4   /* of what goes through a hook, less goes past it */

static int cmp_text(const char *a, const char *b)
{
	return a == b ? 0 : !a ? -1 : !b ? 1 : strcmp(a, b);
}

static int cmp_u32(__u32 a, __u32 b)
{
	return a < b ? -1 : a > b;
}

int asks_cmp_site(const struct site *a, const struct site *b)
{
	int order;

	if (a == b)
		return 0;
	if (!a || !b)
		return a ? 1 : -1;
	order = cmp_text(a->file, b->file);
	if (!order)
		order = a->line < b->line ? -1 : a->line > b->line;
	if (!order)
		order = cmp_text(a->module, b->module);
	if (!order)
		order = cmp_u32(a->code, b->code);
	return order ? order : a->lasti < b->lasti ? -1 : a->lasti > b->lasti;
}

/* Lines of one form, executed one by one, are compiled to the same code but for the names. */
static bool is_text(const struct site *site)
{
	return site && site->file && (site->file[0] == '<' || site->line <= 0);
}

int asks_cmp_stmt(const struct ask *a, const struct ask *b)
{
	int order = asks_cmp_site(a->site, b->site);

	return order || !is_text(a->site) ? order : cmp_text(a->asked, b->asked);
}

int asks_cmp(const void *a, const void *b)
{
	const struct ask *x = a, *y = b;
	int order = asks_cmp_stmt(x, y);

	if (!order)
		order = cmp_u32(x->src, y->src);
	return order ? order : cmp_u32(x->dst, y->dst);
}

/*
 * How many modules the place of these asks asked for. One in a function that asks for many is no
 * statement, but the call of a wrapped __import__: those ask for them that called it.
 */
static __u32 count_asked(const struct graph *graph, const struct ask *asks, size_t cnt)
{
	__u32 modules = 0, last = 0;

	for (size_t i = 0; i < cnt && modules < WRAPPER_CNT; i++) {
		const struct load *load = graph__load(graph, asks[i].dst);

		modules += asks[i].dst != last && load->via != VIA_IMPORT_MODULE &&
			   !asks[i].is_body;
		last = asks[i].dst;
	}
	return modules;
}

static int cmp_ns(const void *a, const void *b)
{
	const __u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* When statements of bodies first ran: sorted. */
struct body_times {
	__u64 *ns;
	size_t cnt;
};

static int list_times(const struct ask *asks, size_t ask_cnt, struct body_times *out)
{
	out->ns = calloc(ask_cnt + 1, sizeof(*out->ns));
	if (!out->ns)
		return -ENOMEM;
	for (size_t i = 0; i < ask_cnt; i++)
		if (asks[i].is_body && asks[i].first_ns != NS_UNKNOWN)
			out->ns[out->cnt++] = asks[i].first_ns;
	qsort(out->ns, out->cnt, sizeof(*out->ns), cmp_ns);
	return 0;
}

static size_t count_after(const struct body_times *times, __u64 ns)
{
	size_t low = 0, high = times->cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (times->ns[mid] <= ns)
			low = mid + 1;
		else
			high = mid;
	}
	return times->cnt - low;
}

/* All imports have gone through this one place since its first, but for some. */
static bool is_hook(const struct ask *asks, size_t cnt, const struct body_times *times)
{
	__u64 from_ns = NS_UNKNOWN;
	size_t inside = 0;

	for (size_t i = 0; i < cnt; i++)
		if (asks[i].first_ns < from_ns)
			from_ns = asks[i].first_ns;
	for (size_t i = 0; i < cnt; i++)
		inside += asks[i].is_body && asks[i].first_ns != NS_UNKNOWN &&
			  asks[i].first_ns > from_ns;
	return count_after(times, from_ns) - inside < cnt / HOOK_PART;
}

int asks_settle_wrappers(const struct graph *graph, struct ask *asks, size_t ask_cnt)
{
	struct body_times times = {};
	bool hooked;

	if (list_times(asks, ask_cnt, &times))
		return -ENOMEM;
	for (size_t i = 0, end; i < ask_cnt; i = end) {
		end = i + 1;
		while (end < ask_cnt && !asks_cmp_stmt(&asks[end], &asks[i]))
			end++;
		if (!asks[i].site || count_asked(graph, &asks[i], end - i) < WRAPPER_CNT)
			continue;
		hooked = is_hook(&asks[i], end - i, &times);
		for (size_t k = i; k < end; k++) {
			__u32 around = asks[k].around;

			asks[k].around = asks[k].src;
			asks[k].src = around;
			asks[k].is_wrapped = true;
			asks[k].is_hooked = hooked;
		}
		qsort(&asks[i], end - i, sizeof(*asks), asks_cmp);
	}
	free(times.ns);
	return 0;
}

void asks_list_askers(const struct graph *graph, const struct ask *asks, size_t ask_cnt,
		      struct askers *askers)
{
	for (size_t i = 0; i < ask_cnt; i++) {
		const char **modules = askers[asks[i].dst].modules;
		const struct load *load = graph__load(graph, asks[i].dst);
		const char *asker = asks[i].site ? asks[i].site->module : NULL;

		if (asker && !modules[1] && cmp_text(asker, load->module) &&
		    cmp_text(asker, modules[0]))
			modules[modules[0] != NULL] = asker;
	}
}

bool ask_may_have_others(const struct graph *graph, const struct ask *ask,
			 const struct askers *own)
{
	const struct load *src = graph__load(graph, ask->src);

	if (ask->is_body || !ask->is_once || !src)
		return false;
	for (int i = 0; i < 2; i++)
		if (own->modules[i] && cmp_text(own->modules[i], src->module))
			return true;
	return false;
}
