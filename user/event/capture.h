/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capture files: a header, then compressed blocks of frames, the last frame saying that nothing is
 * missing. Frames are opaque here: raw records of whatever kind, facts as JSON text. The format is
 * described in docs/capture.md. Reading trusts nothing; both sides work on pipes.
 */
#ifndef EVENT_CAPTURE_H
#define EVENT_CAPTURE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CAPTURE_VERSION 2
#define CAPTURE_FRAME_MAX (16u << 20) /* bytes of one frame */

enum capture_frame_type {
	CAPTURE_RECORD = 1, /* one raw record: struct pyi_hdr and what follows */
	CAPTURE_FACT = 2,   /* JSON text: see model/tape.h */
	CAPTURE_END = 3,    /* struct capture_end: written last, so its absence tells of a cut */
};

struct capture_end {
	__u64 end_ns;       /* CLOCK_MONOTONIC */
	__u64 record_cnt;
};

struct capture_writer;

/* Writes the header. @out stays the caller's and must outlive the writer. -ENOMEM or of writing. */
int capture_writer__new(FILE *out, struct capture_writer **writer);
void capture_writer__free(struct capture_writer *writer);

/*
 * Appends a frame; it reaches @out with its block, when that is full or by a flush. The first
 * error of writing sticks and is returned from then on. -E2BIG: more than CAPTURE_FRAME_MAX, left
 * out.
 */
int capture_writer__put(struct capture_writer *writer, enum capture_frame_type type,
			const void *data, size_t size);
int capture_writer__flush(struct capture_writer *writer);
__u64 capture_writer__bytes(const struct capture_writer *writer); /* written to @out so far */

struct capture_frame {
	unsigned int type; /* types unknown to this version are to be skipped */
	const void *data;  /* aligned to 8; valid until the next call */
	size_t size;
};

struct capture_reader;

/* @in stays the caller's. -EINVAL: no capture; -EPROTONOSUPPORT: a newer one; -EIO; -ENOMEM. */
int capture_reader__new(FILE *in, struct capture_reader **reader);
void capture_reader__free(struct capture_reader *reader);

/*
 * The next frame. 1: *frame is set; 0: the end, see is_cut; -EBADMSG: damaged from here on;
 * -EFBIG: it unpacks to a hundred times its size; -ENOMEM; or the errno of reading.
 * Records are as long as this build expects (event_refit).
 */
int capture_reader__next(struct capture_reader *reader, struct capture_frame *frame);
/* We wrote it ourselves: never -EFBIG. */
void capture_reader__trust(struct capture_reader *reader);
bool capture_reader__is_cut(const struct capture_reader *reader); /* the end frame is missing */
__u64 capture_reader__bytes(const struct capture_reader *reader); /* read so far */

#endif
