/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the next file of a rotated capture needs of those before it, so that it can be read by
 * itself: of each image that lives its records of start, its interpreter and side facts, the spans
 * that are open, and, each once it is referred to, the code objects, statements, namespaces of
 * modules and paths that were told earlier. All of it is written with PYI_F_CARRIED. What an image
 * had goes when it has ended; paths stay, since the kernel side sends each once.
 */
#ifndef MODEL_TAPE_CARRY_H
#define MODEL_TAPE_CARRY_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "event/capture.h"
#include "model/model.h"

struct carry;
struct pyi_hdr;

typedef void (*carry_put_fn)(void *ctx, enum capture_frame_type type, const void *data,
			     size_t size);

/* @put writes a frame to the file that is open now. 0 or -ENOMEM. */
int carry__new(carry_put_fn put, void *ctx, struct carry **out);
void carry__free(struct carry *carry);

/*
 * A whole record is about to be written: what it refers to and this file has not goes before it.
 * False: it is not to be written, as something else was in its place.
 */
bool carry__record(struct carry *carry, const struct pyi_hdr *hdr);

/* The same for a side fact of an image; @text: as side_encode made it. */
void carry__fact(struct carry *carry, enum model_fact kind, __u32 serial, const void *info,
		 const char *text);

/* Another file has begun. */
void carry__next_file(struct carry *carry);

#endif
