/* SPDX-License-Identifier: BSD-2-Clause */
/* A model that forgets what has ended. Part of model.h, which includes it. */
#ifndef MODEL_FORGET_H
#define MODEL_FORGET_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct model;

/*
 * For a trace whose report comes from what the tap kept: whatever has ended is forgotten. Before
 * that on_end is told; the part of the model it gets knows the files of processes that ended
 * (model__each_mapped, model__each_large) and nothing else. Of the readers of model.h these go on
 * working: __progress, __wants_inventory, __stats, __host, __is_complete and, with is_watched,
 * __ended. Call before anything is given to the model; *opts is copied.
 */
struct model_lean {
	bool is_watched; /* model__ended will be asked */
	void (*on_end)(void *ctx, struct model *part);
	/*
	 * If not NULL, start-ups are told one by one, by model__fold: @part is finished and
	 * knows one of them, without names of files and import statements. Of images that replaced
	 * one another the last is the one without a `next`; what is_late was there before. With
	 * @is_tail it knows what a process has imported since it was told, and its ready_ns is not
	 * its startup_end_ns if it became ready only since.
	 */
	void (*on_fold)(void *ctx, struct model *part, bool is_tail);
	bool is_kept; /* on_fold may call model__write_kept */
	void *ctx;
};
int model__set_lean(struct model *model, const struct model_lean *opts);

/*
 * In on_fold, for a start-up (not a tail): all that was recorded of it, as a capture. 0 or -errno;
 * -ENODATA: nothing was kept.
 */
int model__write_kept(const struct model *part, __u64 end_ns, FILE *out);

/* What is in memory of processes that have not been forgotten. */
struct model_memory {
	size_t startup_cnt; /* images, or with on_fold start-ups: under way or just over */
	size_t tail_cnt;    /* of processes that run on after theirs */
	size_t kept_bytes;  /* for captures */
};
void model__memory(const struct model *model, struct model_memory *out);

/* A few times a second, with on_fold: tells the start-ups that are over by now. */
void model__fold(struct model *model, __u64 now_ns);

#endif
