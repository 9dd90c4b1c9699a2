// SPDX-License-Identifier: BSD-2-Clause
/*
 * From what the options name to probed interpreters and followed processes. The interpreters
 * that cannot be foreseen come through the hold.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "trace/facts/facts.h"
#include "trace/facts/identity.h"
#include "trace/follow/attach_running.h"
#include "trace/opts.h"
#include "trace/follow/pythons.h"
#include "trace/follow/scope.h"
#include "trace/session.h"
#include "trace/facts/throttles.h"
#include "probe/probes.h"
#include "interpreters/discover/discover.h"
#include "interpreters/interp.h"
#include "interpreters/process/launch.h"
#include "interpreters/process/proc.h"

/* Ended, and its parent has not asked how. */
static bool is_zombie(int proc_fd)
{
	_cleanup_free_ char *text = NULL;
	const char *state;
	size_t sz;

	if (proc_read(proc_fd, "stat", 4096, &text, &sz))
		return false;
	state = strrchr(text, ')'); /* a name may hold anything */
	return state && !strncmp(state, ") Z", 3);
}

/* Root in a container or under a security module lacks the capability as well. */
static const char *missing_right(void)
{
	return geteuid() ? "sudo, or the capability CAP_SYS_PTRACE" :
			   "the capability CAP_SYS_PTRACE, and no security module that forbids it";
}

/* What a process is, when it is not Python: its program, or why that cannot be told. */
static void explain_process(struct session *session, pid_t tgid)
{
	_cleanup_close_ int proc_fd = proc_open(tgid);
	_cleanup_free_ char *exe = NULL;
	int err = proc_fd < 0 ? proc_fd : proc_link(proc_fd, "exe", &exe);
	_cleanup_close_ int exe_fd = err ? -1 : proc_open_exe(proc_fd);

	if (!exe && proc_fd >= 0 && is_zombie(proc_fd)) {
		log_err(0, "process %d has ended; its parent has not collected it yet", tgid);
		return;
	}
	if (err == -ESRCH) {
		log_err(0, "process %d ended while it was inspected", tgid);
		return;
	}
	if (err == -EACCES || err == -EPERM) {
		log_err(err, "process %d belongs to another user and may not be inspected", tgid);
		log_hint("%s", missing_right());
		return;
	}
	/* An interpreter of another kind knows best why it cannot be probed. */
	if (exe_fd >= 0)
		pythons__add(session->pythons, exe_fd, exe, tgid);
	if (pythons__refused_cnt(session->pythons)) {
		pythons__log_refused(session->pythons);
		return;
	}
	log_err(0, "process %d is not a Python program: it runs %s", tgid,
		exe ? exe : "in the kernel");
	log_hint("the process id of the interpreter itself; pyimport-bpf -a follows every Python process");
}

static int log_process(int err, pid_t tgid)
{
	if (err == -ESRCH || err == -ENOENT) {
		log_err(0, "no process %d", tgid);
		log_hint("pgrep -af python lists Python processes");
	} else if (err == -EACCES || err == -EPERM) {
		log_err(err, "process %d may not be inspected", tgid);
		log_hint("%s", missing_right());
	} else {
		log_err(err, "process %d cannot be inspected", tgid);
	}
	return err;
}

static int find_greenlet(void *ctx, int proc_fd, const struct proc_map *map)
{
	(void)ctx;
	(void)proc_fd;
	/* As wide as the test BPF makes when one is loaded later: gevent has copies of its own. */
	return map->is_exec && strstr(map->path, "greenlet") != NULL;
}

/* Has it mapped a library that switches C stacks? Nesting must then not rest on the stack. */
static bool is_switching(pid_t tgid)
{
	_cleanup_close_ int proc_fd = proc_open(tgid);

	return proc_fd >= 0 && proc_each_map(proc_fd, find_greenlet, NULL) == 1;
}

static int follow_process(struct session *session, pid_t tgid)
{
	__u32 serial;
	int err;

	err = probes__follow(session->probes, tgid, is_switching(tgid), &serial);
	/* Of what runs already no start-up is told; what is kept until the end would pile up. */
	if (err || session->hooks->fold)
		return err;
	err = facts__follow(session->facts, tgid, serial);
	if (!err)
		identity__follow(session->identity, tgid, serial);
	if (!err)
		throttles__follow(session->throttles, tgid, serial);
	if (!err)
		late_take(session, tgid, serial);
	return err;
}

/* A child that runs already: one that ends meanwhile, or that is no Python, is as good as none. */
static int follow_child(void *ctx, pid_t tgid)
{
	struct session *session = ctx;
	int cnt = discover__process(session->discover, tgid), err;

	if (cnt < 0)
		log_debug("process %d: %s", tgid, strerror(-cnt));
	err = follow_process(session, tgid);
	if (err)
		log_debug("process %d cannot be followed: %s", tgid, strerror(-err));
	return 0;
}

/* /proc shows threads as well, by their ids. */
static bool is_thread(pid_t tid)
{
	_cleanup_close_ int proc_fd = proc_open(tid);
	pid_t tgid;

	if (proc_fd < 0 || proc_tgid(proc_fd, &tgid) || tgid == tid)
		return false;
	log_err(0, "%d is a thread of process %d", tid, tgid);
	log_hint("pyimport-bpf -p %d follows the process with all its threads", tgid);
	return true;
}

/* All that were named must be traceable; one that ends meanwhile is bad luck, not an error. */
static int target_processes(struct session *session)
{
	const struct opts *opts = session->opts;
	size_t followed_cnt = 0;
	int err;

	for (size_t i = 0; i < opts->tgid_cnt; i++) {
		if (is_thread(opts->tgids[i]))
			return -ENOTSUP;
		err = discover__process(session->discover, opts->tgids[i]);
		if (err < 0)
			return log_process(err, opts->tgids[i]);
		if (!err) {
			explain_process(session, opts->tgids[i]);
			return -ENOTSUP;
		}
	}
	if (opts->is_dry_run)
		return 0;
	for (size_t i = 0; i < opts->tgid_cnt; i++) {
		err = follow_process(session, opts->tgids[i]);
		if (err == -ESRCH)
			log_err(0, "process %d ended while it was being attached",
				opts->tgids[i]);
		else if (err)
			return err;
		followed_cnt += !err;
	}
	if (!followed_cnt)
		return -ESRCH;
	return late_each_child(opts->tgids, opts->tgid_cnt, follow_child, session);
}

static int target_command(struct session *session)
{
	const struct opts *opts = session->opts;
	const char *path = invoker_getenv(&session->invoker, "PATH");
	__u32 serial;
	int verdict;

	verdict = discover__command(session->discover, opts->argv[0], path,
				    session->launch ? launch__tgid(session->launch) : 0);
	if (verdict < 0 || (opts->is_dry_run && verdict == DISCOVER_NOTHING))
		log_debug("%s: no interpreter found beforehand", opts->argv[0]);
	if (opts->is_dry_run)
		return 0;
	facts__launched(session->facts, launch__tgid(session->launch));
	return probes__follow(session->probes, launch__tgid(session->launch), false, &serial);
}

static int follow_switching(void *ctx, pid_t tgid)
{
	struct session *session = ctx;
	__u32 serial;

	if (is_switching(tgid) && probes__follow(session->probes, tgid, true, &serial))
		log_debug("process %d: cannot be followed", tgid);
	return 0;
}

static int target_host(struct session *session)
{
	int err = discover__host(session->discover, getenv("PATH"));

	if (err)
		return log_err(err, "cannot list the processes of the host");
	log_info("%zu interpreters among %zu files looked at", pythons__cnt(session->pythons),
		 discover__examined(session->discover));
	return session->opts->is_dry_run ? 0 : proc_each(follow_switching, session);
}

/* What is no Python is followed once it execs: the kernel does that. */
static int follow_present(void *ctx, pid_t tgid)
{
	struct session *session = ctx;

	if (discover__process(session->discover, tgid) > 0 && !session->opts->is_dry_run)
		follow_process(session, tgid);
	return 0;
}

bool session__look_at_scope(struct session *session)
{
	return !session->scope || scope__look(session->scope, follow_present, session);
}

static int target_scope(struct session *session)
{
	int err = session->probes ? scope__start(session->scope, session->probes) : 0;

	if (!err)
		session__look_at_scope(session);
	return err;
}

int session__target(struct session *session)
{
	if (session->scope)
		return target_scope(session);
	if (session->opts->argv)
		return target_command(session);
	if (session->opts->tgid_cnt)
		return target_processes(session);
	return target_host(session);
}
