/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --cgroup and --container: which cgroups are followed, from before they exist until they are
 * gone. A container that starts again gets a new cgroup; it is recognised when something execs
 * in it, and by name or id when its cgroup is made.
 */
#ifndef TRACE_FOLLOW_SCOPE_H
#define TRACE_FOLLOW_SCOPE_H

#include <stdbool.h>
#include <sys/types.h>
#include "interpreters/process/proc.h"

struct cgroups;
struct containers;
struct opts;
struct probes;
struct scope;

/*
 * Finds what the options name, before any probe. *cgroups is made along with it: the hierarchy
 * that it is in. 0 also when it is still to come (--wait); -errno after a logged message.
 */
int scope__new(const struct opts *opts, struct containers *containers, struct cgroups **cgroups,
	       struct scope **out);
void scope__free(struct scope *scope);

/* From here on the kernel follows what execs inside. */
int scope__start(struct scope *scope, struct probes *probes);

/* Does this process, about to exec, belong to it? Safe on the hold thread. */
bool scope__covers(struct scope *scope, pid_t tgid);

/* A process runs inside that nothing has looked at yet: scope__look will hand it out. */
void scope__joined(struct scope *scope, pid_t tgid);

/*
 * Number of the container or cgroup a process runs in, for until__note_service, and in *around that
 * of the one the options name: its index there. @cgroup: as its record has it; 0 = look.
 * SERVICE_NONE: in none.
 */
unsigned int scope__service(struct scope *scope, pid_t tgid, __u64 cgroup, unsigned int *around);

/* A cgroup was made. */
void scope__made(struct scope *scope, const char *path);

/*
 * To be called every now and then: @fn gets each process of a cgroup that was found since the
 * last call, and those of scope__joined. False when all that was ever found is gone; of a
 * container, when nothing runs in it.
 */
bool scope__look(struct scope *scope, proc_fn fn, void *ctx);

#endif
