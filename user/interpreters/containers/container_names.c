// SPDX-License-Identifier: BSD-2-Clause
/*
 * What containers are called. No runtime is asked: its files say it, or the command line of the
 * monitor it starts for each container. What cannot be read leaves names unknown.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "interpreters/containers/container.h"
#include "interpreters/containers/container_files.h"

/* An id without a name: not yet written, or never. Asking again takes ms, while somebody waits. */
#define RETRY_MIN_NS 20000000ULL
#define RETRY_MAX_NS 5000000000ULL

struct known {
	char *id, *name;      /* name NULL = not found yet */
	const char *runtime;  /* NULL = not told */
	__u64 next_ns, rest_ns; /* when to ask again, and how long to rest after that */
	struct known *next;
};

struct containers {
	pthread_mutex_t lock; /* asked from the main and the hold thread */
	struct known *known;  /* some dozens at most: a list will do */
};

int containers__new(struct containers **out)
{
	struct containers *containers = calloc(1, sizeof(*containers));

	if (!containers)
		return -ENOMEM;
	pthread_mutex_init(&containers->lock, NULL);
	*out = containers;
	return 0;
}

void containers__free(struct containers *containers)
{
	struct known *next;

	if (!containers)
		return;
	for (struct known *known = containers->known; known; known = next) {
		next = known->next;
		free(known->id);
		free(known->name);
		free(known);
	}
	pthread_mutex_destroy(&containers->lock);
	free(containers);
}

static struct known *get(struct containers *containers, const char *id)
{
	struct known *known;

	for (known = containers->known; known; known = known->next)
		if (!strcmp(known->id, id))
			return known;
	known = calloc(1, sizeof(*known));
	if (!known)
		return NULL;
	known->id = strdup(id);
	if (!known->id) {
		free(known);
		return NULL;
	}
	known->next = containers->known;
	containers->known = known;
	return known;
}

static void learn(void *ctx, const char *id, const char *name, const char *runtime)
{
	struct known *known = get(ctx, id);

	if (!known)
		return;
	if (!known->runtime)
		known->runtime = runtime;
	/* A renamed container keeps its first name here: pointers to it are handed out. */
	if (!known->name && name && *name)
		known->name = strdup(name);
}

static const struct known *look_up(struct containers *containers,
				   const struct container *container)
{
	struct known *known = get(containers, container->id);
	__u64 now = clock_ns();

	if (!known || known->name || now < known->next_ns)
		return known;
	known->rest_ns = known->rest_ns ? known->rest_ns * 2 : RETRY_MIN_NS;
	if (known->rest_ns > RETRY_MAX_NS)
		known->rest_ns = RETRY_MAX_NS;
	known->next_ns = now + known->rest_ns;
	container_files_one(container->id, learn, containers);
	if (!known->name && container->runtime && (!strcmp(container->runtime, "lxc") ||
						   !strcmp(container->runtime, "nspawn")))
		known->name = strdup(container->id);
	return known;
}

const char *containers__name(struct containers *containers, const struct container *container)
{
	const struct known *known;
	const char *name;

	pthread_mutex_lock(&containers->lock);
	known = look_up(containers, container);
	name = known ? known->name : NULL;
	pthread_mutex_unlock(&containers->lock);
	return name;
}

const char *containers__runtime(struct containers *containers, const struct container *container)
{
	const struct known *known;
	const char *runtime = container->runtime;

	if (runtime)
		return runtime;
	pthread_mutex_lock(&containers->lock);
	known = look_up(containers, container);
	runtime = known ? known->runtime : NULL;
	pthread_mutex_unlock(&containers->lock);
	return runtime;
}

/* A name of Kubernetes is [NAMESPACE/]POD/CONTAINER: pod, container, or both will do. */
static bool is_name(const char *name, const char *wanted)
{
	const char *last = strrchr(name, '/'), *pod = last;

	for (const char *tail = name; tail; tail = strchr(tail, '/'), tail += tail != NULL)
		if (!strcmp(tail, wanted))
			return true;
	while (pod && pod > name && pod[-1] != '/')
		pod--;
	return pod && strlen(wanted) == (size_t)(last - pod) && !strncmp(pod, wanted, last - pod);
}

bool containers__match(struct containers *containers, const char *path, const char *wanted,
		       struct container *out)
{
	size_t sz = strlen(path), wanted_sz = strlen(wanted);

	while (container_parse_sz(path, sz, out)) {
		const char *name;

		if (wanted_sz >= CONTAINER_PREFIX_MIN && !strncmp(out->id, wanted, wanted_sz))
			return true;
		name = containers__name(containers, out);
		if (name && is_name(name, wanted))
			return true;
		sz = out->path_sz;
		while (sz && path[sz - 1] != '/')
			sz--;
		sz -= sz > 0;
	}
	return false;
}

void containers__each(struct containers *containers, container_fn fn, void *ctx)
{
	pthread_mutex_lock(&containers->lock);
	container_files_all(learn, containers);
	for (const struct known *known = containers->known; known; known = known->next)
		fn(ctx, known->id, known->name, known->runtime);
	pthread_mutex_unlock(&containers->lock);
}
