// SPDX-License-Identifier: BSD-2-Clause
/* See scope_names.h. What was not found is answered with what is there. */
#include "trace/follow/scope_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/distance.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "trace/opts.h"
#include "interpreters/containers/cgroup.h"
#include "interpreters/containers/container.h"
#include "interpreters/process/proc.h"

#define CLOSE_MAX 5
#define SHORT_ID 12

int scope_find_cgroup(const struct opts *opts, const char *wanted, char **path)
{
	_cleanup_free_ char *near = strdup(wanted);
	struct cgroups *cgroups;
	char *slash;
	int err;

	if (!near)
		return -ENOMEM;
	for (;;) {
		err = cgroups__new(near, &cgroups);
		if (!err)
			cgroups__free(cgroups);
		if (err != -ENOENT || !opts->want_wait)
			break;
		slash = strrchr(near, '/');
		if (!slash || slash == near) {
			near[0] = '\0'; /* nothing of it is there: any hierarchy will do */
			err = 0;
			break;
		}
		*slash = '\0';
	}
	if (err == -ENOENT || err == -ENOTDIR) {
		log_err(err, "%s: no such cgroup", wanted);
		log_hint("a directory below /sys/fs/cgroup, or a path of /proc/PID/cgroup; --wait if it does not exist yet");
		return err;
	}
	if (err == -ENOTSUP) {
		log_err(0, "%s: this hierarchy has no controller, so the kernel's programs cannot see it", wanted);
		log_hint("the same cgroup in another hierarchy, such as memory or pids");
		return err;
	}
	if (err == -ENODEV) {
		log_err(0, "no cgroup file system is mounted");
		return err;
	}
	if (err)
		return log_err(err, "%s", wanted);
	*path = near[0] ? TAKE_PTR(near) : NULL;
	return 0;
}

struct search {
	struct containers *containers;
	const char *wanted;
	char *path;
	char id[CONTAINER_ID_SZ];
	bool is_ambiguous;
};

/* A process in a container is what gives the path of its cgroup away. */
static int match_process(void *ctx, pid_t tgid)
{
	struct search *search = ctx;
	_cleanup_close_ int proc_fd = proc_open(tgid);
	_cleanup_free_ char *text = NULL, *path = NULL;
	struct container container;
	size_t sz;

	if (proc_fd < 0 || proc_read(proc_fd, "cgroup", 65536, &text, &sz) ||
	    container_find_line(text, &container, &path) ||
	    !containers__match(search->containers, path, search->wanted, &container))
		return 0;
	if (search->path) {
		/* A prefix of two ids, or a name that two runtimes know. */
		search->is_ambiguous |= strcmp(search->id, container.id) != 0;
		return 0;
	}
	memcpy(search->id, container.id, sizeof(search->id));
	path[container.path_sz] = '\0';
	search->path = TAKE_PTR(path);
	return 0;
}

struct near_name {
	size_t distance;
	char text[256];
};

struct near_names {
	const char *wanted;
	struct near_name best[CLOSE_MAX];
	size_t cnt, all;
	bool is_known;  /* one is called so, but nothing runs in it */
};

static void rank(void *ctx, const char *id, const struct container_names *names)
{
	struct near_names *near = ctx;
	const char *name = names->name;
	struct near_name one = { .distance = text_distance(name ? name : id, near->wanted) };
	size_t at;

	near->all++;
	near->is_known |= name && !strcmp(name, near->wanted);
	near->is_known |= strlen(near->wanted) >= CONTAINER_PREFIX_MIN &&
			  !strncmp(id, near->wanted, strlen(near->wanted));
	if (name && strstr(name, near->wanted))
		one.distance = 0;
	snprintf(one.text, sizeof(one.text), "%.200s (%.*s, %s)", name ? name : "without a name",
		 SHORT_ID, id, names->runtime ?: "runtime unknown");
	for (at = near->cnt; at && near->best[at - 1].distance > one.distance; at--)
		if (at < CLOSE_MAX)
			near->best[at] = near->best[at - 1];
	if (at < CLOSE_MAX)
		near->best[at] = one;
	near->cnt += near->cnt < CLOSE_MAX;
}

static int explain(const char *wanted, struct containers *containers)
{
	struct near_names near = { .wanted = wanted };

	containers__each(containers, rank, &near);
	if (near.is_known) {
		log_err(0, "container %s is not running", wanted);
		log_hint("--wait, to trace it from its start on");
		return -ENOENT;
	}
	if (near.all)
		log_err(0, "there is no container %s among the %zu known", wanted, near.all);
	else
		log_err(0, "there is no container %s, nor any other: no podman, docker, containerd or "
			"CRI-O has one here", wanted);
	for (size_t i = 0; i < near.cnt; i++)
		log_hint("%s", near.best[i].text);
	log_hint("--wait, if it does not exist yet");
	return -ENOENT;
}

int scope_find_container(const struct opts *opts, const char *wanted,
			 struct containers *containers, char **path)
{
	struct search search = { .containers = containers, .wanted = wanted };
	int err = proc_each(match_process, &search);
	_cleanup_free_ char *found = search.path;

	if (err)
		return log_err(err, "cannot list the processes of the host");
	if (search.is_ambiguous) {
		log_err(0, "%s stands for more than one container", wanted);
		log_hint("more characters of its id");
		return -ENOTUNIQ;
	}
	if (!found && !opts->want_wait)
		return explain(wanted, containers);
	*path = TAKE_PTR(found);
	return 0;
}
