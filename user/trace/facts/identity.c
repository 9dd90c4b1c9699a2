// SPDX-License-Identifier: BSD-2-Clause
/* See identity.h. */
#include "trace/facts/identity.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "model/model.h"
#include "pyimport_event.h"
#include "pyimport_scope.h"
#include "interpreters/containers/cgroup.h"
#include "interpreters/containers/container.h"
#include "interpreters/process/proc.h"
#include "trace/facts/recent_images.h"

#define NOTED_MAX 16384      /* in the 20 ms between two looks; more are left without */

struct noted {
	__u32 serial;
	pid_t tgid;
	__u64 cgroup; /* 0 = not in the record */
};

/* What was found, owned. */
struct found {
	__u32 serial;
	char *cgroup;
	char unit[CGROUP_UNIT_SZ];
	bool is_container;
	struct container container;
	struct container_names names;
	pid_t ppid;
	__u32 nspid;
};

struct identity {
	struct cgroups *cgroups;
	struct containers *containers;
	struct noted *noted;
	size_t noted_cnt, noted_cap;
	struct found *followed;
	size_t followed_cnt;
	struct recent known; /* an exec record came */
};

int identity__new(struct cgroups *cgroups, struct containers *containers, struct identity **out)
{
	struct identity *identity = calloc(1, sizeof(*identity));

	if (!identity)
		return -ENOMEM;
	identity->cgroups = cgroups;
	identity->containers = containers;
	*out = identity;
	return 0;
}

static void clear(struct found *found)
{
	free(found->cgroup);
	container_names_clear(&found->names);
}

void identity__free(struct identity *identity)
{
	if (!identity)
		return;
	for (size_t i = 0; i < identity->followed_cnt; i++)
		clear(&identity->followed[i]);
	free(identity->followed);
	free(identity->noted);
	free(identity);
}

static void note(struct identity *identity, const struct pyi_hdr *hdr, __u64 cgroup)
{
	struct noted *bigger;
	size_t cap = identity->noted_cap;

	if (recent_has(&identity->known, hdr->proc))
		return;
	recent_add(&identity->known, hdr->proc);
	if (identity->noted_cnt == cap) {
		if (cap >= NOTED_MAX)
			return;
		cap = cap ? cap * 2 : 64;
		bigger = reallocarray(identity->noted, cap, sizeof(*bigger));
		if (!bigger)
			return;
		identity->noted = bigger;
		identity->noted_cap = cap;
	}
	identity->noted[identity->noted_cnt++] = (struct noted){ hdr->proc, (pid_t)hdr->tgid,
								 cgroup };
}

void identity__note(struct identity *identity, const struct pyi_hdr *hdr)
{
	if (hdr->kind == PYI_EV_EXEC) {
		note(identity, hdr, ((const struct pyi_exec *)hdr)->cgroup);
	} else if (hdr->kind == PYI_EV_PYTHON) {
		note(identity, hdr, 0);
	} else if (hdr->kind == PYI_EV_CGROUP) {
		const struct pyi_cgroup *made = (const void *)hdr;

		if (identity->cgroups && made->path_sz && !made->path[made->path_sz - 1])
			cgroups__note(identity->cgroups, made->id, made->path);
	}
}

/* The last number of NSpid is what the process calls itself. */
static __u32 read_nspid(int proc_fd)
{
	_cleanup_free_ char *text = NULL;
	const char *line, *end;
	size_t sz;

	if (proc_read(proc_fd, "status", 16384, &text, &sz))
		return 0;
	line = strstr(text, "\nNSpid:");
	if (!line)
		return 0;
	end = strchrnul(line + 1, '\n');
	while (end > line && end[-1] >= '0' && end[-1] <= '9')
		end--;
	return strtoul(end, NULL, 10);
}

/* A line that names a container tells most; then the hierarchy's own; then the longest. */
static void read_cgroup(int proc_fd, const struct cgroups *cgroups, struct found *found)
{
	_cleanup_free_ char *text = NULL;
	size_t sz;

	if (proc_read(proc_fd, "cgroup", 65536, &text, &sz))
		return;
	if (!container_find_line(text, &found->container, &found->cgroup))
		return;
	if (cgroups && !cgroup_parse(text, cgroups__root(cgroups), &found->cgroup) &&
	    !strcmp(found->cgroup, "/")) {
		free(found->cgroup);
		found->cgroup = NULL;
	}
	if (!found->cgroup)
		proc_parse_cgroup(text, &found->cgroup);
}

static void look(struct identity *identity, pid_t tgid, __u64 cgroup, struct found *found)
{
	_cleanup_close_ int proc_fd = -1;
	const char *path = NULL;

	if (identity->cgroups && cgroup)
		path = cgroups__path(identity->cgroups, cgroup);
	if (path && strcmp(path, "/"))
		found->cgroup = strdup(path);
	if (!found->cgroup || !cgroup)
		proc_fd = proc_open(tgid);
	if (!found->cgroup && proc_fd >= 0)
		read_cgroup(proc_fd, identity->cgroups, found);
	if (!found->cgroup && path)
		found->cgroup = strdup(path);
	if (proc_fd >= 0 && !cgroup) {
		found->nspid = read_nspid(proc_fd);
		proc_parent(proc_fd, &found->ppid, NULL);
	}
	if (!found->cgroup)
		return;
	cgroup_unit(found->cgroup, found->unit);
	found->is_container = container_parse(found->cgroup, &found->container);
	if (found->is_container)
		containers__names(identity->containers, &found->container, &found->names);
}

static void tell(struct model *model, const struct found *found)
{
	struct process_info told = {
		.cgroup = found->cgroup, .unit = found->unit[0] ? found->unit : NULL,
		.nspid = found->nspid, .ppid = found->ppid,
	};

	if (found->is_container)
		told.container = (struct container_info){ .id = found->container.id,
							  .name = found->names.name,
							  .image = found->names.image,
							  .runtime = found->names.runtime };
	if (model__set_process_info(model, found->serial, &told))
		log_debug("identity of process image %u: out of memory", found->serial);
}

void identity__read(struct identity *identity, struct model *model)
{
	for (size_t i = 0; i < identity->noted_cnt; i++) {
		const struct noted *noted = &identity->noted[i];
		struct found found = { .serial = noted->serial };

		look(identity, noted->tgid, noted->cgroup, &found);
		tell(model, &found);
		clear(&found);
	}
	identity->noted_cnt = 0;
}

void identity__follow(struct identity *identity, pid_t tgid, __u32 serial)
{
	struct found *bigger = reallocarray(identity->followed, identity->followed_cnt + 1,
					    sizeof(*bigger));
	struct found *found;

	if (!bigger)
		return;
	identity->followed = bigger;
	found = &bigger[identity->followed_cnt++];
	*found = (struct found){ .serial = serial };
	look(identity, tgid, 0, found);
	recent_add(&identity->known, serial);
}

void identity__finish(struct identity *identity, struct model *model)
{
	for (size_t i = 0; i < identity->followed_cnt; i++)
		tell(model, &identity->followed[i]);
}
