/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two finished models compared: processes by command line, modules by name. Everything points into
 * the two models, which must outlive it.
 */
#ifndef MODEL_COMPARE_DIFF_H
#define MODEL_COMPARE_DIFF_H

#include "model/model.h"

/* Smaller changes of a self time are taken for noise: both must be exceeded. */
#define DIFF_NOISE_NS 1000000
#define DIFF_NOISE_PCT 10

enum diff_change {
	DIFF_SAME = 0, DIFF_NEW, DIFF_GONE, DIFF_SLOWER, DIFF_FASTER,
	DIFF_BROKEN,   /* loaded before, fails now */
	DIFF_REPAIRED,
};

/* Why two runs may differ for another reason than the program. */
enum diff_doubt {
	DIFF_OTHER_HOST = 1 << 0, DIFF_OTHER_KERNEL = 1 << 1, DIFF_OTHER_ARCH = 1 << 2,
	DIFF_OTHER_CPUS = 1 << 3,
	DIFF_OTHER_PYTHON = 1 << 4,   /* of a pair: version or implementation */
	DIFF_OTHER_CACHE = 1 << 5,    /* of a pair: one read from disk, the other did not */
	DIFF_OTHER_COMPILE = 1 << 6,  /* of a pair: one compiled, the other had .pyc files */
	DIFF_INCOMPLETE = 1 << 7,     /* something was lost in one of them, or both */
	DIFF_LATE = 1 << 8,           /* of a pair: one was running when its trace began */
	DIFF_LOG = 1 << 9,            /* one is a log of -X importtime, the other is none */
};

struct diff_module {
	const char *name;
	const struct load *before, *after; /* the first loaded, else the first; NULL = none */
	__u64 before_ns, after_ns;         /* self time of all its loads; NS_UNKNOWN */
	enum diff_change change;
	__s64 delta_ns;                    /* of the self time; 0 when unknown */
};

/* Modules that came, or went, together: all that is below one import which only one side has. */
struct diff_tree {
	const struct load *top;
	size_t cnt;                /* modules, the top included */
	bool is_statement_apart;   /* its import statement, too, is only on this side */
};

struct diff_path {
	const char *path;
	enum diff_change change;   /* DIFF_NEW or DIFF_GONE */
};

struct diff_pair {
	const struct process *before, *after;
	__u32 doubts;              /* enum diff_doubt */
	struct diff_module *modules; /* by the size of their change */
	size_t module_cnt;
	struct diff_tree *came, *went; /* by wall time */
	size_t came_cnt, went_cnt;
	struct diff_path *libs, *files; /* by path */
	size_t lib_cnt, file_cnt;
};

struct diff {
	const struct model *before, *after;
	__u32 doubts;
	struct diff_pair *pairs;
	size_t pair_cnt;
	const struct process **only_before, **only_after; /* without a counterpart */
	size_t only_before_cnt, only_after_cnt;
};

int diff__new(const struct model *before, const struct model *after, struct diff **out);
void diff__free(struct diff *diff);
void diff__freep(struct diff **diff);

/* diff_modules.c, diff_paths.c: private to diff.c */
int diff_modules(struct diff_pair *pair);
int diff_paths(struct diff_pair *pair);

#endif
