/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counters of the kernel side, one per way to lose something and a few facts; read at the end. */
#ifndef PYIMPORT_STATS_H
#define PYIMPORT_STATS_H

#include "pyimport_event.h"

/* Every way to lose something, counted where it happens. */
struct pyi_stats {
	__u64 ring_full;        /* records that found no room in the ring buffer */
	__u64 thread_state;     /* hits without memory for the thread's state */
	__u64 proc_full;        /* processes not followed: map full */
	__u64 edges_full;       /* runs of statements not counted: map full */
	__u64 codes_full;       /* code objects without id: map full */
	__u64 depth_overflow;   /* spans deeper than PYI_MAX_DEPTH */
	__u64 names_truncated;  /* names cut */
	__u64 tables_truncated; /* line tables not sent whole: those lines are unknown */
	__u64 unreadable;       /* reads of target memory that failed */
	__u64 ends_unobserved;  /* spans closed without seeing their end */
	__u64 frames_cut;       /* of older releases: now PYI_F_TRUNC of the load's frames */
	__u64 no_thread;        /* no thread state found for a thread: line and frames unknown */
	__u64 charges_full;     /* causes not charged: map full, or no memory for an account */
	/* Not losses: facts a report shows. */
	__u64 hits;             /* probe hits in followed processes */
	__u64 bystander_hits;   /* probe hits in other processes */
	__u64 ends_unmatched;   /* ends of spans that began before we attached */
	/* Losses again. */
	__u64 files_full;       /* file operations not counted: map full */
	__u64 net_full;         /* connections not kept: map full */
	__u64 paths_full;       /* files not named: map full */
};

/* Every counter outside of these is a loss: a trace with one is not complete. */
#define PYI_STATS_FACTS (__builtin_offsetof(struct pyi_stats, hits) / sizeof(__u64))
#define PYI_STATS_FACTS_END (__builtin_offsetof(struct pyi_stats, files_full) / sizeof(__u64))

#endif
