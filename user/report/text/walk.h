/* SPDX-License-Identifier: BSD-2-Clause */
/* A load's tree without recursion: trees are as deep as the target likes. */
#ifndef REPORT_TEXT_WALK_H
#define REPORT_TEXT_WALK_H

#include "model/model.h"

struct walk {
	struct walk_step {
		struct load *load;
		size_t next; /* child to visit next */
	} *steps;
	size_t cnt, cap;
	size_t depth;        /* of the load returned last; a root has 0 */
	int err;
};
void walk__free(struct walk *walk);
void walk__start(struct walk *walk, struct load *root);
struct load *walk__pre(struct walk *walk);  /* parents first; NULL at the end or on err */
struct load *walk__post(struct walk *walk); /* children first */

/* Roots of @process by thread, the main thread first. malloc'd, root_cnt entries. */
int walk_roots(const struct process *process, struct load ***out);

/* Processes in tree order: parents, then their children, by start. malloc'd. */
int walk_processes(const struct model *model, struct process ***out, size_t *cnt);
bool process_is_shown(const struct process *process); /* others ran no Python */

#endif
