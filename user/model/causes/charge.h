/* SPDX-License-Identifier: BSD-2-Clause */
/* Charges: from spans to loads, from exclusive to inclusive. */
#ifndef MODEL_CAUSES_CHARGE_H
#define MODEL_CAUSES_CHARGE_H

#include "model/state.h"

/* A span has begun: what is charged to it goes to its load. */
int charge_open(struct model *model, const struct span *span);
/* @span is no load after all: what @from was charged goes to what is around it. */
int charge_move(struct model *model, const struct span *span, struct load_state *from);
/* The span has ended; its last charges are still to come. */
void charge_close(struct model *model, const struct span *span);
/* A load that turned out to be none: its charge goes to whoever it is part of. */
int charge_drop(struct model *model, const struct load_state *state);
void charge_add(struct pyi_charge *to, const struct pyi_charge *from);
/* To the load, or to @outside of its process if there is none. */
int charge_put(struct model *model, struct load *load, struct pyi_charge *outside,
	       const struct pyi_charge *more);
int charge_apply(struct model *model, const struct pyi_charge_record *rec);
__u32 charge_measured(const struct pyi_charged *rec); /* as in struct process */
void charge_settled(struct model *model, const struct pyi_charged *rec);
int charge_finish(struct model *model, struct process *process);

/* Own work: charges up to @at_ns have been applied; start-up and charges are settled. */
void charge_note_own(struct model *model, __u64 at_ns);
void charge_finish_own(const struct model *model, struct process_state *state);

extern const struct pyi_charge charge_none; /* of a load that was charged nothing */
struct account *account_find(struct model *model, __u32 serial, __u32 span);

#endif
