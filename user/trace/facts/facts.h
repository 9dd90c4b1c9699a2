/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Side facts of the processes in the stream (exe, cwd, whole command line), read from
 * /proc while they live and given to the model; and who of the followed ones still lives.
 */
#ifndef TRACE_FACTS_FACTS_H
#define TRACE_FACTS_FACTS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct pyi_hdr;
struct facts;
struct model;
struct probes;

int facts__new(struct facts **out);
void facts__free(struct facts *facts);

/* A process followed from now on by our wish: read at once, told to the model at the end too. */
int facts__follow(struct facts *facts, pid_t tgid, __u32 serial);

/*
 * The process of a launched command, before its exec: what it starts as has our directory, known
 * even if it ends before anybody looks.
 */
void facts__launched(struct facts *facts, pid_t tgid);

/* Looks at one raw record; cheap. */
void facts__note(struct facts *facts, const struct pyi_hdr *hdr);

/* Reads /proc for what was noted since the last call. */
void facts__read(struct facts *facts, const struct probes *probes, struct model *model);

/* Before model__finish or another file: what was read early of followed processes. */
void facts__finish(struct facts *facts, struct model *model);

/* False when every process of facts__follow and every child of theirs has ended. */
bool facts__has_living(struct facts *facts);

#endif
