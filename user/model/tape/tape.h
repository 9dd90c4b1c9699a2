/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a model is given, kept in a capture file, and given again from it: the same model in the
 * end, on any machine. Records go in as they are; side facts as JSON (side_facts.h).
 */
#ifndef MODEL_TAPE_TAPE_H
#define MODEL_TAPE_TAPE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>

struct model;
struct tape;

/* Keeps all that @model is given from now on in @out, which stays the caller's. */
int tape__new(FILE *out, struct model *model, struct tape **tape);
void tape__free(struct tape *tape); /* @model is given to nobody from here on */

/* Writes out what has come in. The first error of writing sticks: 0 or that errno, negative. */
int tape__flush(struct tape *tape);

/* Says that this is all. Without it a reader takes the file for cut. */
int tape__end(struct tape *tape, __u64 end_ns);

/*
 * Before anything is given to the model: keeps in memory what a file that is begun later needs of
 * earlier ones (carry.h). 0 or -ENOMEM.
 */
int tape__carry(struct tape *tape);

/*
 * With that: ends the file at @now_ns, and goes on in @out. Each can be read by itself. What a
 * load was charged is in the file where it ended, if all charges until then have been told. The
 * host and the interpreters are the caller's to tell again. On an error before the end of the
 * old file is written it goes on there.
 */
int tape__next_file(struct tape *tape, FILE *out, __u64 now_ns);

__u64 tape__bytes(const struct tape *tape); /* written so far to this file */
__u64 tape__bytes_all(const struct tape *tape); /* … and to earlier ones */
__u64 tape__record_cnt(const struct tape *tape); /* in all files */
__u64 tape__refused(const struct tape *tape); /* left out: too large, or no memory */

struct tape_result {
	__u64 record_cnt, bytes; /* read */
	bool is_cut;             /* it ends before the trace did */
	bool is_damaged;         /* the rest was not readable */
};

/*
 * Gives @model what is in @in and finishes it: also with what came before a cut or damage, which
 * then is no error but told in @result and by model__is_cut. Errors of capture_reader__new;
 * -EIO or what reading gave; -ENOMEM; -EFBIG: it unpacks to a hundred times its size, or takes
 * memory as no real one does. @result is set as far as it came.
 */
int tape_play(FILE *in, struct model *model, struct tape_result *result);

/* The same of a file that nobody else could write to: without these limits. */
int tape_play_ours(FILE *in, struct model *model, struct tape_result *result);

#endif
