/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that ran and were not examined, as that takes more than one file may take. */
#ifndef MODEL_UNEXAMINED_H
#define MODEL_UNEXAMINED_H

#include <linux/types.h>
#include <stddef.h>

struct model;

struct unexamined_info {
	const char *const *paths; /* of the first ones */
	size_t path_cnt;
	__u64 cnt;
};

/* 0 or -ENOMEM. The last call counts. Paths are copied. */
int model__set_unexamined(struct model *model, const struct unexamined_info *info);
const struct unexamined_info *model__unexamined(const struct model *model); /* zeros: none */

#endif
