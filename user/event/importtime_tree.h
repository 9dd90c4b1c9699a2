/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines in the order of their ends, made into records in the order of their begins. */
#ifndef EVENT_IMPORTTIME_TREE_H
#define EVENT_IMPORTTIME_TREE_H

#include "event/importtime.h"
#include "event/importtime_line.h"

struct tree_node;

/* Starts as {.fn, .ctx}. */
struct tree {
	importtime_fn fn;
	void *ctx;
	__u32 serial, tgid, tid;  /* of what is sent */
	__u32 last_id;
	__u64 now_ns;             /* where the next root begins */
	struct tree_node *nodes;  /* of the block, in order of their lines */
	size_t node_cnt, node_cap;
	__u32 *open;              /* nodes whose parent's line has not come yet */
	size_t open_cnt, open_cap;
	char *names;
	size_t names_sz, names_cap;
};

void tree__free(struct tree *tree);

/* Each returns 0, -ENOMEM or what the caller's function returned. */
int tree__begin_process(struct tree *tree, __u32 serial, __u32 tgid, __u32 tid);
int tree__add(struct tree *tree, const struct importtime_line *line);
int tree__cached(struct tree *tree, const char *name);

/* Sends all that was added; *orphans grows by roots whose level says that they are none. */
int tree__flush(struct tree *tree, __u64 *orphans);

#endif
