/* SPDX-License-Identifier: BSD-2-Clause */
/* Text of records and facts into the arena, as UTF-8, each text once. */
#ifndef MODEL_STATE_TEXT_H
#define MODEL_STATE_TEXT_H

#include "model/state.h"

/* A record whose id cannot be one of ours counts as malformed, and is no error. */
int id_add(struct model *model, struct idmap *map, __u32 id, void *item);
/* Text of a str object. */
int model_text(struct model *model, const struct pyi_str *str, const char *text,
	       const char **out); /* NULL for an empty one */
/* A C string of at most @max_sz bytes, in whatever encoding. NULL: no memory. */
const char *model_bytes(struct model *model, const char *text, size_t max_sz);
const char *model_keep(struct model *model, const char *text); /* NULL stays NULL */

#endif
