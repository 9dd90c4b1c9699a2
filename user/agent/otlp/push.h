/* SPDX-License-Identifier: BSD-2-Clause */
/* OTLP/HTTP, from a thread of its own: metrics at intervals, and traces of slow start-ups. */
#ifndef AGENT_OTLP_PUSH_H
#define AGENT_OTLP_PUSH_H

#include <linux/types.h>
#include <stddef.h>

struct client;
struct opts;
struct push;
struct push_stats;
struct snapshot;

/* Called on that thread: fills a snapshot, whose table is the caller's then. 0 or -errno. */
typedef int (*push_snapshot_fn)(void *ctx, struct snapshot *snapshot);

/* Nothing is sent before push__start. -errno after a logged message. */
int push__new(const struct opts *opts, push_snapshot_fn snapshot, void *ctx, struct push **out);
int push__start(struct push *push);
void push__free(struct push *push); /* NULL-safe; what waits is dropped */

/* Another collector, its headers and certificates (@client, which it owns then), its interval. */
void push__renew(struct push *push, struct client *client, const struct opts *opts);

/* A capture of one start-up, malloc'd: it is the thread's from here on, or dropped. */
void push__trace(struct push *push, char *capture, size_t sz);

void push__stats(struct push *push, struct push_stats *out);

#endif
