/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A budget: what the start-up of each entry point may cost and do, and whether runs of it did.
 * Limits on counts hold for every run as they are. Limits on times are broken when the runs leave
 * no doubt: when the lower end of the 95 % interval of their median is beyond the limit.
 */
#ifndef MODEL_COMPARE_BUDGET_H
#define MODEL_COMPARE_BUDGET_H

#include "model/model.h"

enum metric {
	METRIC_TIME = 0,  /* to the end of start-up; of a module: with what it imports */
	METRIC_CPU,
	METRIC_READY,     /* to the first wait for a connection */
	METRIC_MEMORY,    /* resident at the most; of a module: what it added, with its imports */
	METRIC_MODULES,   /* loaded; of a module: with itself */
	METRIC_OPENS,
	METRIC_MISSES,    /* files looked for that were not there */
	METRIC_BYTES,     /* read from files */
	METRIC_LIBS,      /* shared objects loaded */
	METRIC_CNT,
};

enum metric_unit { UNIT_COUNT = 0, UNIT_NS, UNIT_BYTES };

struct metric_info {
	const char *name; /* as in the budget file */
	enum metric_unit unit;
	bool is_timed;    /* differs from run to run without any change of the program */
	bool is_of_module;/* can be limited for a module as well */
	__u32 groups;     /* enum pyi_group: what is to be recorded for it */
};
extern const struct metric_info metrics[METRIC_CNT];

/* NS_UNKNOWN: not measured, or not seen. */
__u64 metric_of_process(const struct process *process, enum metric metric);
__u64 metric_of_load(const struct load *load, enum metric metric);

/*
 * The same, without what the interpreter itself took in this very run if @is_over_floor: all that
 * `python -c pass` has. Of times since the exec only.
 */
__u64 metric_against(const struct process *process, enum metric metric, bool is_over_floor);
static inline bool metric_has_floor(enum metric metric)
{
	return metric == METRIC_TIME || metric == METRIC_READY;
}

/* Where a value stands in the budget file: lines and columns from 0, in characters. */
struct budget_mark {
	size_t line, column, end_line, end_column;
};

struct limit {
	bool is_set;
	bool is_over_floor; /* "+120 ms": more than the interpreter itself takes */
	__u64 max;
	struct budget_mark mark;
};

struct budget_modules {
	char *glob;
	struct limit limits[METRIC_CNT];
};

struct budget_entry {
	char *name;
	char *match;             /* glob on the command line; NULL = the first Python program */
	char **argv;             /* NULL = none; ends with NULL */
	size_t argc;
	size_t runs;             /* 0 = not said */
	struct limit limits[METRIC_CNT];
	struct budget_modules *modules;
	size_t module_cnt;
	char **forbidden;        /* globs; a package without any stands for all in it */
	size_t forbidden_cnt;
	char **allowed;          /* the same: no other installed package may be loaded */
	size_t allowed_cnt;
	bool has_allowed;        /* an empty list allows none */
	bool no_network, no_circular, no_compile;
	const char *file;        /* that it was read from; NULL = none */
	size_t line;             /* there, from 1 */
};

struct budget {
	struct budget_entry *entries;
	size_t entry_cnt;
};

void budget_clear(struct budget *budget);

/* '*' stands for anything, dots too, '?' for one byte. Time grows with both lengths at most. */
bool glob_matches(const char *glob, const char *text);

/* The process an entry speaks of; NULL: there is none. */
const struct process *budget_find_process(const struct budget_entry *entry,
					  const struct model *model);

enum verdict_result { VERDICT_OK = 0, VERDICT_NOISY, VERDICT_BROKEN, VERDICT_UNKNOWN };
enum verdict_kind {
	VERDICT_LIMIT = 0, VERDICT_MODULE, VERDICT_FORBIDDEN, VERDICT_NETWORK, VERDICT_CIRCULAR,
	VERDICT_COMPILE, VERDICT_ALLOWED, VERDICT_MISSING, /* no process of the entry was seen */
};

struct verdict {
	const struct budget_entry *entry;
	enum verdict_kind kind;
	enum verdict_result result;
	enum metric metric;          /* LIMIT, MODULE */
	const char *what;            /* MODULE: the module; FORBIDDEN: the module or the glob */
	__u64 value, low, high, max; /* median and its interval; NS_UNKNOWN */
	bool is_over_floor;
	size_t value_cnt;            /* LIMIT, MODULE: runs that have a value, of @run_cnt */
	__u64 modules, modules_low;  /* LIMIT: most and fewest that a run loaded; NS_UNKNOWN */
	__u64 then, modules_then;    /* in the baseline; NS_UNKNOWN */
	const char *then_day;        /* the day of that, 2026-11-29; NULL = unknown */
	size_t came_cnt;             /* since the baseline, with `load`; 0 = none is known to */
	size_t run_cnt;
	__u32 lacks;                 /* UNKNOWN: enum pyi_group that no trace of it recorded */
	const struct model *model;   /* that `process` is of */
	const struct process *process; /* the run it is told of; NULL: MISSING */
	const struct load *load;     /* what to look at: its chain is the offending one; or NULL */
	struct site site;            /* CIRCULAR: the statement that closes the cycle */
};

struct verdicts {
	struct verdict *all;
	size_t cnt, cap;
	size_t broken_cnt, noisy_cnt; /* unknown ones count as broken: they were to be checked */
	bool is_complete;             /* no run lost data */
	const char *root;             /* the repository in which the check runs; NULL = none */
	const char *cwd;              /* where budgets are named from; NULL = unknown */
};

/*
 * Judges one entry by its runs and adds the verdicts. Models must be finished and outlive the
 * result. 0 or -ENOMEM.
 */
int check_entry(struct verdicts *result, const struct budget_entry *entry,
		struct model *const *runs, size_t run_cnt);

/*
 * What broken limits were in @baseline, and the import to blame: the dearest that came since then.
 * @models are all that were judged, and the baseline must outlive the result. 0 or -ENOMEM.
 */
int check_since(struct verdicts *result, struct model *const *models, size_t cnt,
		const struct model *baseline);
void check_clear(struct verdicts *result);

#endif
