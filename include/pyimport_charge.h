/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an import is charged with, in the kernel, as it happens: one struct per span that was on
 * top of a thread when something was to be charged, and one per process for all that happened
 * outside imports. Counters are exclusive (what imports inside cost is theirs) and only grow, so
 * that parts of the same span's charge can be added in any order.
 */
#ifndef PYIMPORT_CHARGE_H
#define PYIMPORT_CHARGE_H

#include "pyimport_event.h"

/* Groups of counters; each can be missing (switched off, or no tracepoint): then it is unknown. */
enum pyi_group {
	PYI_GROUP_CPU = 1 << 0,    /* cpu_ns, wait_ns[] */
	PYI_GROUP_FILES = 1 << 1,  /* opens … mapped */
	PYI_GROUP_DISK = 1 << 2,   /* bytes_from_disk */
	PYI_GROUP_MEMORY = 1 << 3, /* rss_anon, rss_file */
	PYI_GROUP_NET = 1 << 4,
	PYI_GROUP_PHASES = 1 << 8, /* listen, ready, accept: pyimport_phase.h */
	PYI_GROUP_WAKE = 1 << 5,   /* wait_ns[RUNQUEUE] includes the time between wake-up and CPU */
	/* Runs of import statements that find their module loaded. In struct pyi_charged it says
	 * that they are *not* recorded: older captures have them all, and no such bit. */
	PYI_GROUP_STATEMENTS = 1 << 9,
};

enum pyi_wait {
	PYI_WAIT_DISK = 0, /* a block device or file system */
	PYI_WAIT_LOCK,     /* futex, file lock */
	PYI_WAIT_RUNQUEUE, /* runnable, but no CPU: busy neighbours, quota */
	PYI_WAIT_NETWORK,
	PYI_WAIT_SLEEP,
	PYI_WAIT_CHILD,    /* a child process, or the other end of a pipe */
	PYI_WAIT_OTHER,
	PYI_WAIT_CNT,
};

/*
 * Captures hold it as it is: the offsets below are for ever, and a new field comes last. So a new
 * kind of wait is a field of its own at the end, not one more wait_ns[].
 */
struct pyi_charge {
	__u64 cpu_ns; /* of the time slices that ended with this span on top; exact in sum only */
	__u64 wait_ns[PYI_WAIT_CNT];
	__u64 opens, open_misses;  /* open, openat, openat2; failed */
	__u64 stats, stat_misses;  /* stat family, access, readlink; failed */
	__u64 dirs_read;           /* getdents */
	__u64 search_ns;           /* inside all of these */
	__u64 bytes_read;          /* read, pread, readv … of files */
	__u64 bytes_written;
	__u64 mapped;              /* bytes of files mapped */
	__u64 bytes_from_disk;
	__u64 rss_anon, rss_file;  /* change in bytes: two's complement, may be negative */
	/* Not sums: the largest counts. */
	__u64 rss_peak;            /* resident bytes of the process, at the most that was seen */
	__u64 last_io_ns;          /* when the last call on a file returned; 0 = none */
	__u64 flags;               /* enum pyi_charge_flag; any counts */
};
/* Sums are the fields before the first of these, and those from the second on. */
#define PYI_CHARGE_SUMS (__builtin_offsetof(struct pyi_charge, rss_peak) / sizeof(__u64))
#define PYI_CHARGE_MORE_SUMS (__builtin_offsetof(struct pyi_charge, flags) / sizeof(__u64) + 1)

enum pyi_charge_flag {
	PYI_CHARGE_PYC_MISSING = 1 << 0,    /* a .pyc was not there */
	PYI_CHARGE_PYC_READ = 1 << 1,       /* a .pyc was read */
	PYI_CHARGE_PYC_WRITTEN = 1 << 2,    /* a .pyc was opened for writing */
	PYI_CHARGE_PYC_UNWRITABLE = 1 << 3, /* … or could not be, or its directory not made */
};

/* `span` of a charge outside imports. */
#define PYI_OUTSIDE_MAIN 0u       /* by the process's first thread */
#define PYI_OUTSIDE_OTHERS (~0u)  /* by its other threads */

/* Key of the map `charges`. */
struct pyi_charge_key {
	__u32 span;   /* pyi_begin.id or one of the above */
	__u32 proc;   /* pyi_hdr.proc: a forked child has its parent's span ids */
	__u32 parity; /* charges of one parity are read while the other's are made */
	__u32 below;  /* span below it, 0 = none: for a span nobody knows any more */
};

/* PYI_EV_CHARGE: made by user space from the map; several per span are added up. */
struct pyi_charge_record {
	struct pyi_hdr hdr;
	__u32 span, below;
	struct pyi_charge charge;
};

/* PYI_EV_CHARGED: all charges of spans that ended before hdr.ts_ns have been sent. */
struct pyi_charged {
	struct pyi_hdr hdr;
	__u32 groups; /* enum pyi_group: what is being measured; see there for statements */
	__u32 pad;
};

_Static_assert(sizeof(struct pyi_charge_key) == 16, "pyi_charge_key");
_Static_assert(PYI_WAIT_CNT == 7, "pyi_charge.wait_ns");
#define PYI_CHARGE_AT(field, at) \
	_Static_assert(__builtin_offsetof(struct pyi_charge, field) == (at), "pyi_charge." #field)
PYI_CHARGE_AT(cpu_ns, 0);
PYI_CHARGE_AT(wait_ns, 8);
PYI_CHARGE_AT(opens, 64);
PYI_CHARGE_AT(open_misses, 72);
PYI_CHARGE_AT(stats, 80);
PYI_CHARGE_AT(stat_misses, 88);
PYI_CHARGE_AT(dirs_read, 96);
PYI_CHARGE_AT(search_ns, 104);
PYI_CHARGE_AT(bytes_read, 112);
PYI_CHARGE_AT(bytes_written, 120);
PYI_CHARGE_AT(mapped, 128);
PYI_CHARGE_AT(bytes_from_disk, 136);
PYI_CHARGE_AT(rss_anon, 144);
PYI_CHARGE_AT(rss_file, 152);
PYI_CHARGE_AT(rss_peak, 160);
PYI_CHARGE_AT(last_io_ns, 168);
PYI_CHARGE_AT(flags, 176);
#undef PYI_CHARGE_AT
_Static_assert(sizeof(struct pyi_charge_record) == 32 + 8 + 184, "pyi_charge_record");

#endif
