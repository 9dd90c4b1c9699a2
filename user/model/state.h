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
#include "base/idmap.h"
#include "base/keymap.h"
#include "model/model.h"
#include "pyimport_phase.h"

struct code {
	__u32 id;
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
	struct pyi_frame at[];
};

/* What was seen inside a load: settles its kind and result. */
enum evidence {
	SEEN_BODY = 1 << 0, SEEN_EXECDEF = 1 << 1, SEEN_DYNAMIC = 1 << 2, SEEN_BUILTIN = 1 << 3,
	SEEN_NEW_MODULE = 1 << 4, SEEN_COMPILE = 1 << 5, SEEN_END = 1 << 6,
	SEEN_FAILURE = 1 << 7,      /* the load's own end says so */
	SEEN_BODY_FAILED = 1 << 8,  /* body, ExecDef or create_dynamic: the last one failed */
	SEEN_UNOBSERVED = 1 << 9,   /* its end was not seen: only what is inside tells the result */
};
/* Any of these: it was more than a look at sys.modules. */
#define SEEN_WORK (SEEN_BODY | SEEN_EXECDEF | SEEN_DYNAMIC | SEEN_BUILTIN | SEEN_NEW_MODULE)

/* Why something that looked like a load is none. */
enum drop { DROP_NO = 0, DROP_WAIT, DROP_CACHED, DROP_EXEC, DROP_CONTEXT };

struct load_state {
	struct load load;
	__u32 evidence;
	__u32 stmt, body_code;
	__u8 span, via;         /* of its BEGIN */
	__u8 above;             /* kind of the span it began in, 0 = none */
	__u8 drop;              /* enum drop */
	bool is_shared;         /* another thread had the same module's load open meanwhile */
	bool has_failed_child;
	bool is_tentative;      /* a body that its frames may show to be a plain exec() */
	bool has_edge;          /* an edge speaks of it */
	bool is_needed;         /* inherited: something hangs below it */
	const char *body_error;
	const char *made_error; /* type of the last ImportError made inside, by a LOCK load */
	struct frames *frames;
	__u64 children_ns;      /* wall of the children that ended, same thread */
	/* When the module was found, its compiler and code began, its .pyc was read; 0 = not. */
	__u64 found_at_ns, compile_at_ns, body_at_ns, pyc_at_ns;
	__u64 before_ns;        /* inherited: of that, what ended before the fork */
	struct module_name *name;
	struct load_state *open_next, *open_prev; /* in name->open */
	struct load_state *clone; /* the copy made for the latest fork */
};

struct stmt {
	struct pyi_frame frame;
	__u8 has_from, is_circular;
	__u8 from_circular;       /* bit n: the nth name of the fromlist closes a cycle */
	__u8 from_cnt;
	bool is_from_cut;         /* not all names of the fromlist came */
	const char *module;       /* absolute */
	const char **from;
	__u32 count, loads, waits;
	__u64 first_ns;
	struct load_state *around; /* innermost load at its first run */
	struct load_state *load;   /* first load it caused */
	struct stmt *next;         /* of the process, in order */
};

struct span {
	__u64 key;                /* span_key(): a forked child has its parent's ids */
	__u8 kind;                /* 0: of no meaning for its load */
	bool is_own;              /* it opened that load */
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
	bool is_loaded;
	bool is_present;          /* it was there before we came */
	bool has_worked;          /* since it was last idle, a load of it did work */
};

/* Who a span's charges go to. */
struct home {
	__u64 key;               /* of the span */
	struct load_state *load; /* NULL: nobody, it was outside */
	bool is_closed;          /* the span has ended */
	bool is_passed;          /* and charges were settled since, at least once */
	struct home *next;       /* closed or free */
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
	struct load_state *main;           /* the first `__main__` of this image */
	struct stmt *stmts, **stmts_end;
	__u32 own_cnt;            /* modules it has loaded that it had not inherited */
	bool has_frames;          /* Python frames can be read: their absence means C */
	UT_hash_handle hh, hh_tgid;
};

struct python_state {
	__u32 layout;
	struct python_info info;
	UT_hash_handle hh;
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
	struct keymap paths;      /* struct path_state */
	struct lib_info_state *lib_infos;
	struct keymap homes;      /* struct home */
	struct home *closed_homes, *free_homes;
	__u32 measured;           /* enum pyi_group */
	struct python_state *pythons;
	struct pyi_stats stats;
	struct host_info host;
	__u64 malformed, orphan_ends, truncated, late_starts, unknown_starts;
	struct python_info *unprobed;
	size_t unprobed_cnt;
	struct hold_info *holds;
	size_t hold_cnt;
	__u32 clone_cnt;
	size_t load_cnt;
	const char *current;
	struct load_state *ended; /* by the record applied last, or NULL */
	bool has_stats, is_finished, is_cut;
	struct model_tap tap;
};

/* tap.c */
void tap_record(const struct model *model, const void *record, size_t size);
void tap_fact(const struct model *model, enum model_fact fact, __u32 id, const void *info);

/* apply.c */
int array_push(void *array_ptr, size_t *cnt, size_t *cap, void *item);
/* A record whose id cannot be one of ours counts as malformed, and is no error. */
int id_add(struct model *model, struct idmap *map, __u32 id, void *item);
int model_text(struct model *model, const struct pyi_str *str, const char *text,
	       const char **out); /* NULL for an empty one */
const char *model_bytes(struct model *model, const char *text, size_t max_sz);

/* phases.c */
void phase_add(struct model *model, const struct pyi_phase *rec);
void phases_finish(struct process *process);

/* identity.c: where a process belongs */
const char *model_keep(struct model *model, const char *text); /* NULL stays NULL */
void identity_set(struct model *model, struct process *process, const struct process_info *info);
void identity_inherit(struct model *model);

/* process.c: images, forks, ends, threads */
struct process_state *process_get(struct model *model, const struct pyi_hdr *hdr);
struct process_state *process_find(struct model *model, __u32 serial);
struct thread_state *thread_get(struct model *model, struct process_state *process, __u32 tid);
int process_exec(struct model *model, const struct pyi_exec *rec);
int process_fork(struct model *model, const struct pyi_fork *rec);
void process_exit(struct model *model, const struct pyi_exit *rec);
int process_python(struct model *model, const struct pyi_python *rec);
int process_log(struct model *model, const struct pyi_hdr *hdr);

/* span.c: what is open, and what it belongs to */
int span_begin(struct model *model, const struct pyi_begin *rec);
int span_end(struct model *model, const struct pyi_end *rec);
int spans_inherit(struct model *model, struct process_state *child, struct thread_state *from);
void spans_abandon(struct model *model, struct process_state *process, __u32 tid);
struct span *span_find(struct model *model, __u32 serial, __u32 id);

static inline bool span_is_search(__u8 kind)
{
	return kind == PYI_SPAN_FIND || kind == PYI_SPAN_LOCK;
}

/* inside.c */
int span_mark(struct model *model, const struct pyi_mark *rec);
int span_frames(struct model *model, const struct pyi_frames *rec);

/* load.c: loads while they run */
struct load_state *load_begin(struct model *model, struct span *span, const struct pyi_begin *rec,
			      struct load_state *around, const char *name);
void load_end(struct model *model, struct load_state *state, const struct pyi_end *rec,
	      __u64 wall_ns);
void load_leave(struct load_state *state);
void load_recycle(struct model *model, struct load_state *state);
void load_found(struct load_state *state, __u64 ts_ns);
struct load_state *load_inherit(struct model *model, struct process_state *child,
				struct load_state *origin);
struct process_state *process_living(struct model *model, __u32 tgid);
struct module_name *name_get(struct model *model, struct process_state *process,
			     const char *text);
struct module_name *name_find(const struct process_state *process, const char *text);
int namespace_add(struct process_state *process, __u64 globals, const char *name);
bool namespace_has(const struct process_state *process, __u64 globals, const char *name);
const char *namespace_name(const struct process_state *process, __u64 globals);

/* stmt.c: import statements */
int stmt_first(struct model *model, const struct pyi_edge *rec);
int stmt_from(struct model *model, const struct pyi_from *rec);
int stmt_count(struct model *model, const struct pyi_edge_count *rec);
struct stmt *stmt_find(struct model *model, __u32 id);

/* waits.c */
int wait_add(struct model *model, struct process *process, const struct load *load);
void waits_finish(struct process *process);

/* code.c: code objects and places in them */
int code_add(struct model *model, const struct pyi_code *rec);
struct code *code_find(struct model *model, __u32 id);
struct site code_site(struct model *model, const struct pyi_frame *frame);
__u32 import_code(struct model *model, const struct frames *frames); /* who asked; 0 = unknown */
struct site import_site(struct model *model, const struct frames *frames);
struct site body_site(struct model *model, const struct frames *frames);
bool code_is_importlib(const struct code *code);
bool code_is_machinery(const struct code *code);

void stages_settle(struct load_state *state); /* stages.c; charges are complete */

/* charge.c */
int charge_open(struct model *model, const struct span *span);
int charge_move(struct model *model, const struct span *span, struct load_state *from);
void charge_close(struct model *model, const struct span *span);
int charge_drop(struct model *model, const struct load_state *state); /* to whoever it is part of */
void charge_add(struct pyi_charge *to, const struct pyi_charge *from);
/* To the load, or to @outside of its process if there is none. */
int charge_put(struct model *model, struct load *load, struct pyi_charge *outside,
	       const struct pyi_charge *more);
int charge_apply(struct model *model, const struct pyi_charge_record *rec);
void charge_settled(struct model *model, const struct pyi_charged *rec);
int charge_finish(struct model *model, struct process *process);
extern const struct pyi_charge charge_none;

struct home *home_find(struct model *model, __u32 serial, __u32 span);

/* path.c; files.c; dirs.c */
int path_add(struct model *model, const struct pyi_path *rec);
int path_text(struct model *model, const struct process *process, __u64 key, const char **out);
int file_add(struct model *model, const struct pyi_file *rec);
int files_finish(struct model *model, struct process_state *process);
void files_free(struct process_state *process);
void link_add(struct model *model, const struct pyi_link *rec); /* libs.c */
int libs_finish(struct model *model, struct process *process);
int net_add(struct model *model, const struct pyi_net *rec); /* net.c */
int effect_add(struct model *model, const struct pyi_effect *rec);
int spawn_add(struct model *model, const struct pyi_spawn *rec);
int net_finish(struct model *model, struct process_state *process);
void net_free(struct process_state *process);
void same_free(struct process *process);
int throttle_finish(struct model *model, struct process_state *state); /* throttle.c */
int dirs_finish(struct model *model, struct process *process);

/* settle.c: what one load was; edges.c; finish.c */
void load_settle(struct model *model, struct process_state *process, struct load_state *state);
/* inventory.c */
int inventory_add(struct model *model, const struct pyi_present *rec);
void inventory_finish(struct process_state *process);
void inventory_free(struct inventory *inventory);

int groups_finish(struct model *model); /* workers.c */
void groups_free(struct model *model);
__u32 modules_at_fork(const struct process_state *parent);
void module_loaded(struct process_state *process, struct module_name *name);
int edges_finish(struct model *model, struct process_state *process);

#endif
