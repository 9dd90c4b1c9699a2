// SPDX-License-Identifier: BSD-2-Clause
/*
 * What happens to a program while it is held: found out what it is, probed if it is to be traced.
 * Runs on hold's thread beside the one that reads events, which touches the lists kept here only
 * when that has ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "trace/opts.h"
#include "trace/follow/mapped_file.h"
#include "trace/follow/pythons.h"
#include "trace/follow/scope.h"
#include "trace/session.h"
#include "model/model.h"
#include "model/unexamined.h"
#include "probe/probes.h"
#include "interpreters/discover/discover.h"
#include "interpreters/interp.h"
#include "interpreters/process/proc.h"
#include "interpreters/process/initialized.h"

/* From the mapping of an interpreter to its first import it takes longer than this. */
#define FIRST_IMPORT_NS 2000000ULL

/* Who waited for less has nothing to tell: looking at a file takes as long. */
#define NOTE_NS 1000000ULL
#define WAITS_MAX (HOLD_NOTES_MAX / 2) /* the rest is for those that were probed */

/* A hold of what is traced: until an interpreter was probed, or behind others for which one was. */
struct held_note {
	pid_t tgid;
	char *path;
	bool is_exec;
	__u64 start_ns, until_ns; /* as far as we know: until our answer, if that was in time */
};

struct held {
	struct session *session;
	struct held_note *notes;
	size_t note_cnt, wait_cnt;
	__u64 late_start_cnt;
	_Atomic __u64 gone_cnt; /* that may have been interpreters and were gone before a look */
};

/* In the holder: others' programs are none of our business. */
static bool is_followed(void *ctx, pid_t tgid)
{
	const struct held *held = ctx;

	return probes__is_followed(held->session->probes, tgid);
}

static bool was_followed(void *ctx, pid_t tgid, __u64 since_ns)
{
	const struct held *held = ctx;

	return probes__has_ended(held->session->probes, tgid, since_ns);
}

/* Of a process that the kernel has not begun to follow, its exec may be what makes it do so. */
static bool wants_exec(const struct session *session, pid_t tgid)
{
	if (session->scope && scope__covers(session->scope, tgid))
		return true;
	return session->opts->want_all || probes__is_followed(session->probes, tgid);
}

/* None of what is traced, and none that was and has ended: its number may be another's by now. */
static bool is_others(const struct session *session, const struct hold_mapping *mapping)
{
	return !session->opts->want_all &&
	       !probes__is_followed(session->probes, mapping->tgid) &&
	       !probes__has_ended(session->probes, mapping->tgid, mapping->ts_ns);
}

static unsigned int note(struct held *held, pid_t tgid, const char *path, bool is_exec,
			 __u64 start_ns)
{
	struct held_note *notes;

	if (held->note_cnt == HOLD_NOTES_MAX)
		return 0;
	notes = reallocarray(held->notes, held->note_cnt + 1, sizeof(*notes));
	if (!notes)
		return 0;
	held->notes = notes;
	notes[held->note_cnt] = (struct held_note){ .tgid = tgid, .path = strdup(path),
						    .is_exec = is_exec, .start_ns = start_ns,
						    .until_ns = clock_ns() };
	if (!notes[held->note_cnt].path)
		return 0;
	held->note_cnt++;
	return HOLD_NOTE;
}

static unsigned int look_at_exec(void *ctx, int fd, const char *path, pid_t tgid, __u64 since_ns)
{
	struct held *held = ctx;
	struct session *session = held->session;
	_cleanup_close_ int proc_fd = tgid > 0 ? proc_open(tgid) : -1;
	size_t before = pythons__cnt(session->pythons);
	char root[PROC_ROOT_SZ] = "";
	unsigned int answer = 0;
	int verdict;

	/* A library is looked for below the root of the process that will map it. */
	if (proc_fd >= 0)
		proc_root(proc_fd, tgid, root);
	path = mapped_path_below(root, path, fd);
	if (!wants_exec(session, tgid))
		return discover__is_other(session->discover, fd, path, root) ? HOLD_IGNORE : 0;
	verdict = discover__file(session->discover, fd, path, root, tgid);
	if (verdict == DISCOVER_NOTHING || verdict == DISCOVER_INTERPRETER)
		answer = HOLD_IGNORE;
	if (pythons__cnt(session->pythons) > before ||
	    (clock_ns() - since_ns > NOTE_NS && held->wait_cnt++ < WAITS_MAX))
		answer |= note(held, tgid, path, true, since_ns);
	return answer;
}

/* The probes came while the program was starting: did its interpreter start before them? */
static void check_start(struct held *held, const struct hold_mapping *mapping, int proc_fd,
			const struct mapped_file *found)
{
	const struct interp *interp;
	__u64 probed_ns;

	interp = pythons__find(held->session->pythons, found->fd, &probed_ns);
	if (!interp || probed_ns < mapping->ts_ns ||
	    !interp_has_started(interp, proc_fd, &found->map))
		return;
	held->late_start_cnt++;
	log_info("process %d: %s ran before it was probed, after %.1f ms", mapping->tgid,
		 found->path, (probed_ns - mapping->ts_ns) / 1e6);
	if (mapping->stopped_ns)
		log_info("process %d was stopped %.1f ms after the mapping", mapping->tgid,
			 (mapping->stopped_ns - mapping->ts_ns) / 1e6);
}

/*
 * Mapped by what has execed something else since, or has ended. If it is a Python that was not
 * probed then, nobody can tell any more whether it ran.
 */
static void look_at_gone(struct held *held, const struct hold_mapping *mapping, int proc_fd,
			 const char *root)
{
	struct session *session = held->session;
	_cleanup_close_ int fd = mapped_file_open(mapping, proc_fd);
	__u64 probed_ns;

	/* Its file has gone as well, or its name leads elsewhere: it may have been anything. */
	if (fd < 0) {
		atomic_fetch_add(&held->gone_cnt, 1);
		return;
	}
	if (discover__file(session->discover, fd, mapping->path, root, mapping->tgid) ==
		    DISCOVER_INTERPRETER &&
	    pythons__find(session->pythons, fd, &probed_ns) && probed_ns > mapping->ts_ns)
		atomic_fetch_add(&held->gone_cnt, 1);
}

static unsigned int look_at_mapping(void *ctx, const struct hold_mapping *mapping)
{
	struct held *held = ctx;
	struct session *session = held->session;
	_cleanup_close_ int proc_fd = proc_open(mapping->tgid);
	_cleanup_(mapped_file_clear) struct mapped_file found = { .fd = -1 };
	char root[PROC_ROOT_SZ] = "";
	unsigned int answer = 0;
	int verdict;

	if (is_others(session, mapping))
		return 0;
	if (proc_fd >= 0)
		proc_root(proc_fd, mapping->tgid, root);
	if (mapped_file_find(mapping, proc_fd, &found)) {
		look_at_gone(held, mapping, proc_fd, root);
		return 0;
	}
	verdict = discover__file(session->discover, found.fd, found.path, root, mapping->tgid);
	/* Of a program that needs a libpython, the mapping of the library will be noticed. */
	if (verdict >= 0 && verdict != DISCOVER_REFUSED)
		answer = HOLD_IGNORE;
	if (mapping->stopped_ns)
		answer |= note(held, mapping->tgid, found.path, false, mapping->stopped_ns);
	if (verdict == DISCOVER_INTERPRETER)
		check_start(held, mapping, proc_fd, &found);
	return answer;
}

/* The mappings of one that is followed, when the kernel has not told of all. */
struct look_round {
	struct held *held;
	pid_t tgid;
	__u64 since_ns;
};

static int look_at_map(void *ctx, int proc_fd, const struct proc_map *map)
{
	const struct look_round *look = ctx;
	const struct hold_mapping mapping = {
		.tgid = look->tgid, .ts_ns = look->since_ns, .path = map->path,
		.start = map->start, .end = map->end, .ino = map->ino,
		.dev = (__u64)map->major << 32 | map->minor,
	};

	(void)proc_fd;
	if (map->is_exec && map->ino && map->end - map->start >= MAPPED_CODE_MIN_SZ)
		look_at_mapping(look->held, &mapping);
	return 0;
}

static void look_at_followed(void *ctx, pid_t tgid)
{
	struct look_round *look = ctx;
	_cleanup_close_ int proc_fd = proc_open(tgid);

	look->tgid = tgid;
	if (proc_fd >= 0)
		proc_each_map(proc_fd, look_at_map, look);
}

static void look_at_all(void *ctx, __u64 since_ns)
{
	struct held *held = ctx;
	const struct probes *probes = held->session->probes;
	struct look_round look = { .held = held, .since_ns = since_ns };

	log_debug("mappings were lost: looking again at the followed processes");
	probes__each_followed(probes, look_at_followed, &look);
	/* What ended since, or execed, cannot be asked what it had mapped before. */
	if (probes__last_end_ns(probes) >= since_ns)
		atomic_fetch_add(&held->gone_cnt, 1);
}

/* On hold's second thread: must not wait for the first, which may be probing. */
static unsigned int scout(void *ctx, const struct hold_mapping *mapping)
{
	struct held *held = ctx;
	_cleanup_close_ int proc_fd = proc_open(mapping->tgid);
	_cleanup_close_ int fd = mapped_file_open(mapping, proc_fd);
	int verdict, is_python;
	__u64 probed_ns;

	if (is_others(held->session, mapping))
		return 0;
	if (fd < 0) {
		atomic_fetch_add(&held->gone_cnt, clock_ns() - mapping->ts_ns > FIRST_IMPORT_NS);
		return 0;
	}
	verdict = discover__known(held->session->discover, fd);
	/* Refused, or probed since: the other thread finds out whether it ran before that. */
	if (verdict == DISCOVER_REFUSED ||
	    (verdict == DISCOVER_INTERPRETER &&
	     pythons__find(held->session->pythons, fd, &probed_ns) && probed_ns > mapping->ts_ns))
		return HOLD_LOOK;
	if (verdict != -ENOENT)
		return HOLD_IGNORE;
	/* As urgent as nothing else: what takes longer is the other thread's, which is not. */
	is_python = mapping->is_over ? interp_probe(fd) : interp_glance(fd);
	return is_python > 0 ? HOLD_STOP : is_python == -EFBIG ? HOLD_LOOK : HOLD_IGNORE;
}

static void warn(const struct session *session, int exec_err, int mapped_err)
{
	if (exec_err && !session->opts->want_no_hold)
		log_warn("execs cannot be held (%s): %s",
			 exec_err == -EPERM ? "CAP_SYS_ADMIN is missing" : strerror(-exec_err),
			 mapped_err ? "first imports of an interpreter not known beforehand may be missed" :
				      "an interpreter not known beforehand is stopped just after it starts instead");
	if (mapped_err)
		log_warn("libraries that a running program opens cannot be noticed (%s): a Python in one not known beforehand is not traced",
			 mapped_err == -EPERM || mapped_err == -EACCES ? "CAP_PERFMON is missing" :
									 strerror(-mapped_err));
}

void session__hold(struct session *session)
{
	struct hold_ops ops = { .exec = look_at_exec, .mapped = look_at_mapping, .scout = scout,
				.lost = look_at_all,
				.want_no_stop = session->opts->want_no_hold,
				.is_multi = probes__is_multi(session->probes) };
	int exec_err = 0, mapped_err = 0, err;
	struct held *held = calloc(1, sizeof(*held));

	if (!held)
		return;
	held->session = session;
	session->held_notes = held;
	ops.ctx = held;
	if (!session->opts->want_all) {
		ops.wants = is_followed;
		ops.want_all_execs = session->scope != NULL;
		ops.wanted = was_followed;
		probes__followed_fds(session->probes, ops.wants_fds);
	}
	err = hold__new(&ops, &exec_err, &mapped_err, &session->hold);
	if (err)
		log_debug("nothing is held: %s", strerror(-err));
	warn(session, exec_err, mapped_err);
}

/* When nobody answers any more, at least one is. */
static __u64 not_looked_at(const struct hold_stats *stats)
{
	return stats->unseen_cnt + stats->late_cnt + stats->missed_cnt + stats->lost_cnt +
	       stats->has_ended;
}

static void tell_unexamined(const struct session *session)
{
	const struct discover_unexamined *left = discover__unexamined(session->discover);
	const struct unexamined_info info = { .paths = (const char *const *)left->paths,
					      .path_cnt = left->path_cnt, .cnt = left->cnt };

	if (left->cnt)
		model__set_unexamined(session->model, &info);
}

void session__tell_starts(struct session *session)
{
	struct held *held = session->held_notes;

	if (!held)
		return;
	if (session->hold)
		hold__stats(session->hold, &session->held);
	model__set_late_starts(session->model, held->late_start_cnt);
	model__set_unknown_starts(session->model, held->gone_cnt + not_looked_at(&session->held));
}

/* The process that holds knows best; if it did not tell, it was at least as long as we took. */
static void tell_hold(const struct session *session, const struct held_note *note, size_t index)
{
	struct hold_info info = { .tgid = note->tgid, .path = note->path,
				  .is_exec = note->is_exec };
	__u64 limit_ns = note->is_exec ? HOLD_EXEC_LIMIT_NS : HOLD_LIMIT_NS;

	if (!hold__noted(session->hold, index, &info.start_ns, &info.wall_ns))
		return;
	if (!info.start_ns) {
		info.start_ns = note->start_ns;
		info.wall_ns = note->until_ns - note->start_ns;
		info.wall_ns = info.wall_ns < limit_ns ? info.wall_ns : limit_ns;
	}
	model__add_hold(session->model, &info);
}

void session__unhold(struct session *session)
{
	struct held *held = session->held_notes;

	if (session->hold) {
		hold__end(session->hold);
		hold__stats(session->hold, &session->held);
		for (size_t i = 0; i < held->note_cnt; i++)
			tell_hold(session, &held->notes[i], i);
		model__set_held(session->model, &(struct held_info){
			.cnt = session->held.held_cnt, .total_ns = session->held.total_ns,
			.exec_max_ns = session->held.max_ns,
			.stop_max_ns = session->held.max_stop_ns,
			.refused_cnt = session->held.refused_cnt });
		hold__free(session->hold);
		session->hold = NULL;
	}
	if (!held)
		return;
	log_debug("starts not known: %llu gone, %llu unseen, %llu late, %llu missed, %llu lost%s",
		  (unsigned long long)held->gone_cnt, (unsigned long long)session->held.unseen_cnt,
		  (unsigned long long)session->held.late_cnt,
		  (unsigned long long)session->held.missed_cnt,
		  (unsigned long long)session->held.lost_cnt,
		  session->held.has_ended ? ", the holder was killed" : "");
	session__tell_starts(session);
	tell_unexamined(session);
	for (size_t i = 0; i < held->note_cnt; i++)
		free(held->notes[i].path);
	free(held->notes);
	free(held);
	session->held_notes = NULL;
}
