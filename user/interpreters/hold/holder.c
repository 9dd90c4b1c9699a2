// SPDX-License-Identifier: BSD-2-Clause
/*
 * Decides how long execs wait and stops threads that map a Python; see holder.h. No exec waits for
 * more than HOLD_EXEC_LIMIT_NS, no stopped thread for more than HOLD_LIMIT_NS: once the tracer is
 * that late, nothing waits for it at all until it is heard of again. Runs between fork and _exit,
 * so it allocates nothing and takes no lock.
 */
#include "interpreters/hold/holder.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "interpreters/hold/hold.h"
#include "interpreters/hold/holder_state.h"
#include "interpreters/hold/mapped.h"
#include "interpreters/hold/fanotify_marks.h"

#define RETRY_MS 50
#define SCOUT_LIMIT_NS 20000000ULL /* a scout that hangs in a file system must not stop execs */
#define SCOUT_DEBT_NS 50000000ULL  /* more than this, and a tenth of the time, it does not get */
#define END_NS 500000000ULL        /* files that are being opened when the trace ends */

static int ask(struct holder *holder, struct channel *channel, struct holder_request *request,
	       int fd, __u64 until_ns, __u64 patience_ns, struct holder_reply *reply);
static bool await_reply(struct holder *holder, struct channel *channel, __u64 until_ns,
			struct holder_reply *out);

enum { FD_CHANNEL, FD_SCOUT, FD_EVENTS, FD_TIMER, FD_CHILD, FD_MAPPED, FD_CNT };

static void collect(struct holder *holder, __u64 now)
{
	caught__collect(&holder->caught, now);
	atomic_store(&holder->counts->waiting_cnt,
		     holder->caught.running_cnt + (holder->caught.asked_ns != 0));
}

/*
 * Without the other way to notice it, its first imports are missed. With --cgroup it may have been
 * another's: only the tracer tells, who did not answer, whether an exec is about to be followed.
 */
static void count_late(struct holder *holder)
{
	if (!holder->readers.is_noticed)
		atomic_fetch_add(&holder->counts->late_cnt, 1);
}

/* What must be seen to whatever else we wait for. */
static void tend(struct holder *holder, const struct pollfd *fds)
{
	struct exec_event event;

	if (fds[FD_TIMER].revents || fds[FD_CHILD].revents)
		readers__watch(&holder->readers);
	if (fds[FD_EVENTS].revents)
		execs__collect(&holder->execs, &holder->readers);
	while (is_exec_due(holder) && execs__take(&holder->execs, &event)) {
		readers__allow(&holder->readers, &event);
		count_late(holder);
	}
	if (fds[FD_MAPPED].revents || fds[FD_SCOUT].revents)
		collect(holder, clock_ns());
}

static void set_fds(const struct holder *holder, int sock, struct pollfd fds[FD_CNT])
{
	const struct readers *readers = &holder->readers;

	fds[FD_CHANNEL] = (struct pollfd){ .fd = sock, .events = POLLIN };
	fds[FD_SCOUT] = (struct pollfd){ .fd = holder->caught.asked_ns ? holder->scout.sock : -1,
					 .events = POLLIN };
	fds[FD_EVENTS] = (struct pollfd){ .fd = readers->event_fd, .events = POLLIN };
	fds[FD_TIMER] = (struct pollfd){ .fd = readers->timer_fd, .events = POLLIN };
	fds[FD_CHILD] = (struct pollfd){ .fd = readers->child_fd, .events = POLLIN };
	fds[FD_MAPPED] = (struct pollfd){ .fd = holder->map_fd, .events = POLLIN };
}

static struct holder_request about(enum holder_ask ask, const struct mapped_event *event)
{
	struct holder_request request = { .ask = ask, .tgid = event->tgid, .ts_ns = event->ts_ns,
					  .start = event->start, .end = event->end,
					  .dev = event->dev, .ino = event->ino };
	size_t path_sz = strlen(event->path) + 1;

	if (path_sz <= sizeof(request.path))
		memcpy(request.path, event->path, path_sz);
	return request;
}

static void count_nothing(struct holder *holder, const struct holder_reply *reply)
{
	if (!(reply->want & (HOLDER_WANT_STOP | HOLDER_WANT_LOOK)))
		atomic_fetch_sub(&holder->counts->waiting_cnt, 1);
}

/* What nobody had time to look at: the scout may still say that it is nothing. */
static void look_at_rest(struct holder *holder, __u64 until_ns)
{
	struct holder_reply reply;
	struct caught_item item;

	caught__let_go_all(&holder->caught);
	if (holder->caught.asked_ns && await_reply(holder, &holder->scout, until_ns, &reply))
		count_nothing(holder, &reply);
	while (caught__take(&holder->caught, &item)) {
		struct holder_request request = about(HOLDER_MAPPED, &item.event);

		if (!ask(holder, &holder->scout, &request, -1, until_ns, END_NS, &reply))
			count_nothing(holder, &reply);
	}
}

/*
 * All goes on. What is just being opened for us would be refused if we ended at once: a lease
 * that is given back takes some milliseconds.
 */
static void __attribute__((noreturn)) end(struct holder *holder)
{
	__u64 until_ns = clock_ns() + END_NS;
	struct pollfd fds[FD_CNT];
	struct holder_reply late;
	struct exec_event event;

	if (holder->is_ending)
		_exit(0);
	holder->is_ending = true;
	if (holder->tracer.asked_ns && channel__receive(&holder->tracer, &late) > 0)
		take_owed(holder, &late);
	/* What was mapped last and may be a Python is counted as not looked at. */
	holder->caught.can_stop = false;
	collect(holder, clock_ns());
	look_at_rest(holder, until_ns);
	if (holder->mapped && !holder->opts->ops->wants)
		atomic_store(&holder->counts->lost_cnt, mapped__lost(holder->mapped));
	else if (holder->mapped && mapped__lost_since(holder->mapped))
		atomic_store(&holder->counts->lost_cnt, 1);
	set_fds(holder, -1, fds);
	fds[FD_SCOUT].fd = fds[FD_MAPPED].fd = -1;
	do {
		execs__collect(&holder->execs, &holder->readers);
		while (execs__take(&holder->execs, &event))
			readers__allow(&holder->readers, &event);
		if (holder->opts->fan_fd < 0 || !readers__busy_cnt(&holder->readers))
			_exit(0);
		poll(fds, FD_CNT, 1);
		readers__watch(&holder->readers);
	} while (clock_ns() < until_ns);
	atomic_fetch_add(&holder->counts->refused_cnt, readers__busy_cnt(&holder->readers));
	_exit(0);
}

/*
 * Waits for the reply to the last question, and stops meanwhile what must be stopped at once
 * (unless this is how it is found out what that is). True if it came.
 */
static bool await_reply(struct holder *holder, struct channel *channel, __u64 until_ns,
			struct holder_reply *out)
{
	struct pollfd fds[FD_CNT];

	for (;;) {
		int got = channel__receive(channel, out);

		set_fds(holder, channel->sock, fds);
		if (channel == &holder->scout)
			fds[FD_SCOUT].fd = fds[FD_MAPPED].fd = -1;

		if (got < 0)
			end(holder);
		if (got || clock_ns() >= until_ns)
			return got;
		if (poll(fds, FD_CNT, execs__timeout_ms(&holder->execs, until_ns)) >= 0)
			tend(holder, fds);
	}
}

/*
 * 0; -EAGAIN: could not be asked; -ETIMEDOUT: owes the answer. One that has owed another for
 * @patience_ns is not waited for.
 */
static int ask(struct holder *holder, struct channel *channel, struct holder_request *request,
	       int fd, __u64 until_ns, __u64 patience_ns, struct holder_reply *reply)
{
	struct holder_reply old;
	__u64 asked_ns = channel->asked_ns;

	if (asked_ns && await_reply(holder, channel,
				    clock_ns() - asked_ns < patience_ns ? until_ns : 0, &old))
		take_owed(holder, &old);
	if (channel->asked_ns)
		return -ETIMEDOUT;
	if (!channel__send(channel, request, fd))
		return -EAGAIN;
	return await_reply(holder, channel, until_ns, reply) ? 0 : -ETIMEDOUT;
}

/* Without an answer: it wants nothing. */
static struct holder_reply ask_tracer(struct holder *holder, struct holder_request *request, int fd,
				      __u64 until_ns, __u64 since_ns)
{
	struct holder_reply reply = { .slot = -1 };
	__u32 seq = holder->tracer.seq;
	int err = ask(holder, &holder->tracer, request, fd, until_ns,
		      fd < 0 ? HOLD_LIMIT_NS : HOLD_EXEC_LIMIT_NS, &reply);

	if (!err)
		return reply;
	if (fd < 0)
		atomic_fetch_add(&holder->counts->late_cnt, 1);
	else
		count_late(holder);
	if (holder->tracer.seq != seq) {
		holder->tracer.owed_start_ns = since_ns;
		holder->tracer.owed_ns = clock_ns() - since_ns;
	}
	return (struct holder_reply){ .slot = -1 };
}

/* Never ourselves: we would wait for us. */
static bool wants(void *ctx, pid_t tgid)
{
	const struct holder *holder = ctx;
	const struct hold_ops *ops = holder->opts->ops;

	return tgid != holder->opts->tracer &&
	       (!ops->wants || ops->wants(ops->ctx, tgid));
}

/* In a reader. */
static bool wants_exec(void *ctx, pid_t tgid)
{
	const struct holder *holder = ctx;

	return holder->opts->ops->want_all_execs ? tgid != holder->opts->tracer : wants(ctx, tgid);
}

/* Its mapping by the same exec is no news. */
static void know_file(struct holder *holder, const struct holder_reply *reply)
{
	struct mapped_event event = { .dev = reply->dev, .ino = reply->ino };

	if (holder->mapped && reply->ino)
		mapped__know(holder->mapped, &event, clock_ns());
}

/* Does not ask the file's own file system: it might not answer. */
static void handle_exec(struct holder *holder, const struct exec_event *event)
{
	struct holder_request request = { .ask = HOLDER_EXEC, .tgid = event->tgid,
					  .waits_ns = event->start_ns };
	__u64 until_ns = event->since_ns + HOLD_EXEC_LIMIT_NS;
	struct holder_reply reply = ask_tracer(holder, &request, event->fd, until_ns,
					       event->start_ns);

	if (reply.want & HOLDER_WANT_IGNORE) {
		holder->can_ignore = holder->can_ignore &&
				     !marks_ignore(holder->opts->fan_fd, event->fd);
		know_file(holder, &reply);
	}
	fill_slot(holder, reply.slot, event->start_ns, clock_ns() - event->start_ns);
	readers__allow(&holder->readers, event);
}

/* The answer that the scout owes. */
static unsigned int recall(void *ctx)
{
	struct holder *holder = ctx;
	struct holder_reply reply;
	int got = channel__receive(&holder->scout, &reply);

	if (got < 0)
		end(holder);
	if (!got)
		return HOLDER_WANT_TIME;
	holder->scout_debt_ns -= SCOUT_LIMIT_NS < holder->scout_debt_ns ? SCOUT_LIMIT_NS :
									  holder->scout_debt_ns;
	holder->scout_debt_ns += reply.cpu_ns;
	return reply.want;
}

/* The program runs on while we ask. */
static unsigned int scout(void *ctx, const struct mapped_event *event)
{
	struct holder_request request = about(HOLDER_MAPPED, event);
	struct holder *holder = ctx;
	const struct hold_ops *ops = holder->opts->ops;
	struct holder_reply reply;
	__u64 start_ns = clock_ns(), paid_ns = (start_ns - holder->scouted_ns) / 10;
	int err;

	/* Its number may be another's by now, who must not be stopped. With -a that is us. */
	if (!wants(holder, event->tgid))
		return ops->wanted && ops->wanted(ops->ctx, event->tgid, event->ts_ns) ?
			       HOLDER_WANT_LOOK : 0;
	holder->scout_debt_ns -= paid_ns < holder->scout_debt_ns ? paid_ns : holder->scout_debt_ns;
	holder->scouted_ns = start_ns;
	/* What it owes still is about another, or not wanted any more. */
	if (holder->scout_debt_ns > SCOUT_DEBT_NS || holder->caught.asked_ns ||
	    (holder->scout.asked_ns && recall(holder) & HOLDER_WANT_TIME))
		return HOLDER_WANT_LOOK;
	err = ask(holder, &holder->scout, &request, -1, start_ns + SCOUT_LIMIT_NS, 0, &reply);
	/* Not the time on the clock: on a busy machine it waits for a processor, and takes none. */
	holder->scout_debt_ns += err ? SCOUT_LIMIT_NS : reply.cpu_ns;
	return !err ? reply.want : err == -ETIMEDOUT ? HOLDER_WANT_TIME : HOLDER_WANT_LOOK;
}

/* Only the thread itself has waited. */
static void count_stop(struct holder *holder, const struct caught_item *item, __s32 slot)
{
	__u64 took_ns = clock_ns() - item->since_ns;

	atomic_fetch_add(&holder->counts->held_cnt, 1);
	atomic_fetch_add(&holder->counts->total_ns, took_ns);
	if (took_ns > atomic_load(&holder->counts->max_stop_ns))
		atomic_store(&holder->counts->max_stop_ns, took_ns);
	fill_slot(holder, slot, item->since_ns, took_ns);
}

static void handle_mapped(struct holder *holder, const struct caught_item *item)
{
	const struct mapped_event *event = &item->event;
	struct holder_request request = about(item->is_stopped ? HOLDER_STOPPED : HOLDER_UNSTOPPED,
					      event);
	struct holder_reply reply;

	request.waits_ns = item->is_stopped ? item->since_ns : 0;
	reply = ask_tracer(holder, &request, -1, clock_ns() + HOLD_LIMIT_NS, item->since_ns);
	caught__let_go(&holder->caught, item);
	if (item->is_stopped)
		count_stop(holder, item, reply.slot);
	if (reply.want & HOLDER_WANT_IGNORE)
		mapped__know(holder->mapped, event, clock_ns());
}

/*
 * What the kernel had no room for was most likely others' programs. So those that are wanted are
 * looked at themselves; if all are, there is no end to it.
 */
static void handle_lost(struct holder *holder)
{
	struct holder_request request = { .ask = HOLDER_LOST,
					  .ts_ns = mapped__lost_since(holder->mapped) };

	if (!holder->opts->ops->wants)
		atomic_store(&holder->counts->lost_cnt, mapped__lost(holder->mapped));
	else if (request.ts_ns)
		ask_tracer(holder, &request, -1, clock_ns() + HOLD_LIMIT_NS, clock_ns());
}

/* An exec waits for us in any case, a mapping may not: so these are stopped first. */
static void handle_all(struct holder *holder)
{
	struct exec_event event;
	struct caught_item item;
	bool has_exec, has_item;

	do {
		collect(holder, clock_ns());
		execs__collect(&holder->execs, &holder->readers);
		has_exec = execs__take(&holder->execs, &event);
		if (has_exec)
			handle_exec(holder, &event);
		has_item = caught__take(&holder->caught, &item);
		if (has_item)
			handle_mapped(holder, &item);
	} while (has_exec || has_item);
	if (holder->mapped)
		handle_lost(holder);
}

void holder_run(const struct holder_opts *opts)
{
	static struct holder holder; /* too large for a stack of which we know nothing */
	struct pollfd fds[FD_CNT];
	bool is_idle = true;

	holder = (struct holder){ .opts = opts, .mapped = opts->mapped, .map_fd = -1,
				  .tracer.sock = opts->sock, .scout.sock = opts->scout_sock,
				  .counts = opts->counts, .can_ignore = true,
				  .readers = { .fan_fd = opts->fan_fd, .holder = getpid(),
					       .wants = wants_exec, .ctx = &holder,
					       .counts = opts->counts, .event_fd = -1,
					       .timer_fd = -1, .child_fd = -1 },
				  .caught.scout = scout, .caught.recall = recall,
				  .caught.ctx = &holder };
	holder_begin(&holder);
	for (;; is_idle = stops__retry(&holder.caught.stops) && !holder.caught.asked_ns) {
		set_fds(&holder, holder.tracer.sock, fds);
		fds[FD_CHANNEL].events = 0;
		if (poll(fds, FD_CNT, is_idle ? -1 : RETRY_MS) < 0)
			continue;
		if (fds[FD_CHANNEL].revents & (POLLHUP | POLLERR))
			end(&holder);
		tend(&holder, fds);
		handle_all(&holder);
	}
}
