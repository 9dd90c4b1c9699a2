/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings: what could be done about a start-up, where, and what it would bring. */
#ifndef MODEL_ADVICE_ADVICE_H
#define MODEL_ADVICE_ADVICE_H

#include "model/graph/gains.h"
#include "model/advice/risks.h"

enum finding_rule {
	FINDING_DEFER = 0, /* this statement is all that leads to what it loads */
	FINDING_NO_GAIN,   /* it loads something dear, but somebody else would load that */
	FINDING_COMPILED,  /* compiled from source at import: no usable .pyc */
	FINDING_CIRCULAR,  /* it asks for a module that is still being loaded below it */
	FINDING_FAILED,    /* an import that fails costs time at every start */
	FINDING_NETWORK,  /* connections and look-ups made by an import */
	FINDING_CHILD,    /* child processes started by an import */
	FINDING_THREADS,  /* a pool of threads started by an import */
	FINDING_LATE,     /* an import made when the service was ready */
	FINDING_SAME,     /* the same content read from several files */
	FINDING_TOGETHER, /* these statements together are all that leads to what they load */
	FINDING_LAZY,     /* declared lazily (3.15), but loaded during the start-up all the same */
	FINDING_RULE_CNT,
};

enum confidence { CONFIDENCE_LOW = 0, CONFIDENCE_MEDIUM, CONFIDENCE_HIGH };

struct finding {
	enum finding_rule rule;
	struct site site;          /* the statement */
	const struct graph *graph; /* that of the gains */
	__u32 *stmts, stmt_cnt;    /* DEFER: one, TOGETHER: several indices into graph->stmts */
	const struct load *load;   /* the dearest load it is about; NULL: none */
	const struct load *caller; /* DEFER: a function's statement, run while this was loaded */
	struct gain gain;          /* DEFER; NO_GAIN: without this statement alone */
	enum confidence confidence;
	bool is_function;          /* DEFER: the statement stands in a function already */
	bool is_entry;             /* DEFER: it brings in the program itself */
	bool is_group;             /* DEFER: most of it is the gain of findings before it */
	/*
	 * DEFER, TOGETHER: ran in a function of what vanishes, called from outside: the run used
	 * it. NULL: not seen.
	 */
	const struct graph_stmt *used;
	/*
	 * Who called that function, or of LATE the one that imports: the nearest caller that is in
	 * the program's own files and does not vanish. NULL: not seen, or the place itself is own.
	 */
	const struct site *caller_site;
	const struct graph_stmt **same; /* DEFER: statements above it that bring the same */
	__u32 same_cnt;
	const struct risk **risks; /* DEFER: of what vanishes; lower confidence */
	__u32 risk_cnt, risk_cap;
	struct site other;         /* NO_GAIN: who else leads to it */
	struct gain joint;         /* NO_GAIN: without all statements that lead to its package */
	__u32 joint_cnt;           /* how many these are */
	__u32 cnt;                 /* COMPILED: modules; NETWORK, CHILD, THREADS: of these */
	__u32 zip_cnt, no_pyc_cnt; /* COMPILED: in archives; by loaders that look for no .pyc */
	__u64 observed_ns;         /* how long the import waited (NETWORK, CHILD) or took (LATE) */
	bool is_waiter;            /* LATE: in the thread that waits for connections */
	const struct same_files *same_files; /* SAME */
	const char *peer;          /* NETWORK: the first name or address; NULL = unknown */
};

/* A package as a whole: what vanishes if nothing outside of it imports it. */
struct package_gain {
	const char *name;          /* malloc'd with the array */
	__u32 stmt_cnt;            /* statements outside that lead into it */
	struct gain gain;
};

struct advice {
	struct gains *gains;
	__u64 *stmt_ns;            /* by statement: its gain; 0 = too little to be looked at */
	char *program;             /* the package that an installed script starts; NULL: none */
	bool is_cut;               /* the graph is so large that not all was tried */
	struct finding *findings;  /* dearest first; groups behind their parts */
	size_t finding_cnt, finding_cap;
	struct risks risks;        /* of all imports */
	struct package_gain *packages; /* dearest first */
	size_t package_cnt;
};

/* The process must be finished and outlive it. 0 or -ENOMEM. */
int advice__new(const struct process *process, struct advice **out);
void advice__free(struct advice *advice); /* NULL-safe */
void advice__freep(struct advice **advice);

/* Is it a file of the program, and not of an installed package or of Python itself? */
bool file_is_own(const char *file);

/* Of the standard library: not of the program, and of no package that was installed. */
bool file_is_of_library(const char *file);

/* One of site-packages whose lines are run at each start. */
bool file_is_pth(const char *file);

#endif
