// SPDX-License-Identifier: BSD-2-Clause
/* See scope.h. Two threads meet here: hold's asks, the main one looks after. */
#include "trace/follow/scope.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "trace/opts.h"
#include "trace/follow/scope_names.h"
#include "trace/session.h"
#include "probe/probes.h"
#include "pyimport_scope.h"
#include "interpreters/containers/cgroup.h"
#include "interpreters/containers/container.h"

#define LATE_MAX 64             /* new containers whose names are not written yet */
#define LATE_NS 5000000000ULL   /* how long a name may take */
#define GONE_GAP_NS 250000000ULL
/* Some runtimes keep the cgroup of a container that has ended; others start it again at once. */
#define OVER_NS 3000000000ULL
#define NEVER_USED_NS 10000000000ULL

/* A followed cgroup. */
struct top {
	char *path;
	__u64 id;
	bool is_new;   /* its processes are still to be looked at */
	bool is_gone;
	bool was_used; /* something ran in it */
	__u64 empty_ns; /* since when nothing does; 0 = something does */
};

struct late {
	char *path;
	__u64 since_ns;
};

struct scope {
	const struct opts *opts;
	const struct cgroups *cgroups;
	struct containers *containers;
	struct probes *probes;  /* NULL until scope__start */
	pthread_mutex_t lock;
	struct top *tops;
	size_t top_cnt;
	struct late late[LATE_MAX];
	size_t late_cnt;
	pid_t *joined;          /* the main thread's alone */
	size_t joined_cnt, joined_cap;
	__u64 looked_ns;
	bool is_elsewhere;      /* its container was met outside of our hierarchy, and we said so */
};

static void tell_kernel(struct scope *scope, const struct top *top)
{
	if (scope->probes && probes__scope(scope->probes, top->id, true))
		log_warn("%s: cannot be followed: more than %d cgroups", top->path,
			 PYI_SCOPES_MAX);
}

/* Under the lock. 0 when it is or was followed already. */
static int add(struct scope *scope, const char *path)
{
	_cleanup_free_ char *copy = NULL;
	struct top *tops;
	__u64 id;
	int err = cgroups__find(scope->cgroups, path, &id, &copy);

	if (err)
		return err;
	for (size_t i = 0; i < scope->top_cnt; i++)
		if (scope->tops[i].id == id)
			return 0;
	tops = reallocarray(scope->tops, scope->top_cnt + 1, sizeof(*tops));
	if (!tops)
		return -ENOMEM;
	scope->tops = tops;
	tops[scope->top_cnt] = (struct top){ .path = TAKE_PTR(copy), .id = id, .is_new = true };
	log_info("following cgroup %s", tops[scope->top_cnt].path);
	tell_kernel(scope, &tops[scope->top_cnt]);
	scope->top_cnt++;
	return 0;
}

/* Under the lock: is @path inside what the options name? Adds its cgroup if so. */
static bool notice(struct scope *scope, const char *path)
{
	_cleanup_free_ char *top = NULL;
	struct container container;

	if (scope->opts->container) {
		if (!containers__match(scope->containers, path, scope->opts->container,
				       &container))
			return false;
		top = strndup(path, container.path_sz);
		return top && !add(scope, top);
	}
	for (size_t i = 0; i < scope->top_cnt; i++)
		if (cgroup_is_below(path, scope->tops[i].path))
			return !add(scope, scope->tops[i].path);
	/* It did not exist so far: its path is known only from the options. */
	return !scope->top_cnt && !add(scope, scope->opts->cgroup) &&
	       cgroup_is_below(path, scope->tops[0].path);
}

/* -EXDEV is said once: the user would wait in vain. */
static void tell_elsewhere(struct scope *scope, int proc_fd)
{
	_cleanup_free_ char *text = NULL, *path = NULL;
	struct container container;
	size_t sz;

	if (scope->is_elsewhere || !scope->opts->container ||
	    proc_read(proc_fd, "cgroup", 65536, &text, &sz) ||
	    container_find_line(text, &container, &path) ||
	    !containers__match(scope->containers, path, scope->opts->container, &container))
		return;
	scope->is_elsewhere = true;
	log_warn("container %s has no cgroup of its own in the v2 hierarchy: start pyimport-bpf again now that it runs",
		 scope->opts->container);
}

bool scope__covers(struct scope *scope, pid_t tgid)
{
	_cleanup_close_ int proc_fd = tgid > 0 ? proc_open(tgid) : -1;
	_cleanup_free_ char *path = NULL;
	bool covers;

	if (proc_fd < 0 || cgroups__of_process(scope->cgroups, proc_fd, &path))
		return false;
	pthread_mutex_lock(&scope->lock);
	covers = notice(scope, path);
	for (size_t i = 0; covers && i < scope->top_cnt; i++)
		scope->tops[i].was_used |= cgroup_is_below(path, scope->tops[i].path);
	if (!covers)
		tell_elsewhere(scope, proc_fd);
	pthread_mutex_unlock(&scope->lock);
	return covers;
}

void scope__joined(struct scope *scope, pid_t tgid)
{
	size_t cap = scope->joined_cap ? scope->joined_cap * 2 : 64;
	pid_t *bigger;

	if (scope->joined_cnt == scope->joined_cap) {
		bigger = reallocarray(scope->joined, cap, sizeof(*bigger));
		if (!bigger)
			return;
		scope->joined = bigger;
		scope->joined_cap = cap;
	}
	scope->joined[scope->joined_cnt++] = tgid;
}

void scope__made(struct scope *scope, const char *path)
{
	struct container container;

	pthread_mutex_lock(&scope->lock);
	if (!notice(scope, path) && scope->opts->container && scope->late_cnt < LATE_MAX &&
	    container_parse(path, &container)) {
		char *copy = strdup(path);

		if (copy)
			scope->late[scope->late_cnt++] = (struct late){ copy, clock_ns() };
	}
	pthread_mutex_unlock(&scope->lock);
}

/* Runtimes write a container's name down before or after they make its cgroup. */
static void look_at_late(struct scope *scope, __u64 now_ns)
{
	for (size_t i = 0; i < scope->late_cnt;) {
		struct late *late = &scope->late[i];

		if (!notice(scope, late->path) && now_ns - late->since_ns < LATE_NS) {
			i++;
			continue;
		}
		free(late->path);
		*late = scope->late[--scope->late_cnt];
	}
}

/*
 * A container is over when nothing has run in it for a while, whether its cgroup is still there or
 * not: between the end and the new start of a restart there is none. A cgroup is when it is gone.
 */
static bool is_over(const struct scope *scope, struct top *top, __u64 now_ns)
{
	if (!scope->opts->container)
		return top->is_gone;
	if (!top->is_gone && cgroups__is_used(scope->cgroups, top->path)) {
		top->was_used = true;
		top->empty_ns = 0;
		return false;
	}
	if (!top->empty_ns)
		top->empty_ns = now_ns;
	return now_ns - top->empty_ns >=
	       (top->was_used || top->is_gone ? OVER_NS : NEVER_USED_NS);
}

/* Under the lock. */
static bool is_any_left(struct scope *scope, __u64 now_ns)
{
	bool is_left = !scope->top_cnt;

	for (size_t i = 0; i < scope->top_cnt; i++) {
		struct top *top = &scope->tops[i];
		_cleanup_free_ char *path = NULL;
		__u64 id;

		if (!top->is_gone && (cgroups__find(scope->cgroups, top->path, &id, &path) ||
				      id != top->id)) {
			top->is_gone = true;
			log_info("cgroup %s is gone", top->path);
			probes__scope(scope->probes, top->id, false);
		}
		is_left |= !is_over(scope, top, now_ns);
	}
	return is_left;
}

bool scope__look(struct scope *scope, proc_fn fn, void *ctx)
{
	__u64 now_ns = clock_ns();
	bool is_left = true;
	size_t cnt;

	pthread_mutex_lock(&scope->lock);
	look_at_late(scope, now_ns);
	if (!scope->top_cnt && scope->opts->cgroup)
		add(scope, scope->opts->cgroup);
	if (now_ns - scope->looked_ns >= GONE_GAP_NS) {
		scope->looked_ns = now_ns;
		is_left = is_any_left(scope, now_ns);
	}
	cnt = scope->top_cnt;
	pthread_mutex_unlock(&scope->lock);
	/* Only this thread forgets that one is new; the array may move under hold's hands. */
	for (size_t i = 0; i < cnt; i++) {
		_cleanup_free_ char *path = NULL;

		pthread_mutex_lock(&scope->lock);
		if (scope->tops[i].is_new)
			path = strdup(scope->tops[i].path);
		scope->tops[i].is_new = false;
		pthread_mutex_unlock(&scope->lock);
		if (path)
			cgroups__each_process(scope->cgroups, path, fn, ctx);
	}
	for (size_t i = 0; i < scope->joined_cnt; i++)
		fn(ctx, scope->joined[i]);
	scope->joined_cnt = 0;
	return is_left;
}

int scope__start(struct scope *scope, struct probes *probes)
{
	pthread_mutex_lock(&scope->lock);
	scope->probes = probes;
	for (size_t i = 0; i < scope->top_cnt; i++)
		tell_kernel(scope, &scope->tops[i]);
	pthread_mutex_unlock(&scope->lock);
	return 0;
}

int scope__new(const struct opts *opts, struct containers *containers, struct cgroups **cgroups,
	       struct scope **out)
{
	_cleanup_free_ char *path = NULL;
	struct scope *scope;
	int err;

	err = opts->container ? scope_find_container(opts, containers, &path) :
				scope_find_cgroup(opts, &path);
	if (err)
		return err;
	err = cgroups__new(path, cgroups);
	if (err == -ENODEV)
		return log_err(0, "no cgroup file system is mounted that identifies processes"), err;
	if (err)
		return log_err(err, "%s: no such cgroup", path);
	scope = calloc(1, sizeof(*scope));
	if (!scope)
		return -ENOMEM;
	scope->opts = opts;
	scope->cgroups = *cgroups;
	scope->containers = containers;
	pthread_mutex_init(&scope->lock, NULL);
	*out = scope;
	if (!path)
		return 0;
	err = add(scope, opts->container ? path : opts->cgroup);
	return err == -ENOENT && opts->want_wait ? 0 : err;
}

void scope__free(struct scope *scope)
{
	if (!scope)
		return;
	for (size_t i = 0; i < scope->top_cnt; i++)
		free(scope->tops[i].path);
	free(scope->tops);
	free(scope->joined);
	for (size_t i = 0; i < scope->late_cnt; i++)
		free(scope->late[i].path);
	pthread_mutex_destroy(&scope->lock);
	free(scope);
}
