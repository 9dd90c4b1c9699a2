/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a start-up is, and what it is made of. Part of model.h, which includes it.
 *
 * A start-up begins with the exec of the program (of a forked process: with the fork). It ends when
 * the process first waits for a connection. One that never does has started with the run of imports
 * on its first thread, whoever asks for them: the run is over when no import begins for a second
 * after the last one was done. What is imported later is no part of it, nor is what other threads
 * import, nor what the interpreter imports while it is shut down.
 *
 * An image that replaces itself (exec) before its start-up is over is a part of what follows.
 *
 * What we held the program for is in none of these figures but held_ns.
 */
#ifndef MODEL_STARTUP_H
#define MODEL_STARTUP_H

#include <linux/types.h>
#include <stdbool.h>
#include "pyimport_charge.h"

struct process;
struct load;

#define STARTUP_GAP_NS 1000000000ULL

enum startup_end {
	STARTUP_UNKNOWN = 0, /* its begin was not seen */
	STARTUP_READY,       /* it waited for a connection */
	STARTUP_IMPORTS,     /* the run of imports was over, or the process ended */
	STARTUP_CUT,         /* neither was seen: all of this is "at least" */
};

/* NS_UNKNOWN all, or none of them. */
struct startup {
	enum startup_end by;
	__u64 begin_ns, end_ns;
	__u64 run_ns;            /* when the interpreter could begin with the program */
	__u64 held_ns;           /* between the two */
	/* The rest. It is the sum of images, interpreter, imports and own. */
	__u64 wall_ns;
	__u64 images_ns;         /* earlier images of the program, until they were replaced */
	__u64 interpreter_ns;    /* until the program can begin */
	__u64 site_ns;           /* of that: site, and the .pth files it runs */
	__u64 imports_ns;        /* outermost imports of the first thread */
	__u64 own_ns;            /* all else that the first thread did */
	__u64 program_ns;        /* of that: the program is found, read and compiled */
	/* What the rest of its own work waited for, by enum pyi_wait; NS_UNKNOWN all, or none. */
	__u64 own_wait_ns[PYI_WAIT_CNT];
};

/* Time of the process's own from the begin of its start-up to @at_ns: without holds; NS_UNKNOWN. */
__u64 process_since_ns(const struct process *process, __u64 at_ns);

/*
 * Time between two moments, without what the process was held for in it and, where that is taken
 * off, without what tracing took.
 */
__u64 process_time_ns(const struct process *process, __u64 from_ns, __u64 to_ns);

/* Did it end, and is it of the start-up? Of an unknown start-up all are. */
bool load_is_startup(const struct load *load);
/* Does its time count by itself: is no import that ended around it? */
bool load_is_top(const struct load *load);

#endif
