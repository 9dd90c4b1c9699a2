/* SPDX-License-Identifier: BSD-2-Clause */
/* -o FILE: the capture that a trace leaves behind, written as it goes. */
#ifndef TRACE_RECORDING_H
#define TRACE_RECORDING_H

#include <linux/types.h>
#include <stdbool.h>

#include "trace/output.h"
#include "trace/rotation/files.h"

struct model;
struct opts;

/* Starts as {0}, and stays so without -o: every call below then does nothing. */
struct recording {
	struct output output;
	struct rotation rotation; /* not on: all goes into one file */
	__u64 rotate_bytes, rotate_ns; /* what a file may have, and how long it goes on; 0 = any */
	__u64 begun_ns, retry_ns; /* this file; not to be rotated before */
	bool is_as_measured; /* for the model that is made of it */
	struct tape *tape;
	__u64 flushed_ns;
	int err;            /* of writing; logged when it happened */
};

/* Opens the file before anything is traced, without touching what is in it. Logs what fails. */
int recording__open(struct recording *recording, const struct opts *opts);

/*
 * What is recorded can be read again when the trace is over; without -o it goes to a file without
 * a name. False: it cannot, as there is no place for such a file, or -o is a pipe.
 */
bool recording__spill(struct recording *recording);

/* A model of all that was recorded. After recording__finish. 0 or -errno, logged. */
int recording__replay(struct recording *recording, struct model **model);

/* Empties the file; all that @model is given from now on goes into it. */
int recording__start(struct recording *recording, struct model *model);

/* Writes what came in, at most once a second. An error is logged, and ends the recording only. */
void recording__tick(struct recording *recording, __u64 now_ns);

/* With --rotate: is this file as large or old as it may get? */
bool recording__is_due(struct recording *recording, __u64 now_ns);

/*
 * Ends this file and goes on in another. What is told between this and recording__placed, which
 * writes it out and removes old files, stands at its begin. 0 or -errno, logged: without room for
 * another file it goes on in this one.
 */
int recording__rotate(struct recording *recording, __u64 now_ns);
void recording__placed(struct recording *recording);

/* The trace is over: writes the rest, and says what it wrote if @is_told. 0 or -errno, logged. */
int recording__finish(struct recording *recording, __u64 end_ns, bool is_told);

void recording__close(struct recording *recording);

#endif
