/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to user/model/lean. */
#ifndef MODEL_LEAN_LEAN_H
#define MODEL_LEAN_LEAN_H

#include <utlist.h>

#include "model/state.h"

#define LINGER_NS 5000000000ULL /* what the kernel counts is fetched within a second or two */

struct part {
	struct model *model;
	struct member *members;
	__u32 living_cnt;
	__u64 ended_ns;
	struct part *next; /* of those that ended */
	struct part *prev_part, *next_part; /* of all */
	/* Where start-ups are folded. */
	bool is_tail;         /* its start-up is over and told: what it imports from now on */
	__u64 looked_ns;      /* when it was last looked whether that is so */
	__u64 over_ns;        /* since when it has been so; 0 = not */
};

struct member {
	__u32 serial, tgid;
	bool is_ended, is_python;
	struct part *part;
	struct member *next;
	UT_hash_handle hh, hh_tgid;
};

struct lean {
	struct model_lean opts;
	struct member *by_serial, *by_tgid; /* by_tgid: those that live */
	struct part *parts, *ended, **ended_end, *last;
	size_t python_cnt, load_cnt;
	size_t kept_bytes; /* of all parts: startup_records.c */
};

struct model *part_model_new(struct model *whole); /* NULL: no memory */

/* What is known of the process of @member goes into @to, as one that ran before. 0 or -ENOMEM. */
int fold_carry(const struct member *member, struct model *to);
/* Tells those whose start-up is over. */
void fold_living(struct model *model, __u64 now_ns);
/* All that @part is given from now on is kept; without memory for that, nothing is. */
void kept_begin(struct lean *lean, struct model *part);
void kept_end(struct model *part); /* before it is freed */
/* All of it has ended, and is told. */
void fold_ended(struct model *model, struct part *part);

#endif
