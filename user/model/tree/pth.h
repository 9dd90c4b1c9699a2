/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of .pth files. `site` runs them as text, so that all of them stand in line 1 of "<string>";
 * which file it was reading tells them apart.
 */
#ifndef MODEL_TREE_PTH_H
#define MODEL_TREE_PTH_H

#include "model/state.h"

struct pth {
	const struct file **files; /* .pth files, by when they were read */
	size_t cnt;
};

/* The files of the process must be known. 0 or -ENOMEM. */
int pth_find(const struct process *process, struct pth *pth);
void pth_free(struct pth *pth);

/* What ran at @at_ns: names the file, of which no line is known then. Others are left alone. */
void pth_name(const struct pth *pth, struct site *site, __u64 at_ns);

#endif
