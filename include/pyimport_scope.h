/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between kernel and user space about cgroups: their names, and who came into one that
 * is followed.
 */
#ifndef PYIMPORT_SCOPE_H
#define PYIMPORT_SCOPE_H

#include "pyimport_event.h"

#define PYI_CGROUP_SZ 512   /* path of a cgroup */
#define PYI_SCOPES_MAX 1024 /* cgroups that are followed at once */

/* Names the cgroup that later records give by its id: it may be gone when they are read. */
struct pyi_cgroup {
	struct pyi_hdr hdr;
	__u64 id;
	__u32 path_sz; /* with NUL; 0 = unreadable */
	__u32 pad;
	char path[PYI_CGROUP_SZ]; /* below the root of its hierarchy */
};

#endif
