/* SPDX-License-Identifier: BSD-2-Clause */
/* The interpreter files of one run: opened, probed, and later described to the model. */
#ifndef TRACE_FOLLOW_PYTHONS_H
#define TRACE_FOLLOW_PYTHONS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

struct interp;
struct model;
struct probes;
struct pythons;

/* @probes NULL: look only, attach nothing. */
int pythons__new(struct probes *probes, struct pythons **out);
void pythons__free(struct pythons *pythons);

/*
 * A discover_fn: @ctx is struct pythons. 0: probed (or merely found, without probes). -ENOENT,
 * -ENOEXEC: none. Others: an interpreter that cannot be probed, kept with its reasons, and part
 * of the report once a process (@tgid) was seen to use it.
 */
int pythons__add(void *ctx, int fd, const char *path, pid_t tgid);

/*
 * The probed interpreter behind a file, or NULL, and if asked for since when its probes are live.
 * Valid until pythons__free.
 */
const struct interp *pythons__find(struct pythons *pythons, int fd, __u64 *probed_ns);

/* fork() at a moment at which the child can look for them: no thread of ours adds one. */
pid_t pythons__fork(struct pythons *pythons);

size_t pythons__cnt(struct pythons *pythons);      /* those that can be probed */
size_t pythons__refused_cnt(struct pythons *pythons);

/* Valid until pythons__free; @index over both kinds, NULL behind the last. */
const struct interp *pythons__get(struct pythons *pythons, size_t index, bool *is_refused);

/* Versions, paths, layers and notes into the model; of those not probed, the ones that ran. */
int pythons__describe(struct pythons *pythons, struct model *model);

/* Logs why those that cannot be probed cannot. */
void pythons__log_refused(struct pythons *pythons);

/* What works of @layers in words, e.g. for doctor; "" bits are the missing ones. */
void pythons_print_layers(const struct interp *interp, FILE *out);

#endif
