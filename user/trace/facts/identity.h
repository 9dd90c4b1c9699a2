/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the processes of the stream belong: cgroup, systemd unit, container. By the cgroup their
 * exec record names, so that a process too short-lived for /proc has them as well.
 */
#ifndef TRACE_FACTS_IDENTITY_H
#define TRACE_FACTS_IDENTITY_H

#include <linux/types.h>
#include <stddef.h>
#include <sys/types.h>

struct pyi_hdr;
struct cgroups;
struct containers;
struct identity;
struct model;

/* @cgroups may be NULL (none mounted); both outlive the object. */
int identity__new(struct cgroups *cgroups, struct containers *containers, struct identity **out);
void identity__free(struct identity *identity);

/* A process followed by our wish: read at once, told to the model at the end too. */
void identity__follow(struct identity *identity, pid_t tgid, __u32 serial);

/* Looks at one raw record; cheap. */
void identity__note(struct identity *identity, const struct pyi_hdr *hdr);

/* Finds out about what was noted since the last call. */
void identity__read(struct identity *identity, struct model *model);

/* Before model__finish. */
void identity__finish(struct identity *identity, struct model *model);

#endif
