/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process has loaded, read by a process of ours that can be given up: memory may be a file
 * whose file system does not answer (FUSE), and the kernel cannot get a reader out of that.
 */
#ifndef TRACE_FOLLOW_APART_H
#define TRACE_FOLLOW_APART_H

#include "interpreters/process/inventory.h"

struct pythons;

/*
 * As inventory_read. What came before it was given up is sent, and marked as a part of all.
 * -ETIMEDOUT: it was given up, and counted. -EBUSY: so were too many before.
 */
int apart_read(struct pythons *pythons, const struct inventory_opts *opts,
	       unsigned int *given_up_cnt);

#endif
