/* SPDX-License-Identifier: BSD-2-Clause */
/* What starts, held until its interpreter is probed. Part of model.h, which includes it. */
#ifndef MODEL_HOLD_H
#define MODEL_HOLD_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct model;

/* A start that had to wait until its interpreter was probed. */
struct hold_info {
	__u32 tgid;
	const char *path;  /* of the file that was exec'ed or mapped */
	bool is_exec;      /* else a library, mapped by a running program */
	__u64 start_ns;    /* 0 = unknown: an old capture */
	__u64 wall_ns;
};

/* All that was held, whatever it was. */
struct held_info {
	__u64 cnt, total_ns;
	__u64 exec_max_ns; /* from when it may have begun to wait, also for another one's file */
	__u64 stop_max_ns; /* of a thread that had mapped a library */
	__u64 refused_cnt; /* execs refused by the kernel, which could not open their file for us */
};

int model__add_hold(struct model *model, const struct hold_info *info); /* copied */
void model__set_held(struct model *model, const struct held_info *info);
const struct hold_info *model__hold(const struct model *model, size_t index); /* NULL: end */
const struct held_info *model__held(const struct model *model); /* NULL: not told */

#endif
