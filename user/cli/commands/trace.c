// SPDX-License-Identifier: BSD-2-Clause
/*
 * The default command: one trace from options to report. Phases: check, launch held, load, find
 * and probe, hold, ready, watch, detach, drain, report. The command is forked before anything
 * else of ours exists, so that it inherits exactly what we were given.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/host_checks.h"
#include "cli/cli.h"
#include "cli/commands/trace.h"
#include "trace/facts/facts.h"
#include "trace/facts/libs.h"
#include "trace/facts/identity.h"
#include "trace/follow/attach_running.h"
#include "cli/opts.h"
#include "cli/progress.h"
#include "trace/follow/pythons.h"
#include "trace/session.h"
#include "trace/signals.h"
#include "trace/facts/throttles.h"
#include "trace/facts/same_content.h"
#include "trace/until.h"
#include "model/model.h"
#include "probe/probes.h"
#include "interpreters/interp.h"
#include "interpreters/process/launch.h"
#include "interpreters/process/privilege.h"
#include "report/report.h"

#define POLL_MS 20            /* the ring wakes us earlier when it fills */
#define DETACH_POLL_MS 1
#define LIVING_GAP_NS 250000000ULL

/* Each perf uprobe takes one: the usual 1024 are soon used up by a host with many Pythons. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		log_debug("more descriptors: %s", strerror(errno));
}

/* A signal to us went on to the command, which it ends while that is held. 0, or our status. */
static int interrupted(struct session *session, bool want_wait)
{
	int status, got;

	if (!session->launch)
		return 0;
	do {
		got = launch__poll(session->launch, want_wait, &status);
	} while (got == -EINTR);
	if (got != 1)
		return 0;
	log_line("pyimport-bpf: interrupted before the command was started");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : EXIT_UNTRACED;
}

/* Lets the command go. 0, or the exit status that ends us. */
static int release(struct session *session)
{
	int err;

	if (!session->launch)
		return 0;
	err = launch__release(session->launch);
	if (err == -ESRCH)
		return interrupted(session, true);
	if (err == -ENOENT) { /* it was there a moment ago: what its first line names is not */
		log_err(0, "%s: bad interpreter: %s", session->opts->argv[0], strerror(-err));
		return launch_exec_status(err);
	}
	return err ? session_refuse_command(session->opts->argv[0], err) : 0;
}

static bool has_ended(struct session *session, __u64 *checked_ns, __u64 now_ns)
{
	const char *why;

	if (session->until && until__is_over(session->until, now_ns, &why)) {
		log_info("trace ends: %s", why);
		return true;
	}
	if (session->launch) {
		session->has_ended = launch__poll(session->launch, false,
						  &session->wait_status) == 1;
		return session->has_ended;
	}
	if (!session->opts->tgid_cnt || now_ns - *checked_ns < LIVING_GAP_NS)
		return false;
	*checked_ns = now_ns;
	return !facts__has_living(session->facts);
}

/* What a capture says of itself should be in it early: we may not live to write the rest. */
static void describe_early(struct session *session)
{
	size_t cnt = pythons__cnt(session->pythons);

	if (!(session->recording.tape || session->opts->want_kept) ||
	    cnt == session->described_cnt)
		return;
	session->described_cnt = cnt;
	if (pythons__describe(session->pythons, session->model) ||
	    session__describe_host(session, 0))
		log_debug("the capture lacks its description: out of memory");
}

/* A `record` that can write no more is over, unless a command goes on that is ours to wait for. */
static bool is_pointless(const struct session *session)
{
	return session->recording.err && !session->output.file && !session->launch;
}

static void read_facts(struct session *session, bool is_last)
{
	facts__read(session->facts, session->probes, session->model);
	identity__read(session->identity, session->model);
	throttles__read(session->throttles, session->model, clock_ns(), is_last);
}

/* Unless somebody else does: one line that says what is being loaded. */
static void show_start(void *ctx)
{
	const struct session *session = ctx;

	if (!session->launch)
		progress_start();
}

static bool show_update(void *ctx, const struct model *model, __u64 now_ns)
{
	(void)ctx;
	(void)now_ns;
	progress_update(model);
	return true;
}

static const struct trace_hooks show_progress = { .start = show_start, .update = show_update };

static int watch(struct session *session)
{
	__u64 duration_ns = session->opts->duration_ns, now_ns = clock_ns(), checked_ns = 0;
	__u64 until_ns = duration_ns ? now_ns + duration_ns : ~0ULL;
	bool is_left = true;
	int got;

	while (!signals_want_stop() && now_ns < until_ns && is_left && !is_pointless(session) &&
	       !has_ended(session, &checked_ns, now_ns)) {
		got = probes__poll(session->probes, session->hooks->fold ? FOLD_POLL_MS : POLL_MS);
		if (got < 0 && got != -EINTR)
			return log_err(got, "cannot read events");
		read_facts(session, false);
		late_read(session);
		is_left = session__look_at_scope(session);
		session__fold(session, now_ns = clock_ns());
		if (!session->hooks->update(session->hooks_ctx, session->model, now_ns))
			break;
		describe_early(session);
		recording__tick(&session->recording, now_ns);
		session__rotate(session, now_ns);
	}
	return 0;
}

static void *let_go(void *arg)
{
	struct session *session = arg;

	if (session->hold)
		hold__hang_up(session->hold); /* it may be probing just now */
	probes__detach(session->probes);
	return NULL;
}

/* That takes 0.1 s, in which a busy target sends more than the ring holds: read on meanwhile. */
static void detach(struct session *session)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, let_go, session)) {
		let_go(session);
		return;
	}
	while (pthread_tryjoin_np(thread, NULL) == EBUSY)
		probes__poll(session->probes, DETACH_POLL_MS);
}

/* Detach before anything else: from then on the targets run free. */
static int stop_tracing(struct session *session)
{
	__u64 end_ns = clock_ns();
	struct pyi_stats stats = {};
	int err;

	detach(session);
	session__unhold(session);
	session->detach_ns = clock_ns() - end_ns;
	err = probes__drain(session->probes);
	read_facts(session, true);
	prices_measure(&session->prices, session->model);
	if (!probes__stats(session->probes, &stats))
		model__set_stats(session->model, &stats);
	return err;
}

static int finish_model(struct session *session, __u64 end_ns)
{
	int err;

	if (session->ended) /* all have: their files are known by this */
		model__finish(session->model, end_ns);
	facts__finish(session->facts, session->model);
	identity__finish(session->identity, session->model);
	err = pythons__describe(session->pythons, session->model);
	if (!err)
		err = libs_describe(session->model, session->ended);
	if (!err)
		err = same_content__compare(session->model, session->ended);
	if (!err)
		err = session__describe_host(session, end_ns);
	if (!err && !session->ended)
		err = model__finish(session->model, end_ns);
	return err ? log_err(err, "cannot build the report") : 0;
}

/* The report is out; a command that runs on (-d) still owes us its status. */
static int final_status(struct session *session)
{
	const struct model *model = session->replayed ? session->replayed : session->model;
	bool is_lossy = !model__is_complete(model);
	int status;

	if (session->launch && !session->has_ended) {
		log_line("pyimport-bpf: %s runs on, no longer traced: this waits for its end",
			 session->opts->argv[0]);
		while (launch__poll(session->launch, true, &session->wait_status) == -EINTR)
			;
	}
	signals_restore();
	if (session->opts->is_strict && is_lossy) {
		log_err(0, "data was lost (--strict); the report says what");
		if (!model__unprobed_cnt(model))
			log_hint("a larger --ring, or --no-edges");
		return EXIT_LOSS;
	}
	if (!session->launch) {
		if (session->opts->want_until_ready && !signals_want_stop())
			log_line("pyimport-bpf: what was traced runs on, no longer traced");
		return EXIT_OK;
	}
	status = session->wait_status;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int write_report(struct session *session)
{
	int err = session->ended ? recording__replay(&session->recording, &session->replayed) : 0;
	const struct report_input input = {
		.model = session->ended ? session->replayed : session->model,
	};

	return err ? err : output__write(&session->output, session->opts, &input);
}

static int report(struct session *session)
{
	__u64 end_ns = clock_ns();
	int err = stop_tracing(session), recording_err;

	progress_stop();
	if (session->hooks->finish)
		session->hooks->finish(session->hooks_ctx, session->model, end_ns);
	if (!err)
		err = finish_model(session, end_ns);
	recording_err = recording__finish(&session->recording, end_ns, !session->output.file);
	if (!err && session->output.file)
		err = write_report(session);
	if (session->opts->want_stats)
		session__print_stats(session);
	return err || recording_err ? EXIT_OURS : final_status(session);
}

static int run(struct session *session)
{
	int status;

	session__hold(session);
	status = interrupted(session, false);
	if (status)
		return status;
	session__raise_priority();
	malloc_trim(0); /* what loading and looking at interpreters took: several MB */
	if (privilege_keep_tracing(probes__is_multi(session->probes),
				   rotation__is_on(&session->recording.rotation)))
		log_warn("cannot drop privileges that are no longer needed");
	session->hooks->start(session->hooks_ctx);
	if (probes__catch_up(session->probes))
		return EXIT_OURS;
	session->ready_ns = clock_ns();
	log_line("pyimport-bpf: tracing");
	status = release(session);
	if (status)
		return status;
	if (watch(session))
		return EXIT_OURS;
	return report(session);
}

static int dry_run(struct session *session)
{
	const struct interp *interp;
	bool is_refused;

	for (size_t i = 0; (interp = pythons__get(session->pythons, i, &is_refused)); i++)
		interp__print(interp, session->output.file);
	if (!pythons__cnt(session->pythons)) {
		log_err(0, "found no interpreter to probe beforehand");
		log_hint("name the interpreter itself: that of a wrapper is found only when it starts");
		return EXIT_UNTRACED;
	}
	return fflush(session->output.file) ? EXIT_OURS : EXIT_OK;
}

static int prepare_and_run(struct session *session)
{
	struct check checks[CHECKS_MAX];
	int status, err;

	session->start_ns = clock_ns();
	if (session->opts->command != COMMAND_RECORD && !session->hooks->has_no_report &&
	    output__open(session->opts, &session->output))
		return EXIT_OURS;
	if (recording__open(&session->recording, session->opts))
		return EXIT_OURS;
	if (!session->opts->is_dry_run) {
		size_t check_cnt = checks_quick(checks);

		if (checks_log_fatal(checks, check_cnt))
			return EXIT_UNTRACED;
	}
	if (session->opts->argv) {
		status = session__launch(session);
		if (status)
			return status;
	}
	signals_install(session->launch);
	raise_descriptor_limit();
	err = session__open(session);
	status = interrupted(session, false);
	if (!status && !err) {
		err = session__target(session);
		status = interrupted(session, false);
	}
	if (status || err)
		return status ?: EXIT_UNTRACED;
	return session->opts->is_dry_run ? dry_run(session) : run(session);
}

int trace_run_with(const struct opts *opts, const struct trace_hooks *hooks, void *ctx)
{
	struct session session = { .opts = opts, .hooks = hooks, .hooks_ctx = ctx };
	int status;

	if (!hooks) {
		session.hooks = &show_progress;
		session.hooks_ctx = &session;
	}
	status = prepare_and_run(&session);
	progress_stop();
	session__close(&session);
	return status;
}

int trace_run(const struct opts *opts)
{
	return trace_run_with(opts, NULL, NULL);
}
