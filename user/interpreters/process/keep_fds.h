/* SPDX-License-Identifier: BSD-2-Clause */
/* Closes all descriptors but some. Allocates nothing. */
#ifndef INTERPRETERS_PROCESS_KEEP_FDS_H
#define INTERPRETERS_PROCESS_KEEP_FDS_H

/* @fds is sorted on the way. */
void keep_fds(int *fds, int cnt);

#endif
