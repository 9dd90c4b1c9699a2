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

#include <utlist.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "interpreters/containers/container.h"
#include "interpreters/containers/container_files.h"

/* An id without a name: not yet written, or never. Asking again takes ms, while somebody waits. */
#define RETRY_MIN_NS 20000000ULL
#define RETRY_MAX_NS 5000000000ULL

/* A node starts a new one each minute for months: who was not met for longest goes. */
#define KNOWN_MAX 1024

struct known {
	char *id;
	struct container_names names; /* name NULL = not found yet */
	__u64 next_ns, rest_ns; /* when to ask again, and how long to rest after that */
	struct known *prev, *next;
};

struct containers {
	pthread_mutex_t lock; /* asked from the main and the hold thread */
	struct known *known;  /* who was met last comes first; a list will do for some dozens */
	size_t cnt;
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

void container_names_clear(struct container_names *names)
{
	free(names->name);
	free(names->image);
	*names = (struct container_names){};
}

static void forget(struct containers *containers, struct known *known)
{
	DL_DELETE(containers->known, known); // NOLINT: the analyser forgets that it is in the list
	containers->cnt--;
	free(known->id);
	container_names_clear(&known->names);
	free(known);
}

void containers__free(struct containers *containers)
{
	if (!containers)
		return;
	while (containers->known)
		forget(containers, containers->known);
	pthread_mutex_destroy(&containers->lock);
	free(containers);
}

static struct known *get(struct containers *containers, const char *id)
{
	struct known *known;

	for (known = containers->known; known && strcmp(known->id, id) != 0;)
		known = known->next;
	if (known) {
		DL_DELETE(containers->known, known);
		DL_PREPEND(containers->known, known);
		return known;
	}
	known = calloc(1, sizeof(*known));
	if (!known)
		return NULL;
	known->id = strdup(id);
	if (!known->id) {
		free(known);
		return NULL;
	}
	if (containers->known && containers->cnt == KNOWN_MAX)
		forget(containers, containers->known->prev);
	DL_PREPEND(containers->known, known);
	containers->cnt++;
	return known;
}

static void learn(void *ctx, const char *id, const struct container_names *names)
{
	struct known *known = get(ctx, id);

	if (!known)
		return;
	if (!known->names.runtime)
		known->names.runtime = names->runtime;
	if (!known->names.image && names->image && *names->image)
		known->names.image = strdup(names->image);
	if (!known->names.name && names->name && *names->name)
		known->names.name = strdup(names->name);
}

static const struct known *look_up(struct containers *containers,
				   const struct container *container)
{
	struct known *known = get(containers, container->id);
	__u64 now = clock_ns();

	if (!known || known->names.name || now < known->next_ns)
		return known;
	known->rest_ns = known->rest_ns ? known->rest_ns * 2 : RETRY_MIN_NS;
	if (known->rest_ns > RETRY_MAX_NS)
		known->rest_ns = RETRY_MAX_NS;
	known->next_ns = now + known->rest_ns;
	container_files_one(container->id, learn, containers);
	if (!known->names.name && container->runtime && (!strcmp(container->runtime, "lxc") ||
						   !strcmp(container->runtime, "nspawn")))
		known->names.name = strdup(container->id);
	return known;
}

void containers__names(struct containers *containers, const struct container *container,
		       struct container_names *out)
{
	const struct known *known;

	*out = (struct container_names){};
	pthread_mutex_lock(&containers->lock);
	known = look_up(containers, container);
	if (known) {
		out->name = known->names.name ? strdup(known->names.name) : NULL;
		out->image = known->names.image ? strdup(known->names.image) : NULL;
		out->runtime = known->names.runtime;
	}
	pthread_mutex_unlock(&containers->lock);
	if (container->runtime)
		out->runtime = container->runtime;
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
		struct container_names names;
		bool is_it;

		if (wanted_sz >= CONTAINER_PREFIX_MIN && !strncmp(out->id, wanted, wanted_sz))
			return true;
		containers__names(containers, out, &names);
		is_it = names.name && is_name(names.name, wanted);
		container_names_clear(&names);
		if (is_it)
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
		fn(ctx, known->id, &known->names);
	pthread_mutex_unlock(&containers->lock);
}
