// SPDX-License-Identifier: BSD-2-Clause
/*
 * See agent.h. The thread that reads records adds to the tables; that of http.c copies them. The
 * lock is held for no longer than either takes.
 */
#include "agent/agent.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/cost.h"
#include "agent/http/http.h"
#include "agent/metrics.h"
#include "agent/otlp/client.h"
#include "agent/otlp/push.h"
#include "agent/spool.h"
#include "agent/startup_sums.h"
#include "base/clock.h"
#include "base/log.h"
#include "model/model.h"
#include "report/head/loss.h"
#include "trace/opts.h"
#include "trace/session.h"

#define TRIM_NS 30000000000ULL /* what start-ups left in holes of the heap goes back so often */
#define ALIVE_NS 10000000000ULL /* the reader of records has not come by for so long: it hangs */

struct agent {
	struct agent_reload reload;
	pthread_mutex_t lock;       /* of what follows */
	struct series_table table;
	struct modules *modules;
	struct agent_state state;
	__u64 seen_ns;              /* when the reader came by; 0 = it does not trace */
	struct http *http;
	__u64 slow_ns;
	struct push *push;          /* NULL: nothing is sent */
	/* Of the thread that reads records. */
	struct spool *spool;        /* NULL: nothing is kept */
	__u64 trimmed_ns;
};

static __u64 last_seen_ns(struct agent *agent)
{
	__u64 seen_ns;

	pthread_mutex_lock(&agent->lock);
	seen_ns = agent->seen_ns;
	pthread_mutex_unlock(&agent->lock);
	return seen_ns;
}

static bool is_ready(void *ctx)
{
	__u64 seen_ns = last_seen_ns(ctx);

	return seen_ns && clock_ns() < seen_ns + ALIVE_NS;
}

/* Before it traces it may take long: many interpreters to look at. */
static bool is_healthy(void *ctx)
{
	return !last_seen_ns(ctx) || is_ready(ctx);
}

static int take_snapshot(struct agent *agent, struct snapshot *snapshot)
{
	size_t sz;

	pthread_mutex_lock(&agent->lock);
	sz = agent->table.cnt * sizeof(*agent->table.series);
	snapshot->table = agent->table;
	snapshot->table.series = malloc(sz);
	if (snapshot->table.series) {
		memcpy(snapshot->table.series, agent->table.series, sz);
		snapshot->top_cnt = modules__top(agent->modules, snapshot->top);
		snapshot->state = agent->state;
	}
	pthread_mutex_unlock(&agent->lock);
	return snapshot->table.series ? 0 : -ENOMEM;
}

static int take_all(void *ctx, struct snapshot *snapshot)
{
	struct agent *agent = ctx;
	int err = take_snapshot(agent, snapshot);

	if (err)
		return err;
	cost_read(&snapshot->state);
	snapshot->state.has_push = agent->push;
	if (agent->push)
		push__stats(agent->push, &snapshot->state.push);
	return 0;
}

static void write_metrics(void *ctx, bool is_openmetrics, FILE *out)
{
	struct agent *agent = ctx;
	struct snapshot snapshot = {};

	if (take_all(agent, &snapshot))
		return;
	pthread_mutex_lock(&agent->lock);
	agent->state.scrape_cnt++;
	pthread_mutex_unlock(&agent->lock);
	metrics_write(&snapshot, is_openmetrics, out);
	series_table__free(&snapshot.table);
}

int agent__new(const struct agent_reload *reload, struct agent **out)
{
	const struct opts *opts = reload->opts;
	struct agent *agent = calloc(1, sizeof(*agent));
	const struct http_ops ops = { .metrics = write_metrics, .is_healthy = is_healthy,
				      .is_ready = is_ready, .ctx = agent };
	int err;

	if (!agent)
		return -ENOMEM;
	agent->reload = *reload;
	pthread_mutex_init(&agent->lock, NULL);
	agent->state.is_complete = agent->state.is_config_good = true;
	agent->state.start_s = (__u64)time(NULL);
	agent->slow_ns = opts->slow_start_ns;
	err = series_table__new(&agent->table, opts->max_series ?: SERIES_MAX_DEFAULT);
	agent->table.is_redacted = opts->want_redacted;
	if (!err)
		err = modules__new(&agent->modules);
	if (!err && opts->spool)
		err = spool__new(opts, &agent->spool);
	if (!err && opts->otlp)
		err = push__new(opts, take_all, agent, &agent->push);
	if (!err)
		err = http__new(opts, &ops, &agent->http);
	if (err)
		agent__free(agent);
	else
		*out = agent;
	return err;
}

void agent__free(struct agent *agent)
{
	if (!agent)
		return;
	http__free(agent->http);
	push__free(agent->push);
	spool__free(agent->spool);
	modules__free(agent->modules);
	series_table__free(&agent->table);
	pthread_mutex_destroy(&agent->lock);
	free(agent);
}

static void start(void *ctx)
{
	struct agent *agent = ctx;

	pthread_mutex_lock(&agent->lock);
	agent->seen_ns = clock_ns();
	pthread_mutex_unlock(&agent->lock);
	if (agent->push)
		push__start(agent->push);
	http__start(agent->http); /* logged; it goes on to trace for whoever reads its log */
}

static void send(struct push *push, const struct model *part, const struct notable *notable)
{
	char *capture = NULL;
	size_t sz = 0;
	FILE *out = open_memstream(&capture, &sz);
	int err = out ? model__write_kept(part, notable->end_ns, out) : -ENOMEM;

	if (out && fclose(out))
		err = -ENOMEM;
	if (err)
		free(capture);
	else
		push__trace(push, capture, sz);
}

static void fold(void *ctx, struct model *part, bool is_tail)
{
	struct agent *agent = ctx;
	struct notable notable = {};

	pthread_mutex_lock(&agent->lock);
	if (is_tail)
		take_late(part, &agent->table, clock_ns());
	else
		notable = take_startup(part, &agent->table, agent->modules, agent->slow_ns,
				       clock_ns());
	pthread_mutex_unlock(&agent->lock);
	if (notable.why != NOTABLE_NO && agent->spool)
		spool__keep(agent->spool, part, &notable);
	if ((notable.why == NOTABLE_SLOW || notable.why == NOTABLE_SLOWER) && agent->push &&
	    !agent->table.is_redacted)
		send(agent->push, part, &notable);
}

static bool update(void *ctx, const struct model *model, __u64 now_ns)
{
	(void)ctx;
	(void)model;
	(void)now_ns;
	return true;
}

/*
 * Start-ups end in another order than they began: the end of the heap is in use when most of it is
 * not, and malloc gives back by itself from the end alone.
 */
static void trim(struct agent *agent, __u64 now_ns)
{
	if (now_ns < agent->trimmed_ns + TRIM_NS)
		return;
	agent->trimmed_ns = now_ns;
	malloc_trim(0);
}

static void measure(void *ctx, const struct model *model, __u64 record_cnt)
{
	struct agent *agent = ctx;

	trim(agent, clock_ns());
	pthread_mutex_lock(&agent->lock);
	agent->seen_ns = clock_ns();
	agent->state.record_cnt = record_cnt;
	agent->state.has_spool = agent->spool;
	if (agent->spool)
		spool__stats(agent->spool, &agent->state.spool);
	agent->state.is_complete = model__is_complete(model);
	model__memory(model, &agent->state.memory);
	for (size_t i = 0; i < LOSSES_MAX && loss_counters[i].name; i++)
		agent->state.losses[i] = loss_value(model, &loss_counters[i]);
	pthread_mutex_unlock(&agent->lock);
}

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool is_same_scope(const struct opts *a, const struct opts *b)
{
	bool is_same = a->want_all == b->want_all && a->is_container == b->is_container &&
		       a->scope_cnt == b->scope_cnt;

	for (size_t i = 0; is_same && i < a->scope_cnt; i++)
		is_same = !strcmp(a->scopes[i], b->scopes[i]);
	return is_same;
}

/* What tracing was set up with stays as it is. */
static void tell_what_stays(const struct opts *old, const struct opts *fresh)
{
	const struct {
		const char *name;
		bool is_same;
	} fixed[] = {
		{ "what is traced", is_same_scope(old, fresh) },
		{ "--listen", is_same_text(old->listen, fresh->listen) },
		{ "TLS, on or off", !old->tls_cert == !fresh->tls_cert },
		{ "--spool", is_same_text(old->spool, fresh->spool) },
		{ "--otlp, on or off", !old->otlp == !fresh->otlp },
		{ "--ring", old->ring_sz == fresh->ring_sz },
		{ "what is measured", old->groups_off == fresh->groups_off },
	};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (!fixed[i].is_same)
			log_warn("the configuration: %s stays as it is until the agent starts anew",
				 fixed[i].name);
}

/* What can be wrong comes first: all of it is used, or nothing. */
static int apply(struct agent *agent, const struct opts *fresh)
{
	struct client *client = NULL;
	int err = agent->push && fresh->otlp ? client__new(fresh, &client) : 0;

	if (!err)
		err = http__renew(agent->http, fresh);
	if (err) {
		client__free(client);
		return err;
	}
	if (client)
		push__renew(agent->push, client, fresh);
	if (agent->spool)
		spool__limit(agent->spool, fresh);
	pthread_mutex_lock(&agent->lock);
	agent->slow_ns = fresh->slow_start_ns;
	agent->table.is_redacted = fresh->want_redacted;
	err = series_table__limit(&agent->table, fresh->max_series ?: SERIES_MAX_DEFAULT);
	pthread_mutex_unlock(&agent->lock);
	return err;
}

/* A configuration that is wrong changes nothing. */
static void reload(void *ctx)
{
	struct agent *agent = ctx;
	struct opts fresh;
	int err = agent->reload.read(agent->reload.opts, &fresh);

	if (!err) {
		tell_what_stays(agent->reload.opts, &fresh);
		err = apply(agent, &fresh);
		agent->reload.clear(&fresh);
	}
	log_line(err ? "pyimport-bpf: the configuration is wrong, and stays as it was" :
		       "pyimport-bpf: the configuration was read");
	pthread_mutex_lock(&agent->lock);
	agent->state.is_config_good = !err;
	agent->state.reload_cnt++;
	pthread_mutex_unlock(&agent->lock);
}

const struct trace_hooks agent_hooks = {
	.start = start, .update = update, .fold = fold, .measure = measure, .reload = reload,
	.has_no_report = true,
};
