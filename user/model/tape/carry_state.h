/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to carry*.c. */
#ifndef MODEL_TAPE_CARRY_STATE_H
#define MODEL_TAPE_CARRY_STATE_H

#include "base/keymap.h"
#include "model/tape/carry.h"
#include "model/tape/packed_frames.h"
#include "pyimport_event.h"

/* Something told once and referred to by its id from then on. */
enum def_kind { DEF_CODE, DEF_EDGE, DEF_NAMESPACE, DEF_PATH, DEF_KINDS };

struct def {
	__u64 key;
	enum def_kind kind;
	__u32 file;         /* the last one that has it */
	__u32 count, loads; /* of a statement: what was told of it so far */
	struct def *next;   /* of the image */
	struct packed_frames frames;
};

/* A span that has begun, with what was seen inside that is no load of its own. */
struct open {
	__u32 id, parent, tid;
	__u8 span;          /* enum pyi_span */
	bool is_switching;
	struct open *prev, *next; /* of the image, in order of begin */
	struct packed_frames frames;
};

struct fact {
	struct fact *next;
	char *key;          /* one of the same key takes its place; NULL: only an equal one */
	bool is_own;        /* a forked child has others */
	char text[];
};

struct image {
	__u32 serial, tgid;
	struct image *prev, *next; /* in order of appearance: parents come first */
	struct packed_frames exec, python;
	struct fact *facts;
	struct open *opens;
	struct def *defs;
};

struct carry {
	carry_put_fn put;
	void *ctx;
	__u32 file;          /* number of the one that is open, from 1 */
	__u32 first_serial;  /* images from this on were met in this file */
	__u32 last_serial;
	struct keymap images, by_tgid;   /* struct image; those that live */
	struct keymap defs[DEF_KINDS];   /* struct def */
	struct keymap opens;             /* struct open by image and id */
	struct image *list;
	struct def *left;    /* statements whose image has ended, until the file does */
	struct def *shared;  /* of no image: paths */
	struct packed_frames charged; /* what is measured */
	struct unpacked_frame frame; /* for writing */
};

/* ---- carry_defs.c */

/* Writes all of @frames, as of an earlier file. */
void carry_put_frames(struct carry *carry, const struct packed_frames *frames);

void defs_add(struct carry *carry, struct image *image, enum def_kind kind, __u64 key,
	      const struct pyi_hdr *hdr);
void defs_extend(struct carry *carry, enum def_kind kind, __u64 key, const struct pyi_hdr *hdr);
/* Writes what the record refers to, unless this file has it. */
void defs_need(struct carry *carry, const struct pyi_hdr *hdr);
/*
 * The body of a module begins: its namespace, if that was known before, goes into the file. It is
 * returned then, malloc'd, since it tells a module's body from what an exec() runs.
 */
struct pyi_namespace *defs_namespace(struct carry *carry, struct image *image,
				     const struct pyi_begin *begin);
/* What a statement's counts have grown by in this file. False: not to be written as it is. */
bool defs_count(struct carry *carry, const struct pyi_edge_count *rec);
void defs_end(struct carry *carry, struct image *image);
void defs_next_file(struct carry *carry);
void defs_free(struct carry *carry);

/* ---- carry_spans.c */

/* @before: to be told before it; NULL = nothing */
void spans_begin(struct carry *carry, struct image *image, const struct pyi_begin *rec,
		 const struct pyi_hdr *before);
void spans_end(struct carry *carry, struct image *image, const struct pyi_end *rec);
/* Something inside it that the span's load is told by. */
void spans_note(struct carry *carry, const struct image *image, __u32 id,
		const struct pyi_hdr *hdr);
void spans_end_thread(struct carry *carry, struct image *image, __u32 tid); /* 0: all */
/* The child of a fork returns through what is open on the thread that forked. */
void spans_fork(struct carry *carry, const struct image *parent, __u32 tid, struct image *child);

#endif
