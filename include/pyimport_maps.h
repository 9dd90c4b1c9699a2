/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The values of BPF maps that user space reads or writes as well. */
#ifndef PYIMPORT_MAPS_H
#define PYIMPORT_MAPS_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* An import statement, of the map `edges`. */
struct edge_value {
	__u64 key; /* 0 = a free slot */
	__u32 id, count, loads, serial;
	__u64 first_ns;
	__u32 gen;  /* dict_gen() when it was found right last */
	__u32 name; /* what the name says, as str_sum() has it */
	__u32 around;       /* innermost open span at its first run, 0 = none */
	__u16 depth;        /* of that, plus 1; 0: not known yet */
	__u8 is_elsewhere;  /* it ran again when that one was over, or on another thread */
	__u8 pad;
};

enum proc_flag {
	PROC_SWITCHING = 1 << 0, /* a greenlet library is mapped */
	PROC_SEEN = 1 << 1,      /* PYI_EV_PYTHON was sent */
	PROC_CHECKED = 1 << 2,   /* the layout was put to the test */
};

/* Resident memory of a process, in pages. */
struct rss {
	__u64 anon, file; /* file: shared memory too */
	__u64 is_known;
	__u64 pad;
};

/* A followed process, of the map `procs`. */
struct proc {
	__u32 serial;
	__u32 flags;
	__u32 layout;
	__u32 checks;
	struct rss rss; /* when it was looked at last; memory.bpf.c */
};

#endif
