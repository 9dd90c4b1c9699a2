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
#include "trace/follow/services.h"
#include "trace/follow/scope_names.h"
#include "trace/until.h"
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
	size_t name;   /* which of those that the options name */
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
	struct cgroups *cgroups;
	struct containers *containers;
	struct probes *probes;  /* NULL until scope__start */
	pthread_mutex_t lock;
	struct top *tops;
	size_t top_cnt;
	struct services services; /* the main thread's alone */
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
static int add(struct scope *scope, size_t name, const char *path)
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
	tops[scope->top_cnt] = (struct top){ .path = TAKE_PTR(copy), .name = name, .id = id,
					     .is_new = true };
	log_info("following cgroup %s", tops[scope->top_cnt].path);
	tell_kernel(scope, &tops[scope->top_cnt]);
	scope->top_cnt++;
	return 0;
}

/* Under the lock: has one of the named been found so far? */
static bool has_top(const struct scope *scope, size_t name)
{
	for (size_t i = 0; i < scope->top_cnt; i++)
		if (scope->tops[i].name == name)
			return true;
	return false;
}

/* Under the lock: cgroups that did not exist so far; their paths stand in the options alone. */
static void add_missing(struct scope *scope)
{
	for (size_t i = 0; i < scope->opts->scope_cnt; i++)
		if (!has_top(scope, i))
			add(scope, i, scope->opts->scopes[i]);
}

/* Which container of the options @path is in; their number = in none. */
static size_t find_name(struct scope *scope, const char *path, struct container *out)
{
	size_t i = 0;

	while (i < scope->opts->scope_cnt &&
	       !containers__match(scope->containers, path, scope->opts->scopes[i], out))
		i++;
	return i;
}

/* Under the lock: is @path inside what the options name? Adds its cgroup if so. */
static bool notice(struct scope *scope, const char *path)
{
	_cleanup_free_ char *top = NULL;
	struct container container;

	if (scope->opts->is_container) {
		size_t name = find_name(scope, path, &container);

		if (name == scope->opts->scope_cnt)
			return false;
		top = strndup(path, container.path_sz);
		return top && !add(scope, name, top);
	}
	add_missing(scope);
	for (size_t i = 0; i < scope->top_cnt; i++)
		if (cgroup_is_below(path, scope->tops[i].path))
			return !add(scope, scope->tops[i].name, scope->tops[i].path);
	return false;
}

/* -EXDEV is said once: the user would wait in vain. */
static void tell_elsewhere(struct scope *scope, int proc_fd)
{
	_cleanup_free_ char *text = NULL, *path = NULL;
	struct container container;
	size_t sz, name;

	if (scope->is_elsewhere || !scope->opts->is_container ||
	    proc_read(proc_fd, "cgroup", 65536, &text, &sz) ||
	    container_find_line(text, &container, &path))
		return;
	name = find_name(scope, path, &container);
	if (name == scope->opts->scope_cnt)
		return;
	scope->is_elsewhere = true;
	log_warn("container %s has no cgroup of its own in the v2 hierarchy: start pyimport-bpf again now that it runs",
		 scope->opts->scopes[name]);
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
	if (!notice(scope, path) && scope->opts->is_container && scope->late_cnt < LATE_MAX &&
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
	if (!scope->opts->is_container)
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
	bool is_left = false;

	for (size_t i = 0; i < scope->opts->scope_cnt; i++)
		is_left |= !has_top(scope, i);
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
	if (!scope->opts->is_container)
		add_missing(scope);
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

unsigned int scope__service(struct scope *scope, pid_t tgid, __u64 cgroup, unsigned int *around)
{
	_cleanup_close_ int proc_fd = -1;
	_cleanup_free_ char *own = NULL;
	const char *path = cgroup ? cgroups__path(scope->cgroups, cgroup) : NULL;
	unsigned int service = SERVICE_NONE;

	if (!path) {
		proc_fd = proc_open(tgid);
		if (proc_fd < 0 || cgroups__of_process(scope->cgroups, proc_fd, &own))
			return SERVICE_NONE;
		path = own;
	}
	pthread_mutex_lock(&scope->lock);
	for (size_t i = 0; service == SERVICE_NONE && i < scope->top_cnt; i++) {
		const struct top *top = &scope->tops[i];

		if (!cgroup_is_below(path, top->path))
			continue;
		service = *around = (unsigned int)top->name;
		if (!scope->opts->is_container && strcmp(path, top->path) != 0)
			service = services__number(&scope->services, path, top->path,
						   scope->opts->scope_cnt);
	}
	pthread_mutex_unlock(&scope->lock);
	return service;
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

static int open_hierarchy(struct scope *scope, const char *path, struct cgroups **cgroups)
{
	int err = cgroups__new(path, cgroups);

	scope->cgroups = *cgroups;
	return err ? log_err(err, "%s: no hierarchy of cgroups to use", path ? path : "/") : 0;
}

/* The first one that is there tells which hierarchy it is. */
static int find_scope(struct scope *scope, size_t name, struct cgroups **cgroups)
{
	const struct opts *opts = scope->opts;
	const char *wanted = opts->scopes[name];
	_cleanup_free_ char *path = NULL;
	int err = opts->is_container ?
		  scope_find_container(opts, wanted, scope->containers, &path) :
		  scope_find_cgroup(opts, wanted, &path);

	if (err || !path)
		return err;
	if (!*cgroups)
		err = open_hierarchy(scope, path, cgroups);
	if (err)
		return err;
	err = add(scope, name, opts->is_container ? path : wanted);
	if (err == -ENOENT && opts->want_wait)
		return 0;
	return err ? log_err(err, "%s: not in the hierarchy of %s", wanted, opts->scopes[0]) : 0;
}

int scope__new(const struct opts *opts, struct containers *containers, struct cgroups **cgroups,
	       struct scope **out)
{
	struct scope *scope = calloc(1, sizeof(*scope));
	int err = 0;

	if (!scope)
		return -ENOMEM;
	scope->opts = opts;
	scope->containers = containers;
	pthread_mutex_init(&scope->lock, NULL);
	*out = scope;
	for (size_t i = 0; !err && i < opts->scope_cnt; i++)
		err = find_scope(scope, i, cgroups);
	/* All are still to come. */
	return err || *cgroups ? err : open_hierarchy(scope, NULL, cgroups);
}

void scope__free(struct scope *scope)
{
	if (!scope)
		return;
	for (size_t i = 0; i < scope->top_cnt; i++)
		free(scope->tops[i].path);
	free(scope->tops);
	services__clear(&scope->services);
	free(scope->joined);
	for (size_t i = 0; i < scope->late_cnt; i++)
		free(scope->late[i].path);
	pthread_mutex_destroy(&scope->lock);
	free(scope);
}
