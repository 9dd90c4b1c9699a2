// SPDX-License-Identifier: BSD-2-Clause
/* What a trace consists of: opened in order, fed with records, closed whatever there is of it. */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "trace/facts/ended_files.h"
#include "trace/facts/facts.h"
#include "trace/facts/identity.h"
#include "trace/follow/attach_running.h"
#include "trace/opts.h"
#include "trace/follow/pythons.h"
#include "trace/follow/scope.h"
#include "trace/session.h"
#include "trace/slow.h"
#include "trace/facts/throttles.h"
#include "trace/until.h"
#include "event/event.h"
#include "model/model.h"
#include "probe/probes.h"
#include "pyimport_scope.h"
#include "interpreters/containers/cgroup.h"
#include "interpreters/containers/container.h"
#include "interpreters/discover/discover.h"
#include "interpreters/process/launch.h"
#include "interpreters/process/shebang.h"

#define READER_NICE (-20)

void session__close(struct session *session)
{
	session__unhold(session);
	launch__free(session->launch);
	probes__free(session->probes);
	prices_end(&session->prices);
	discover__free(session->discover);
	pythons__free(session->pythons);
	facts__free(session->facts);
	free(session->late);
	recording__close(&session->recording);
	scope__free(session->scope);
	identity__free(session->identity);
	throttles__free(session->throttles);
	until__free(session->until);
	cgroups__free(session->cgroups);
	containers__free(session->containers);
	model__free(session->model);
	model__free(session->replayed);
	ended_files__free(session->ended);
	invoker_clear(&session->invoker);
	output__close(&session->output);
}

static void note_scope(struct session *session, const struct pyi_hdr *hdr)
{
	const struct pyi_cgroup *made = (const void *)hdr;

	if (!session->scope)
		return;
	if (hdr->kind == PYI_EV_CGROUP && made->path_sz &&
	    !made->path[sizeof(made->path) - 1])
		scope__made(session->scope, made->path);
	else if (hdr->kind == PYI_EV_JOIN || (hdr->kind == PYI_EV_EXEC && !session->hold))
		scope__joined(session->scope, (pid_t)hdr->tgid);
}

/* Each container is waited for by itself. */
static void note_service(struct session *session, const struct pyi_hdr *hdr)
{
	unsigned int service, around = SERVICE_NONE;
	__u64 cgroup = 0;

	if (!session->scope)
		return;
	if (hdr->kind == PYI_EV_EXEC)
		cgroup = ((const struct pyi_exec *)hdr)->cgroup;
	else if (hdr->kind != PYI_EV_PYTHON && hdr->kind != PYI_EV_PHASE)
		return;
	service = scope__service(session->scope, (pid_t)hdr->tgid, cgroup, &around);
	until__note_service(session->until, hdr, service, around);
}

static void on_record(void *ctx, const void *record, size_t size)
{
	const struct event event = event_of(record, size);
	struct session *session = ctx;

	session->record_cnt++;
	session->record_bytes += size;
	if (event.hdr) {
		facts__note(session->facts, event.hdr);
		identity__note(session->identity, event.hdr);
		if (!session->hooks->fold)
			throttles__note(session->throttles, event.hdr);
		note_scope(session, event.hdr);
	}
	if (event.hdr && session->until) {
		note_service(session, event.hdr);
		until__note(session->until, event.hdr);
	}
	if (model__apply_event(session->model, &event) == -ENOMEM)
		log_debug("out of memory for a record");
	if (event.hdr && !session->hooks->fold)
		late_note(session, event.hdr);
	if (session->opts->slow_ns)
		slow_tell(&session->slow, session->model, session->opts->slow_ns);
}

/* The shell's words and status for a command that cannot be started. */
int session_refuse_command(const char *name, int err)
{
	if (!*name)
		log_err(0, "the command after -- is an empty string");
	else if (err == -ENOENT)
		log_err(0, "%s: command not found", name);
	else
		log_err(err, "%s: cannot be run", name);
	return launch_exec_status(err);
}

/* 0, or the exit status that ends us. */
int session__launch(struct session *session)
{
	const struct opts *opts = session->opts;
	struct launch_opts launch = { .argv = opts->argv, .invoker = &session->invoker,
				      .is_stdout_ours = output_takes_stdout(opts) };
	_cleanup_free_ char *program = NULL;
	int err;

	err = invoker_find(&session->invoker);
	if (err) {
		log_err(err, "cannot find out which user the command belongs to");
		return EXIT_UNTRACED;
	}
	err = shebang_search(opts->argv[0], invoker_getenv(&session->invoker, "PATH"), &program);
	if (err)
		return session_refuse_command(opts->argv[0], err);
	if (opts->is_dry_run)
		return 0;
	err = launch__new(&launch, &session->launch);
	if (!err)
		return 0;
	log_err(err, "cannot start %s", opts->argv[0]);
	return EXIT_UNTRACED;
}

/* Which cgroups are meant decides which hierarchy of them counts. */
static int open_scope(struct session *session)
{
	const struct opts *opts = session->opts;
	int err = containers__new(&session->containers);

	if (!err && opts->scope_cnt)
		err = scope__new(opts, session->containers, &session->cgroups, &session->scope);
	else if (!err && cgroups__new(NULL, &session->cgroups))
		log_debug("no hierarchy of cgroups to name them by");
	return err ? err : identity__new(session->cgroups, session->containers,
					 &session->identity);
}

static int open_until(struct session *session)
{
	const struct opts *opts = session->opts;

	/* What is still to come is not idle yet. */
	if (!opts->want_until_ready && !opts->idle_ns)
		return 0;
	return until__new(opts->want_until_ready, opts->idle_ns,
			  opts->want_wait || opts->argv ? 0 : clock_ns(),
			  (unsigned int)opts->scope_cnt, &session->until);
}

/*
 * What starts and ends while many are traced would pile up: nothing of it is kept but in a capture,
 * from which the report is made. `top` shows what has ended.
 */
static int open_model(struct session *session)
{
	const struct opts *opts = session->opts;
	struct model_lean lean = { .is_watched = opts->slow_ns, .on_end = ended_files__take };
	const struct model_lean folded = { .on_fold = session->hooks->fold,
					   .is_kept = opts->want_kept,
					   .ctx = session->hooks_ctx };
	int err = model__new(&session->model);

	if (!err && opts->is_as_measured)
		model__set_as_measured(session->model);
	if (!err && folded.on_fold)
		return model__set_lean(session->model, &folded);
	if (err || opts->is_dry_run || opts->command == COMMAND_TOP ||
	    !(opts->want_all || opts->scope_cnt))
		return err;
	if (session->output.file && !recording__spill(&session->recording))
		return 0;
	err = ended_files__new(&session->ended);
	lean.ctx = session->ended;
	return err ? err : model__set_lean(session->model, &lean);
}

/*
 * The ring is read in time only by who gets the processor: among 64 starting interpreters a reader
 * like any other gets a 65th of it. What we launched was forked before and keeps its own priority.
 */
void session__raise_priority(void)
{
	if (setpriority(PRIO_PROCESS, 0, READER_NICE))
		log_debug("cannot raise our priority: %s", strerror(errno));
}

int session__open(struct session *session)
{
	const struct opts *opts = session->opts;
	struct probes_opts probes = { .ring_sz = opts->ring_sz, .want_perf = opts->want_perf,
				      .want_all = opts->want_all,
				      .want_no_edges = opts->want_no_edges,
				      .want_no_frames = opts->want_no_frames,
				      .want_sums = opts->want_sums,
				      .is_patient = session->hooks->fold,
				      .groups_off = opts->groups_off,
				      .no_tracepoint = opts->no_tracepoint,
				      .tables = opts->tables,
				      .want_runs = opts->want_stats,
				      .on_record = on_record, .ctx = session };
	int err;

	err = open_scope(session);
	if (!err && session->cgroups) {
		probes.want_scopes = session->scope != NULL;
		probes.cgroup_controller = cgroups__controller(session->cgroups);
		probes.cgroup_root = cgroups__root(session->cgroups);
	}
	if (!err)
		err = open_model(session);
	if (!err && !opts->is_dry_run && recording__start(&session->recording, session->model))
		return -EIO; /* logged */
	if (!err)
		err = open_until(session);
	if (!err)
		err = facts__new(&session->facts);
	if (!err)
		err = throttles__new(&session->throttles);
	if (!err && !opts->is_dry_run) {
		prices_begin(&session->prices, opts->want_perf);
		err = probes__new(&probes, &session->probes);
		prices_measure(&session->prices, session->model);
		if (session->cgroups && (opts->want_all || session->scope))
			cgroups__note_all(session->cgroups);
	}
	if (!err)
		err = pythons__new(session->probes, &session->pythons);
	if (!err)
		err = discover__new(pythons__add, session->pythons, &session->discover);
	return err == -ENOMEM ? log_err(err, "cannot start tracing") : err;
}

