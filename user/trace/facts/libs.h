/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks into the shared objects that were mapped, and tells the model what they need. */
#ifndef TRACE_FACTS_LIBS_H
#define TRACE_FACTS_LIBS_H

struct ended_files;
struct model;
struct process;

/*
 * After the last record, before model__finish, or with @ended after it. Files that cannot be read
 * stay unknown. -ENOMEM.
 */
int libs_describe(struct model *model, struct ended_files *ended);

/* A file of a target below its own root while it lives, else below ours. -1: not to be had. */
int libs_open(const struct process *process, const char *path);

#endif
