/* SPDX-License-Identifier: BSD-2-Clause */
/* Every way in which something can be lost, with a name that is part of all formats. */
#ifndef REPORT_HEAD_LOSS_H
#define REPORT_HEAD_LOSS_H

#include <linux/types.h>
#include <stddef.h>

struct model;

struct loss_counter {
	const char *name;
	size_t off;           /* in struct pyi_stats; SIZE_MAX = asked by function */
	__u64 (*get)(const struct model *model);
	const char *one, *many; /* what goes behind the number */
};
extern const struct loss_counter loss_counters[]; /* ends with name NULL */
__u64 loss_value(const struct model *model, const struct loss_counter *counter);

#endif
