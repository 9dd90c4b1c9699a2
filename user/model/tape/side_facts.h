/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Side facts as JSON text and back: a capture file describes itself, and a reader of another
 * version takes the keys it knows. Private to user/model and its tests.
 */
#ifndef MODEL_TAPE_SIDE_FACTS_H
#define MODEL_TAPE_SIDE_FACTS_H

#include "model/model.h"

/* malloc'd JSON text, without NUL, its length in *size. NULL: out of memory. */
char *side_encode(enum model_fact fact, __u32 id, const void *info, size_t *size);

/*
 * Gives the fact in @text to the model. 0 also for a fact or key this version does not know;
 * -EBADMSG: no JSON object; -ENOMEM.
 */
int side_apply(struct model *model, const char *text, size_t size);

#endif
