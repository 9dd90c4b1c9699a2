/* SPDX-License-Identifier: BSD-2-Clause */
/* Process images by serial and by pid, and their threads. */
#ifndef MODEL_STATE_PROCESS_TABLE_H
#define MODEL_STATE_PROCESS_TABLE_H

#include "model/state.h"

/* Made, as one that ran before us, if the record is the first of it. NULL: no memory. */
struct process_state *process_get(struct model *model, const struct pyi_hdr *hdr);
struct process_state *process_find(struct model *model, __u32 serial);
struct thread_state *thread_get(struct model *model, struct process_state *process, __u32 tid);
/* The one that has this pid now, or NULL. */
struct process_state *process_living(struct model *model, __u32 tgid);
/* A new image; NULL: no memory. It is the one that lives under @tgid from now on. */
struct process_state *process_add(struct model *model, __u32 serial, __u32 tgid,
				  __u64 start_ns);
void process_forget(struct model *model, struct process_state *state); /* its pid is free */

#endif
