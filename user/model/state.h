/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the model keeps while the stream runs. Private to user/model. Everything a reader sees is
 * in model.h; the structs here embed it as their first member or stand beside it.
 */
#ifndef MODEL_STATE_H
#define MODEL_STATE_H

/* Memory that runs out inside uthash is an error of the call, not the end of the program. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/idmap.h"
#include "base/keymap.h"
#include "event/capture_buf.h"
#include "model/model.h"
#include "model/unexamined.h"
#include "pyimport_phase.h"

struct code {
	__u32 id, same;           /* same: id of the first code that says the same */
	int firstlineno;
	__u64 globals;
	__u32 lines, table_sz;
	const unsigned char *table;
	const char *module, *package, *file, *name;
	bool is_table_cut, is_module_cut, is_package_cut;
};

/* The Python stack of a record, innermost first. */
struct frames {
	__u32 cnt;
	bool is_cut;            /* it goes on, and whoever is no part of importlib stands behind */
	struct pyi_frame at[];
};

/* What was seen inside a load: settles its kind and result. */
enum evidence {
	SEEN_BODY = 1 << 0, SEEN_EXECDEF = 1 << 1, SEEN_DYNAMIC = 1 << 2, SEEN_BUILTIN = 1 << 3,
	SEEN_NEW_MODULE = 1 << 4, SEEN_COMPILE = 1 << 5, SEEN_END = 1 << 6,
	SEEN_FAILURE = 1 << 7,      /* the load's own end says so */
	SEEN_BODY_FAILED = 1 << 8,  /* body, ExecDef or create_dynamic: the last one failed */
	SEEN_UNOBSERVED = 1 << 9,   /* its end was not seen: only what is inside tells the result */
	SEEN_RESULT = 1 << 10,      /* SEARCH: whether it failed is known all the same */
	SEEN_LAZY = 1 << 11,        /* the module is found, and will be executed when it is used */
};
/* Any of these: it was more than a look at sys.modules. */
#define SEEN_WORK (SEEN_BODY | SEEN_EXECDEF | SEEN_DYNAMIC | SEEN_BUILTIN | SEEN_NEW_MODULE)

/* Why something that looked like a load is none. */
enum drop {
	DROP_NO = 0, DROP_WAIT, DROP_CACHED, DROP_EXEC, DROP_CONTEXT,
	DROP_SERVED, /* its package's body loaded the module: all that was left was to find it */
	DROP_FOUND,  /* LazyLoader found it: the load is the one that executes it */
};

struct load_state {
	struct load load;
	__u32 evidence;
	__u32 stmt, body_code;
	__u8 span, via;         /* of its BEGIN */
	__u8 above;             /* kind of the span it began in, 0 = none */
	__u8 drop;              /* enum drop */
	bool is_shared;         /* another thread had the same module's load open meanwhile */
	bool has_failed_child;
	bool is_served;         /* a load inside it loaded the same module */
	bool is_tentative;      /* a body that its frames may show to be a plain exec() */
	bool has_edge;          /* an edge speaks of it */
	bool is_needed;         /* inherited: something hangs below it */
	const char *body_error;
	const char *made_error; /* type of the last ImportError made inside, by a SEARCH load */
	struct frames *frames;
	__u64 children_ns;      /* wall of the children that ended, same thread */
	/* When the module was found, its compiler and code began, its .pyc was read; 0 = not. */
	__u64 found_at_ns, compile_at_ns, body_at_ns, pyc_at_ns;
	__u64 pyc_wanted_ns;    /* when its .pyc was first looked for: it had been found then */
	__u64 before_ns;        /* inherited: of that, what ended before the fork */
	struct module_name *name;
	struct load_state *open_next, *open_prev; /* in name->open */
	struct pyi_spent begun, ended; /* of its thread; ended all zero: not known */
	struct load_state *runs;  /* of DROP_FOUND: the load that executes the module */
	struct load_state *clone; /* the copy made for the latest fork */
};

struct stmt {
	struct pyi_frame frame;
	__u8 has_from, is_circular;
	__u8 from_circular;       /* bit n: the nth name of the fromlist closes a cycle */
	__u8 from_cnt;
	bool is_from_cut;         /* not all names of the fromlist came */
	bool is_inside;           /* all runs were in the load that the first was in */
	bool is_carried;          /* its first run is in an earlier file */
	struct frames *callers;   /* with its own frame, which is the first; or NULL */
	const char *module;       /* absolute */
	const char **from;
	const char **bound;       /* what its names are bound to; NULL = not known */
	__u8 bound_cnt;           /* 0: to what they are */
	__u32 count, loads, found; /* found: of the loads, those that turned out to be none */
	__u64 first_ns;
	struct load_state *around; /* innermost load at its first run */
	struct load_state *load;   /* first load it caused */
	struct stmt *next;         /* of the process, in order */
};

struct span {
	__u64 key;                /* span_key(): a forked child has its parent's ids */
	__u8 kind;                /* 0: of no meaning for its load */
	bool is_own;              /* it opened that load */
	bool is_overtaken;        /* one that began before it ended before it */
	struct process_state *process;
	struct thread_state *thread;
	struct span *next, *prev; /* open spans of the thread, most recent first */
	struct load_state *load;  /* innermost load it belongs to, or NULL */
	struct lib *lib;
	__u32 parent;
	__u64 start_ns, dlopen_ns;
};

/* A module's name in a process: is it loaded, who loads it now? */
struct module_name {
	const char *name;         /* interned */
	struct load_state *open;  /* list: loads of it that run now */
	struct load_state *first; /* when the trace is over: the first load that did not fail */
	struct load_state *lazy;  /* then: LazyLoader found it, and nothing has executed it yet */
	bool is_loaded;
	bool is_present;          /* it was there before we came */
	bool has_worked;          /* since it was last idle, a load of it did work */
};

/* Who a span's charges go to. */
struct account {
	__u64 key;               /* of the span */
	struct load_state *load; /* NULL: nobody, it was outside */
	bool is_closed;          /* the span has ended */
	bool is_passed;          /* and charges were settled since, at least once */
	struct account *next;    /* closed or free */
};

struct thread_state {
	__u32 tid;
	struct span *open;
	/* A lazy import is being resolved: the next load inside the same span is it. */
	bool is_lazy;
	__u32 lazy_span;
	__u64 lazy_ns;
	struct pyi_frame lazy;
	struct lib *made;         /* opened outside of any search, and not yet executed */
	UT_hash_handle hh;
};

struct path_state {
	const char *text;
	__u32 kind;               /* enum pyi_path_kind */
};

struct lib_info_state {
	const char *path;         /* interned */
	struct lib_info info;
	UT_hash_handle hh;
};

/* What was counted of one path in one load; becomes what a reader sees when the trace is over. */
struct raw_file {
	struct file file;         /* its path and what it is are not known yet */
	__u64 path;               /* key of it */
	struct raw_file *next;    /* in the same place of process_state.raw_files */
};

struct raw_net {
	struct {
		__u64 id, start_ns;
	} key;
	struct load_state *load;
	struct net_use use;
	UT_hash_handle hh;
};

struct raw_effect {
	struct load_state *load;
	struct effect effect;
	UT_hash_handle hh;
};

#define INHERITED_UNKNOWN (~0u) /* process.inherited_cnt */
#define ANCESTORS_MAX 64        /* forks back to who loaded a module */

struct process_state {
	struct process process;
	struct keymap raw_files;  /* struct raw_file; in order they are in process.files */
	size_t raw_file_cap;
	struct raw_net *raw_nets;
	struct raw_effect *raw_effects;
	struct quota_state *quotas;
	bool is_quota_known;
	struct thread_state *threads;
	struct keymap names;      /* by address of their text, interned: struct module_name */
	struct keymap namespaces; /* by address of a module's dict: the module's name */
	struct process_state *forked_from; /* whose modules it started with */
	struct process_state *replaced;    /* the image before this one */
	struct load_state *main;           /* the first `__main__` of this image */
	__u64 waited_at_ns;       /* when these were read, soon after it was ready; 0 = not yet */
	__u64 waited_ns[PYI_WAIT_CNT]; /* by the program itself, outside of its imports */
	struct stmt *stmts, **stmts_end;
	__u32 own_cnt;            /* modules it has loaded that it had not inherited */
	bool can_switch;          /* a greenlet library is mapped: nesting from Python frames */
	bool has_frames;          /* Python frames can be read: their absence means C */
	UT_hash_handle hh, hh_tgid;
};

struct python_state {
	__u32 layout;
	struct python_info info;
	UT_hash_handle hh;
};

/* What a model that forgets does in place of one that does not; see model/lean. */
struct lean_ops {
	int (*apply)(struct model *model, const void *record, size_t size);
	/* The model of the image with this serial, of the record applied last; NULL = none. */
	struct model *(*part)(const struct model *model, __u32 serial);
	struct model *(*last)(const struct model *model);
	void (*progress)(const struct model *model, size_t *processes, size_t *loads);
	void (*finish)(struct model *model); /* all that is left has ended */
	void (*free)(struct model *model);
};

struct model {
	struct arena arena;
	struct process_state *by_serial, *by_tgid; /* by_tgid: those that live */
	struct process **processes; /* in order of appearance */
	size_t process_cnt, process_cap;
	struct group **groups;
	size_t group_cnt, group_cap;
	struct keymap spans;      /* struct span, those that are open */
	struct span *free_spans;
	struct load_state *free_loads; /* by open_next */
	struct idmap stmts, codes; /* struct stmt, struct code */
	struct keymap code_texts; /* the first code that says so, by a hash of that */
	struct keymap paths;      /* struct path_state */
	struct lib_info_state *lib_infos;
	struct keymap accounts;   /* struct account */
	struct account *closed_accounts, *free_accounts;
	__u32 measured;           /* enum pyi_group */
	struct python_state *pythons;
	struct pyi_stats stats;
	struct host_info host;
	__u64 malformed, truncated, late_starts, unknown_starts;
	__u64 begun_unseen_cnt;   /* processes; counted when the trace is over */
	struct python_info *unprobed;
	size_t unprobed_cnt;
	struct hold_info *holds;
	size_t hold_cnt;
	struct held_info held;
	struct unexamined_info unexamined;
	struct price_info price;
	bool has_held, has_price, is_as_measured;
	__u32 clone_cnt;
	size_t load_cnt;
	const char *current;
	struct load_state *ended; /* by the record applied last, or NULL */
	bool has_stats, is_finished, is_cut;
	struct model_tap tap;
	struct capture_buf trimmed; /* scratch of tap_record */
	struct lean *lean;        /* NULL: nothing is forgotten */
	const struct lean_ops *lean_ops;
	struct model *whole;      /* of a part of a lean model: knows the paths */
	struct kept *kept;        /* of a part: all it was given, lean/startup_records.c; or NULL */
};

static inline bool span_is_search(__u8 kind)
{
	return kind == PYI_SPAN_FIND || kind == PYI_SPAN_SEARCH;
}

#endif
