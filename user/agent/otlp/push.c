// SPDX-License-Identifier: BSD-2-Clause
/*
 * See push.h. Metrics are sums since the agent began: one document that does not arrive is made
 * good by the next, so none of them waits. Traces wait in a bounded queue; when it is full the
 * oldest goes. After a failure nothing is sent for a while, twice as long each time.
 */
#include "agent/otlp/push.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "agent/metrics.h"
#include "agent/otlp/body.h"
#include "agent/otlp/client.h"
#include "base/clock.h"
#include "base/log.h"
#include "trace/opts.h"

#define INTERVAL_NS 30000000000ULL
#define BACKOFF_NS 1000000000ULL
#define BACKOFF_MAX_NS 300000000000ULL
#define TRACES_MAX 64
#define BYTES_MAX (32u << 20)

struct trace {
	char *capture;
	size_t sz;
};

struct push {
	push_snapshot_fn snapshot;
	void *ctx;
	struct client *client;
	pthread_t thread;
	bool has_thread;
	atomic_bool stop;
	__u64 interval_ns;
	/* The thread's alone. */
	__u64 metrics_ns, retry_ns; /* when they are due; when something may be sent again */
	unsigned int failed_cnt;    /* in a row */
	/* Under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct trace traces[TRACES_MAX]; /* the oldest first */
	size_t trace_cnt, bytes;
	struct push_stats stats;
	struct client *next;   /* takes the place of `client`; NULL: none does */
	__u64 next_interval_ns;
};

static struct trace take_first(struct push *push)
{
	struct trace first = push->traces[0];

	push->bytes -= first.sz;
	push->trace_cnt--;
	for (size_t i = 0; i < push->trace_cnt; i++)
		push->traces[i] = push->traces[i + 1];
	return first;
}

static void drop_first(struct push *push)
{
	free(take_first(push).capture);
	push->stats.dropped_cnt++;
}

void push__trace(struct push *push, char *capture, size_t sz)
{
	pthread_mutex_lock(&push->lock);
	while (push->trace_cnt && (push->trace_cnt == TRACES_MAX || push->bytes + sz > BYTES_MAX))
		drop_first(push);
	push->traces[push->trace_cnt++] = (struct trace){ capture, sz };
	push->bytes += sz;
	pthread_cond_signal(&push->changed);
	pthread_mutex_unlock(&push->lock);
}

/* Half of the time is chance, so that a thousand hosts do not come back at once. */
static void back_off(struct push *push, __u64 now_ns, long wait_s)
{
	unsigned int shift = push->failed_cnt < 9 ? push->failed_cnt : 9;
	__u64 wait_ns = BACKOFF_NS << shift, asked_ns;

	if (wait_ns > BACKOFF_MAX_NS)
		wait_ns = BACKOFF_MAX_NS;
	wait_ns = wait_ns / 2 + (now_ns ^ now_ns >> 7) % (wait_ns / 2);
	asked_ns = wait_s > 0 && wait_s < 300 ? (__u64)wait_s * 1000000000 :
		   wait_s ? BACKOFF_MAX_NS : 0;
	push->retry_ns = now_ns + (asked_ns > wait_ns ? asked_ns : wait_ns);
	if (!push->failed_cnt++)
		log_warn("--otlp: %s; will be retried", client__error(push->client));
}

/* 0: it has arrived; -EAGAIN: not yet; -EPROTO: it never will. */
static int post(struct push *push, const char *path, const char *body, size_t sz)
{
	long wait_s = 0;
	int err = client__post(push->client, path, body, sz, &push->stop, &wait_s);

	if (err == -EAGAIN)
		back_off(push, clock_ns(), wait_s);
	else if (!err)
		push->failed_cnt = 0;
	else
		log_debug("--otlp: %s: %s", path, client__error(push->client));
	pthread_mutex_lock(&push->lock);
	push->stats.sent_cnt += !err;
	push->stats.failed_cnt += err != 0;
	pthread_mutex_unlock(&push->lock);
	return err;
}

static void send_metrics(struct push *push)
{
	struct snapshot snapshot = {};
	char *body;
	size_t sz;

	if (push->snapshot(push->ctx, &snapshot))
		return;
	body = body_metrics(&snapshot, client__is_json(push->client), &sz);
	series_table__free(&snapshot.table);
	if (body)
		post(push, "/v1/metrics", body, sz);
	free(body);
}

/* It is nobody else's meanwhile, and comes back to the front if it could not be sent. */
static void send_trace(struct push *push, struct trace trace)
{
	size_t sz;
	char *body = body_traces(trace.capture, trace.sz, client__is_json(push->client), &sz);
	int err = body ? post(push, "/v1/traces", body, sz) : -EPROTO;

	free(body);
	malloc_trim(0); /* a start-up taken apart once more left some MB of holes */
	pthread_mutex_lock(&push->lock);
	if (err == -EAGAIN && push->trace_cnt < TRACES_MAX && push->bytes + trace.sz <= BYTES_MAX) {
		for (size_t i = push->trace_cnt++; i > 0; i--)
			push->traces[i] = push->traces[i - 1];
		push->traces[0] = trace;
		push->bytes += trace.sz;
		trace.capture = NULL;
	}
	push->stats.dropped_cnt += err && trace.capture;
	pthread_mutex_unlock(&push->lock);
	free(trace.capture);
}

static void wait_until(struct push *push, __u64 until_ns)
{
	struct timespec ts = { (time_t)(until_ns / 1000000000), (long)(until_ns % 1000000000) };

	pthread_cond_timedwait(&push->changed, &push->lock, &ts);
}

/* Under the lock. Who could not be reached before may be another now. */
static void take_next(struct push *push)
{
	client__free(push->client);
	push->client = push->next;
	push->next = NULL;
	push->interval_ns = push->next_interval_ns;
	push->metrics_ns = push->retry_ns = 0;
	push->failed_cnt = 0;
}

static void *run(void *arg)
{
	struct push *push = arg;

	setpriority(PRIO_PROCESS, 0, 0); /* of this thread: the reader of records has the highest */
	pthread_mutex_lock(&push->lock);
	while (!atomic_load(&push->stop)) {
		__u64 now_ns = clock_ns(), due_ns;
		struct trace trace = {};

		if (push->next)
			take_next(push);
		due_ns = push->metrics_ns;
		if (push->trace_cnt)
			due_ns = now_ns;
		if (due_ns < push->retry_ns)
			due_ns = push->retry_ns;
		if (now_ns < due_ns) {
			wait_until(push, due_ns);
			continue;
		}
		if (now_ns < push->metrics_ns)
			trace = take_first(push);
		else
			push->metrics_ns = now_ns + push->interval_ns;
		pthread_mutex_unlock(&push->lock);
		if (trace.capture)
			send_trace(push, trace);
		else
			send_metrics(push);
		pthread_mutex_lock(&push->lock);
	}
	pthread_mutex_unlock(&push->lock);
	return NULL;
}

void push__renew(struct push *push, struct client *client, const struct opts *opts)
{
	struct client *unused;

	pthread_mutex_lock(&push->lock);
	unused = push->next;
	push->next = client;
	push->next_interval_ns = opts->otlp_interval_ns ?: INTERVAL_NS;
	pthread_cond_signal(&push->changed);
	pthread_mutex_unlock(&push->lock);
	client__free(unused);
}

int push__new(const struct opts *opts, push_snapshot_fn snapshot, void *ctx, struct push **out)
{
	struct push *push = calloc(1, sizeof(*push));
	pthread_condattr_t attr;
	int err;

	if (!push)
		return -ENOMEM;
	err = client__new(opts, &push->client);
	if (err) {
		free(push);
		return err;
	}
	push->snapshot = snapshot;
	push->ctx = ctx;
	push->interval_ns = opts->otlp_interval_ns ?: INTERVAL_NS;
	pthread_mutex_init(&push->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&push->changed, &attr);
	pthread_condattr_destroy(&attr);
	*out = push;
	return 0;
}

int push__start(struct push *push)
{
	int err = pthread_create(&push->thread, NULL, run, push);

	push->has_thread = !err;
	return err ? log_err(-err, "nothing is sent by --otlp") : 0;
}

void push__free(struct push *push)
{
	if (!push)
		return;
	pthread_mutex_lock(&push->lock);
	atomic_store(&push->stop, true);
	pthread_cond_signal(&push->changed);
	pthread_mutex_unlock(&push->lock);
	if (push->has_thread)
		pthread_join(push->thread, NULL);
	while (push->trace_cnt)
		drop_first(push);
	client__free(push->client);
	client__free(push->next);
	pthread_cond_destroy(&push->changed);
	pthread_mutex_destroy(&push->lock);
	free(push);
}

void push__stats(struct push *push, struct push_stats *out)
{
	pthread_mutex_lock(&push->lock);
	*out = push->stats;
	out->waiting_cnt = push->trace_cnt;
	pthread_mutex_unlock(&push->lock);
}
